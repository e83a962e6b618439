import time
from pathlib import Path

from django.test import SimpleTestCase

from responders.ical.bounded import read_bounded
from responders.ical.reading import MAX_ADDRESS, MAX_BYTES, MAX_PEOPLE, MAX_SUMMARY, Unreadable, read_calendar
from responders.tests.schedules import at
from tests.reported import reported_failure

CORPUS = Path(__file__).parent / "calendars"
PERIOD = at("2026-11-15T00:00"), at("2027-11-15T00:00")


def read(name: str, zone: str = "Europe/Berlin") -> list[tuple[str, str, tuple[str, ...]]]:
    found = read_calendar((CORPUS / name).read_bytes(), *PERIOD, zone)
    return [(event.starts_at[5:16], event.ends_at[5:16], event.attendees or event.names) for event in found]


class QuirkTests(SimpleTestCase):
    @reported_failure(7)
    def test_it_reads_each_quirk(self) -> None:
        ana, ben = ("Ana",), ("Ben",)
        cases = {
            "cancelled.ics": [("12-01T09:00", "12-01T17:00", ana), ("12-03T09:00", "12-03T17:00", ana)],
            "duplicate_uid.ics": [
                ("12-01T10:00", "12-01T17:00", ben),
                ("12-02T09:00", "12-02T17:00", ana),
                ("12-03T09:00", "12-03T17:00", ben),
            ],
            "date_values.ics": [("11-30T23:00", "12-02T23:00", ana), ("12-04T23:00", "12-05T23:00", ben)],
            "until_in_local_time.ics": [
                *((f"12-0{day}T08:00", f"12-0{day}T16:00", ana) for day in (1, 2, 3)),
                *((f"12-{day}T08:00", f"12-{day}T16:00", ben) for day in (10, 11)),
            ],
            "windows_zone.ics": [("12-01T08:00", "12-01T16:00", ana)],
            "x_wr_timezone.ics": [
                ("12-01T14:00", "12-01T22:00", ana),
                ("12-02T14:00", "12-02T22:00", ana),
                ("12-05T14:00", "12-05T22:00", ben),
            ],
            "attendees.ics": [
                ("12-01T09:00", "12-01T17:00", ("ANA@Example.COM",)),
                ("12-02T09:00", "12-02T17:00", ("Ben@EXAMPLE.com",)),
                ("12-03T09:00", "12-03T17:00", ("On Call - Ana - Database",)),
                ("12-04T09:00", "12-04T17:00", ("Ana", "Ben")),
            ],
        }

        for name, expected in cases.items():
            with self.subTest(name):
                self.assertEqual(read(name), expected)

    @reported_failure(7)
    def test_it_refuses_what_is_no_calendar(self) -> None:
        cases = {
            "web_page.html": "web page",
            "truncated.ics": "damaged",
            "every_second.ics": "too often",
            "every_hour_since_1600.ics": "too often",
        }

        for name, reason in cases.items():
            with self.subTest(name), self.assertRaisesRegex(Unreadable, reason):
                read(name)
        with self.assertRaisesRegex(Unreadable, "not a calendar"):
            read_calendar(b"Not found", *PERIOD, "UTC")
        with self.assertRaisesRegex(Unreadable, "larger"):
            read_calendar(b"BEGIN:VCALENDAR" + b" " * MAX_BYTES, *PERIOD, "UTC")

    def test_it_bounds_what_each_occurrence_says(self) -> None:
        invited = "".join(f"ATTENDEE:mailto:{'x' * 400}{number}@example.org\r\n" for number in range(60))
        event = f"DTSTART:20261201T090000Z\r\nDTEND:20261201T100000Z\r\n{invited}SUMMARY:{'Ana - ' * 9_000}\r\n"
        text = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\n{event}END:VEVENT\r\nEND:VCALENDAR\r\n"

        (found,) = read_calendar(text.encode(), *PERIOD, "UTC")

        self.assertEqual((len(found.attendees), max(map(len, found.attendees))), (MAX_PEOPLE, MAX_ADDRESS))
        self.assertLessEqual(sum(map(len, found.names)), MAX_SUMMARY)

    @reported_failure(7)
    def test_it_gives_up_in_bounded_time(self) -> None:
        started = time.monotonic()

        try:
            found = read_bounded((CORPUS / "never_matches.ics").read_bytes(), *PERIOD, "UTC")
        except Unreadable:
            found = []

        self.assertEqual(found, [])
        self.assertLess(time.monotonic() - started, 30)
