from django.test import SimpleTestCase

from incidents.kinds import all_kinds, label_of
from incidents.models import EventKind, IncidentEvent


class KindTests(SimpleTestCase):
    def test_it_knows_the_kinds_of_every_app(self) -> None:
        words = dict(all_kinds())

        self.assertLessEqual({*EventKind.values, "alert_added", "alert_removed"}, set(words))
        longest = IncidentEvent._meta.get_field("kind").max_length
        self.assertLessEqual(max(map(len, words)), longest)

    def test_it_shows_words_that_nobody_registers_any_more(self) -> None:
        self.assertEqual(label_of("created"), "Reported")
        self.assertEqual(label_of("page_sent"), "Page sent")
