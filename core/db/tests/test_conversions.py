import datetime as dt

from django.test import SimpleTestCase

from core.db.conversions import quick_conversions


class QuickConversionTests(SimpleTestCase):
    def test_it_reads_times_as_the_driver_would(self) -> None:
        from MySQLdb.constants import FIELD_TYPE
        from MySQLdb.converters import conversions

        import incident_response.settings  # noqa: F401  # lets PyMySQL stand in where there is no mysqlclient

        read = quick_conversions()

        for text in ("2026-11-21 10:00:00", "2026-11-21 10:00:00.000001", "1970-01-01 00:00:00.5"):
            with self.subTest(text):
                self.assertEqual(read[FIELD_TYPE.DATETIME](text), dt.datetime.fromisoformat(text))
        self.assertEqual(read[FIELD_TYPE.TIME]("09:30:00"), dt.time(9, 30))
        self.assertEqual(set(conversions) - set(read), set())
