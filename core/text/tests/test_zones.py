from unittest import TestCase
from zoneinfo import ZoneInfo

from core.text.zones import zone_named


class ZoneNamedTests(TestCase):
    def test_it_knows_zones_of_the_iana_database(self) -> None:
        self.assertEqual(zone_named("Australia/Lord_Howe"), ZoneInfo("Australia/Lord_Howe"))

    def test_it_is_utc_for_whatever_else(self) -> None:
        for name in ("", "Mars/Olympus", "../../etc/passwd", "a" * 5000, "Europe", "\0"):
            with self.subTest(name=name[:20]):
                self.assertEqual(zone_named(name), ZoneInfo("UTC"))
