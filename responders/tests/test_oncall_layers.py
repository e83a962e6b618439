import datetime as dt
from itertools import pairwise
from typing import Any
from unittest import mock
from zoneinfo import ZoneInfo

from django.test import SimpleTestCase

from responders.lineups import layer_spec
from responders.oncall import LayerSpec, ScheduleSpec, Shift, VersionSpec, gaps, people_at, rendered, segments, shifts
from responders.oncall.walltime import resolve
from responders.tests.schedules import at
from tests.reported import reported_failure

LONG_AGO = at("1990-01-01T00:00")


def spec(zone: str, *layers: dict[str, Any]) -> ScheduleSpec:
    plain = {
        "name": "Primary",
        "users": [[1], [2]],
        "rotation": {"unit": "weeks", "every": 1},
        "starts_at": "2026-01-05T09:00:00",
        "hand_over": clock("09:00"),
        "advance": "calendar",
        "restrictions": [],
        "first_turn": 0,
    }
    found = tuple(layer_spec({**plain, "name": f"L{n}", **one}, zone, {}) for n, one in enumerate(layers))
    return ScheduleSpec((VersionSpec(LONG_AGO, found),))


def rotation(unit: str, every: int = 1) -> dict[str, Any]:
    return {"unit": unit, "every": every}


def clock(time: str) -> dict[str, Any]:
    return {"time": time, "weekday": None}


def edges(found: ScheduleSpec, start: str, end: str) -> list[tuple[str, int]]:
    return [(f"{one.starts_at:%m-%d %H:%M}", one.user_id) for one in shifts(found, at(start), at(end))]


class RotationTests(SimpleTestCase):
    def test_it_changes_turns_at_hand_overs(self) -> None:
        monday = {"time": "09:00", "weekday": 0}
        daily, nine = rotation("days"), clock("09:00")
        cases: list[tuple[dict[str, Any], list[tuple[str, int]]]] = [
            ({"hand_over": monday}, [("01-05 09:00", 1), ("01-12 09:00", 2), ("01-19 09:00", 1)]),
            # starts between hand-overs
            (
                {"starts_at": "2026-01-07T12:00:00", "hand_over": monday},
                [("01-07 12:00", 1), ("01-12 09:00", 2), ("01-19 09:00", 1)],
            ),
            ({"rotation": rotation("weeks", 2), "hand_over": monday}, [("01-05 09:00", 1), ("01-19 09:00", 2)]),
            (
                {"rotation": daily, "starts_at": "2026-01-23T09:00:00", "hand_over": nine},
                [("01-23 09:00", 1), ("01-24 09:00", 2), ("01-25 09:00", 1)],
            ),
            (
                {"rotation": daily, "starts_at": "2026-01-24T06:00:00", "hand_over": nine},
                [("01-24 06:00", 1), ("01-24 09:00", 2), ("01-25 09:00", 1)],
            ),
            (
                {
                    "rotation": rotation("hours", 12),
                    "starts_at": "2026-01-25T08:00:00",
                    "hand_over": clock("08:00"),
                },
                [("01-25 08:00", 1), ("01-25 20:00", 2)],
            ),
            ({"users": [[1], [2], []], "hand_over": monday, "first_turn": 2}, [("01-12 09:00", 1), ("01-19 09:00", 2)]),
            (
                {"users": [[1, 2], [3]], "hand_over": monday},
                [("01-05 09:00", 1), ("01-05 09:00", 2), ("01-12 09:00", 3), ("01-19 09:00", 1), ("01-19 09:00", 2)],
            ),
            ({"users": []}, []),
        ]

        for layer, expected in cases:
            with self.subTest(layer):
                self.assertEqual(edges(spec("UTC", layer), "2026-01-01T00:00", "2026-01-26T08:00"), expected)

    def test_it_clamps_months(self) -> None:
        month = {
            "rotation": rotation("months"),
            "users": [[1], [2], [3]],
            "hand_over": clock("09:00"),
        }

        ends = edges(spec("UTC", {**month, "starts_at": "2027-10-31T09:00:00"}), "2027-10-01T00:00", "2028-05-01T00:00")
        leap = {"rotation": rotation("months", 12), "hand_over": clock("00:00")}
        years = edges(spec("UTC", {**leap, "starts_at": "2024-02-29T00:00:00"}), "2024-01-01T00:00", "2028-12-01T00:00")

        self.assertEqual(
            [edge[:5] for edge, _ in ends], ["10-31", "11-30", "12-31", "01-31", "02-29", "03-31", "04-30"]
        )
        self.assertEqual([edge[:5] for edge, _ in years], ["02-29", "02-28", "02-28", "02-28", "02-29"])

    def test_it_lets_later_layers_win_while_they_have_somebody(self) -> None:
        night = {"users": [[9]], "restrictions": [{"weekdays": [2], "from": "22:00", "to": "06:00"}]}

        found = edges(spec("UTC", {"users": [[1]]}, night), "2026-01-07T00:00", "2026-01-09T00:00")

        self.assertEqual(found, [("01-07 00:00", 1), ("01-07 22:00", 9), ("01-08 06:00", 1)])

    @reported_failure(2)
    def test_it_counts_by_calendar_or_by_active_turns(self) -> None:
        weekdays = [{"weekdays": [0, 1, 2, 3, 4], "from": "09:00", "to": "24:00"}]
        three = {
            "users": [[1], [2], [3]],
            "rotation": rotation("days"),
            "starts_at": "2026-01-05T00:00:00",
            "hand_over": clock("00:00"),
            "restrictions": weekdays,
        }

        by = {
            advance: [
                user
                for _, user in edges(spec("UTC", {**three, "advance": advance}), "2026-01-05T00:00", "2026-01-20T00:00")
            ]
            for advance in ("calendar", "active")
        }

        self.assertEqual(by["calendar"], [1, 2, 3, 1, 2, 2, 3, 1, 2, 3, 3])
        self.assertEqual(by["active"], [1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2])

    def test_it_joins_restrictions_that_meet_at_midnight(self) -> None:
        weekend = [
            {"weekdays": [4], "from": "17:00", "to": "24:00"},
            {"weekdays": [5, 6], "from": "00:00", "to": "24:00"},
            {"weekdays": [0], "from": "00:00", "to": "09:00"},
        ]

        found = shifts(
            spec("UTC", {"users": [[1]], "restrictions": weekend}), at("2026-01-06T00:00"), at("2026-01-14T00:00")
        )

        self.assertEqual(found, [Shift(1, "L0", None, at("2026-01-09T17:00"), at("2026-01-12T09:00"))])


class ManyLayersTests(SimpleTestCase):
    def setUp(self) -> None:
        times = [f"{minute // 60:02}:{minute % 60:02}" for minute in range(24 * 60)]
        layers = []
        for number in range(30):
            minutes = range(number, 24 * 60 - 1, 29)
            hours = [{"weekdays": list(range(7)), "from": times[one], "to": times[one + 1]} for one in minutes]
            layers.append({"users": [[number], [number + 100]], "restrictions": hours})
        self.spec = spec("Europe/Zurich", *layers)
        self.start, self.end = at("2026-03-28T22:00"), at("2026-03-29T04:00")

    def test_it_walks_as_it_answers_for_one_instant(self) -> None:
        walked = list(segments(self.spec, self.start, self.end))

        for one in walked:
            self.assertEqual(people_at(self.spec, one.since).people, one.people)
            self.assertLessEqual(one.until, people_at(self.spec, one.since).until)

    def test_it_asks_a_layer_once_per_change_of_that_layer(self) -> None:
        asked = LayerSpec.segment
        with mock.patch.object(LayerSpec, "segment", autospec=True, side_effect=asked) as segment:
            walked = list(segments(self.spec, self.start, self.end))

        self.assertGreater(len(walked), 100)
        self.assertLess(segment.call_count, 3 * len(walked))

    def test_it_ends_where_too_much_changes(self) -> None:
        whole = rendered(self.spec, self.start, self.end, 100_000)
        part = rendered(self.spec, self.start, self.end, 50)

        self.assertEqual(whole.shifts, shifts(self.spec, self.start, self.end))
        self.assertEqual(whole.gaps, gaps(self.spec, self.start, self.end))
        self.assertEqual(whole.until, self.end)
        self.assertLess(part.until, self.end)
        self.assertTrue(all(one.ends_at <= part.until for one in (*part.shifts, *part.gaps)))


class ClockChangeTests(SimpleTestCase):
    @reported_failure(1)
    def test_it_keeps_hand_overs_at_the_clock(self) -> None:
        # zone, hand-over, the week's start and end in UTC, its hours
        cases = [
            ("Europe/Berlin", "09:00", "2026-03-23T08:00", "2026-03-30T07:00", 167),
            ("Europe/Berlin", "09:00", "2026-10-19T07:00", "2026-10-26T08:00", 169),
            ("America/New_York", "09:00", "2026-03-02T14:00", "2026-03-09T13:00", 167),
            ("Australia/Lord_Howe", "09:00", "2026-03-29T22:00", "2026-04-05T22:30", 168.5),
            ("America/Santiago", "00:00", "2026-08-31T04:00", "2026-09-07T03:00", 167),
            ("Europe/Istanbul", "09:00", "2026-10-19T06:00", "2026-10-26T06:00", 168),
        ]

        for zone, time, start, end, hours in cases:
            with self.subTest(zone, start=start):
                layer = {"starts_at": f"2026-01-05T{time}:00", "hand_over": {"time": time, "weekday": 0}}
                found = shifts(spec(zone, layer), at(start), at(end))

                self.assertEqual(len(found), 1)
                self.assertEqual(people_at(spec(zone, layer), at(start)).since, at(start))
                self.assertEqual(people_at(spec(zone, layer), at(start)).until, at(end))
                self.assertEqual((at(end) - at(start)) / dt.timedelta(hours=1), hours)

    @reported_failure(1)
    def test_it_moves_a_skipped_hand_over_on_and_takes_a_repeated_one_first(self) -> None:
        # zone, time of day, day, when the hand-over is in UTC
        cases = [
            ("Europe/Berlin", "02:30", "2026-03-29", "2026-03-29T01:30"),  # 03:30 by the clock
            ("Europe/Berlin", "02:30", "2026-10-25", "2026-10-25T00:30"),  # the first 02:30
            ("America/New_York", "02:30", "2026-03-08", "2026-03-08T07:30"),
            ("America/New_York", "01:30", "2026-11-01", "2026-11-01T05:30"),
            ("Australia/Lord_Howe", "02:15", "2026-10-04", "2026-10-03T15:45"),  # 02:45
            ("Australia/Lord_Howe", "01:45", "2026-04-05", "2026-04-04T14:45"),
            ("America/Santiago", "00:00", "2026-09-06", "2026-09-06T04:00"),  # 01:00
        ]

        for zone, time, day, expected in cases:
            with self.subTest(zone, day=day):
                start = dt.date.fromisoformat(day) - dt.timedelta(days=4)
                layer = {
                    "rotation": rotation("days"),
                    "starts_at": f"{start}T{time}:00",
                    "hand_over": clock(time),
                }
                found = shifts(
                    spec(zone, layer),
                    at(f"{start}T00:00") - dt.timedelta(days=1),
                    at(f"{day}T00:00") + dt.timedelta(days=3),
                )

                self.assertIn(at(expected), [one.starts_at for one in found])
                self.assertTrue(all(one.ends_at == following.starts_at for one, following in pairwise(found)))

    @reported_failure(1)
    def test_it_has_no_turn_on_a_day_that_was_lost(self) -> None:
        layer = {
            "users": [[1], [2], [3], [4]],
            "rotation": rotation("days"),
            "starts_at": "2011-12-28T09:00:00",
            "hand_over": clock("09:00"),
        }

        found = edges(spec("Pacific/Apia", layer), "2011-12-28T00:00", "2012-01-02T00:00")

        self.assertEqual(
            found, [("12-28 19:00", 1), ("12-29 19:00", 2), ("12-30 19:00", 4), ("12-31 19:00", 1), ("01-01 19:00", 2)]
        )

    @reported_failure(1)
    def test_it_lets_hourly_turns_follow_the_clock(self) -> None:
        layer = {
            "users": [[1], [2], [3]],
            "rotation": rotation("hours"),
            "starts_at": "2026-03-28T00:00:00",
            "hand_over": clock("00:00"),
        }

        spring = edges(spec("Europe/Berlin", layer), "2026-03-29T00:00", "2026-03-29T04:00")
        autumn = edges(spec("Europe/Berlin", layer), "2026-10-24T23:00", "2026-10-25T03:00")

        self.assertEqual([one[0] for one in spring], ["03-29 00:00", "03-29 01:00", "03-29 02:00", "03-29 03:00"])
        self.assertEqual([one[1] for one in spring], [2, 1, 2, 3])  # 02:00 and its turn are skipped
        self.assertEqual([one[0] for one in autumn], ["10-24 23:00", "10-25 00:00", "10-25 02:00"])

    def test_it_tiles_time(self) -> None:
        layer = {
            "users": [[1], [2], []],
            "rotation": rotation("hours", 5),
            "hand_over": clock("02:30"),
            "restrictions": [{"weekdays": [0, 3, 6], "from": "23:30", "to": "02:30"}],
        }
        for zone in ("Europe/Berlin", "Australia/Lord_Howe", "Africa/Cairo"):
            found = spec(zone, layer)
            start, end = at("2026-03-01T00:00"), at("2026-11-15T00:00")

            parts = sorted(
                [(one.starts_at, one.ends_at) for one in (*shifts(found, start, end), *gaps(found, start, end))]
            )

            self.assertEqual((parts[0][0], parts[-1][1]), (start, end))
            self.assertTrue(all(before[1] == after[0] for before, after in pairwise(parts)))

    def test_it_resolves_by_the_first_occurrence_unless_told(self) -> None:
        zone, wall = ZoneInfo("Europe/Berlin"), dt.datetime.fromisoformat("2026-10-25T02:30")

        self.assertEqual(resolve(wall, zone), at("2026-10-25T00:30"))
        self.assertEqual(resolve(wall.replace(fold=1), zone), at("2026-10-25T01:30"))
