"""A change breaks a service, and is named first."""

from tests.tours.serving import TourCase


class BadChangeTests(TourCase):
    page = "bad-change.md"

    def test_it_names_the_change_first(self) -> None:
        self.tour.run()
