"""A reporter's words get team, category and severity suggested, and an administrator sees how often that was right."""

from incident_response.demo import address_of
from tests.live_server import turn
from tests.tours.serving import TourCase
from users.models import User


class LearntRoutingTests(TourCase):
    page = "learnt-routing.md"

    def test_it_suggests_what_history_teaches(self) -> None:
        self.tour.run()

        with turn:
            self.client.force_login(User.objects.get(email=address_of("ada")))
            page = self.client.get("/assistant/")
        self.assertContains(page, "Tunnel to the intranet drops in every call")
