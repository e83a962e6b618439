import datetime as dt
from zoneinfo import ZoneInfo

from django.test import SimpleTestCase
from django.utils.formats import date_format
from django.utils.translation import override

from core.text import moments

NOON = dt.datetime(2026, 12, 3, 12, 5, tzinfo=dt.UTC)


class MomentTests(SimpleTestCase):
    def test_it_shows_a_time_as_each_language_writes_it(self):
        zone = ZoneInfo("Asia/Tokyo")
        for language, shown in (
            ("en", "Thu 3 Dec 2026 21:05 JST"),
            ("de", "Do, 3. Dez. 2026, 21:05 JST"),
            ("fr", "jeu. 3 déc. 2026 21:05 JST"),
            ("es", "jue 3 dic 2026, 21:05 JST"),
            ("ja", "2026年12月3日(木) 21:05 JST"),
        ):
            with self.subTest(language), override(language):
                self.assertEqual(moments.shown_in(NOON, zone, "full", has_zone=True), shown)

    def test_it_has_a_translation_of_each_style(self):
        for language in ("de", "ja"):
            with override(language):
                for style in moments.STYLES:
                    self.assertTrue(moments.shown(NOON, style))

    def test_it_writes_dates_of_the_back_office_as_each_language_does(self):
        for language, day, moment in (
            ("en", "3 Dec 2026", "3 Dec 2026, 12:05:00 UTC"),
            ("de", "3. Dezember 2026", "3. Dez. 2026, 12:05:00 UTC"),
            ("fr", "3 décembre 2026", "3 déc. 2026, 12:05:00 UTC"),
            ("es", "3 de diciembre de 2026", "3 dic 2026, 12:05:00 UTC"),
            ("ja", "2026年12月3日", "2026年12月3日 12:05:00 UTC"),
        ):
            with self.subTest(language), override(language):
                self.assertEqual(date_format(NOON, "DATE_FORMAT"), day)
                self.assertEqual(date_format(NOON, "DATETIME_FORMAT"), moment)
                self.assertEqual(date_format(NOON, "TIME_FORMAT"), "12:05")
