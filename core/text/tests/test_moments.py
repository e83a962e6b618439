import datetime as dt
from zoneinfo import ZoneInfo

from django.test import SimpleTestCase
from django.utils.translation import override

from core.text import moments

NOON = dt.datetime(2026, 12, 3, 12, 5, tzinfo=dt.UTC)


class MomentTests(SimpleTestCase):
    def test_it_shows_a_time_as_each_language_writes_it(self):
        zone = ZoneInfo("Asia/Tokyo")
        for language, shown in (
            ("en", "Thu 3 Dec 2026 21:05 JST"),
            ("de", "Do, 3. Dez. 2026, 21:05 JST"),
            ("fr", "Jeu 3 déc. 2026 21:05 JST"),
            ("es", "Jue 3 dic 2026, 21:05 JST"),
            ("ja", "2026年12月3日(木) 21:05 JST"),
        ):
            with self.subTest(language), override(language):
                self.assertEqual(moments.shown_in(NOON, zone, "full", has_zone=True), shown)

    def test_it_has_a_translation_of_each_style(self):
        for language in ("de", "ja"):
            with override(language):
                for style in moments.STYLES:
                    self.assertTrue(moments.shown(NOON, style))
