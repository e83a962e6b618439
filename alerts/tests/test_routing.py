"""Routes in their order, groups, and silences by the clock."""

import datetime as dt
import itertools
import zoneinfo

from django.test import SimpleTestCase
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alerts.matching import Matcher, matchers_from
from alerts.routing import RouteSpec, SilenceSpec, alert_key, choose_route, group_key, silence_for

# Tests share the machine with others.
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
LABELS = st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=4)


def matchers(**values: str) -> tuple[Matcher, ...]:
    """Matchers that compare for equality."""
    return tuple(matchers_from([{"name": name, "op": "=", "value": value} for name, value in values.items()]))


def rule(number: int, *, when: dict[str, str] | None = None, **fields: object) -> RouteSpec:
    """A route with this id."""
    return RouteSpec(number, f"Route {number}", matchers(**(when or {})), **fields)  # type: ignore[arg-type]


class DecisionTests(SimpleTestCase):
    def test_it_takes_the_first_that_matches(self) -> None:
        rules = [rule(1, when={"a": "1"}), rule(2, when={"a": "2"}), rule(3)]

        found = {value: getattr(choose_route(rules, {"a": value}).route, "id", None) for value in "123"}

        self.assertEqual(found, {"1": 1, "2": 2, "3": 3})
        self.assertIsNone(choose_route(rules[:2], {}).route)
        self.assertIsNone(choose_route([], {}).route)

    def test_it_lends_what_is_set_and_leaves_the_rest_to_the_next(self) -> None:
        first = rule(1, go_on=True, team_id=1, severity=4)
        second = rule(2, team_id=2, severity=1, priority=3, service_id=5, category_id=6, group_by=("a",))

        found = choose_route([first, rule(9, when={"a": "1"}, team_id=9), second], {}).route

        assert found is not None
        self.assertEqual((found.id, found.team_id, found.severity, found.priority), (2, 1, 4, 3))
        self.assertEqual((found.service_id, found.category_id, found.group_by), (5, 6, ("a",)))

    def test_it_decides_by_itself_when_nothing_follows(self) -> None:
        rules = [rule(1, go_on=True, team_id=1), rule(2, go_on=True, team_id=2, severity=3), rule(3, when={"a": "1"})]

        found = choose_route(rules, {}).route

        assert found is not None
        self.assertEqual((found.id, found.team_id, found.severity), (2, 1, 3))

    def test_it_drops_at_once(self) -> None:
        rules = [rule(1, go_on=True, team_id=1), rule(2, is_drop=True, go_on=True, when={"a": "1"}), rule(3)]

        self.assertEqual([choose_route(rules, {"a": value}).is_drop for value in "12"], [True, False])

    def test_it_tells_why_earlier_ones_do_not_match(self) -> None:
        rules = [rule(1, when={"a": "1"}), rule(2, when={"a": "2"}), rule(3, when={"a": "1"})]

        decision = choose_route(rules, {"a": "2"}, explain=True)

        self.assertEqual([(one.id, why) for one, why in decision.passed], [(1, 'a is "2", and must be = "1".')])
        self.assertEqual(choose_route(rules, {"a": "2"}).passed, ())


class GroupTests(SimpleTestCase):
    def key(self, labels: dict[str, str], **fields: object) -> str:
        """The key of a group of source 1 without a route."""
        return group_key(**{"source_id": 1, "route": None, "alert_key": "k", **fields}, labels=labels)  # type: ignore[arg-type]

    def test_it_tells_values_apart_letter_for_letter(self) -> None:
        values = [
            "DB-Disk",
            "db-disk",
            "Zürich",
            "Zurich",
            "Zu\u0308rich",
            "",
            " ",
            '"',
            "'",
            '", "b": "',
            "\\",
            "\\\\",
            "\n",
            "null",
        ]

        keys = {self.key({"a": value}) for value in values}

        self.assertEqual(len(keys), len(values))

    def test_it_tells_names_from_values(self) -> None:
        labels = [
            {"a": "b", "c": "d"},
            {"a": "b,c", "": "d"},
            {"a": 'b", "c', "d": ""},
            {"a": "d", "c": "b"},
            {"ab": "cd"},
        ]

        self.assertEqual(len({self.key(one) for one in labels}), len(labels))

    @PATIENT
    @given(LABELS, st.randoms())
    def test_it_does_not_mind_the_order(self, labels, random) -> None:
        items = list(labels.items())
        random.shuffle(items)

        self.assertEqual(self.key(dict(items)), self.key(labels))

    @PATIENT
    @given(LABELS, LABELS)
    def test_it_gives_other_labels_another_key(self, one, other) -> None:
        self.assertEqual(self.key(one) == self.key(other), one == other)

    def test_it_keeps_sources_routes_and_alerts_apart(self) -> None:
        plain, grouping = rule(7), rule(7, group_by=("a",))
        labels = {"a": "1"}
        cases = {
            "source": self.key(labels),
            "other source": self.key(labels, source_id=2),
            "route": self.key(labels, route=plain),
            "other route": self.key(labels, route=rule(8)),
            "grouping route": self.key(labels, route=grouping),
            "alert": self.key({}),
            "other alert": self.key({}, alert_key="l"),
        }

        self.assertEqual(len(set(cases.values())), len(cases))
        self.assertEqual(self.key(labels, route=grouping, source_id=2, alert_key="l"), cases["grouping route"])
        self.assertEqual(self.key(labels, alert_key="l"), cases["source"])

    def test_it_tells_alerts_apart_by_source_and_fingerprint(self) -> None:
        prints = ["a", "A", "a ", "", "\0", "ä", "a\u0308", "\ud800", "x" * 501, "x" * 502]

        keys = {alert_key(source, fingerprint) for source, fingerprint in itertools.product((1, 11), prints)}

        self.assertEqual(len(keys), 2 * len(prints))


def weekly(days: set[int], begin: str, end: str, zone: str = "Europe/Zurich") -> SilenceSpec:
    """A weekly silence of this year."""
    times = {"starts_time": dt.time.fromisoformat(begin), "ends_time": dt.time.fromisoformat(end)}
    year = [dt.datetime(year, 1, 1, tzinfo=dt.UTC) for year in (2026, 2027)]
    return SilenceSpec(1, matchers(a="1"), year[0], year[1], frozenset(days), **times, time_zone=zone)


def active_minutes(quiet: SilenceSpec, first: str, last: str) -> list[tuple[str, int]]:
    """The stretches (begin in UTC, minutes) in which it keeps quiet between two dates."""
    at = dt.datetime.fromisoformat(first).replace(tzinfo=dt.UTC)
    until = dt.datetime.fromisoformat(last).replace(tzinfo=dt.UTC)
    stretches: list[tuple[str, int]] = []
    was = False
    while at < until:
        if is_active := quiet.is_active(at):
            begin, minutes = stretches.pop() if was else (f"{at:%m-%d %H:%M}", 0)
            stretches.append((begin, minutes + 1))
        was = is_active
        at += dt.timedelta(minutes=1)
    return stretches


class SilenceTests(SimpleTestCase):
    def test_it_is_active_from_its_start_until_its_end(self) -> None:
        noon = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
        quiet = SilenceSpec(1, (), noon, noon + dt.timedelta(hours=1))

        found = [quiet.is_active(noon + dt.timedelta(seconds=second)) for second in (-1, 0, 3599, 3600)]

        self.assertEqual(found, [False, True, True, False])

    def test_it_keeps_to_the_clock_on_the_wall_when_summer_time_begins(self) -> None:
        # On Sunday 29 March 2026 in Zurich two o'clock is three; the night is an hour shorter.
        over_night = active_minutes(weekly({5}, "22:00", "06:00"), "2026-03-20", "2026-04-06")
        within = active_minutes(weekly({6}, "01:30", "03:30"), "2026-03-29", "2026-03-30")
        lost = active_minutes(weekly({6}, "02:00", "03:00"), "2026-03-29", "2026-03-30")

        self.assertEqual(over_night, [("03-21 21:00", 480), ("03-28 21:00", 420), ("04-04 20:00", 480)])
        self.assertEqual((within, lost), ([("03-29 00:30", 60)], []))

    def test_it_keeps_to_the_clock_on_the_wall_when_summer_time_ends(self) -> None:
        # On Sunday 25 October 2026 in Zurich three o'clock is two again; the night is an hour longer.
        over_night = active_minutes(weekly({5}, "22:00", "06:00"), "2026-10-16", "2026-11-02")
        twice = active_minutes(weekly({6}, "02:00", "03:00"), "2026-10-25", "2026-10-26")

        self.assertEqual(over_night, [("10-17 20:00", 480), ("10-24 20:00", 540), ("10-31 21:00", 480)])
        self.assertEqual(twice, [("10-25 00:00", 120)])

    def test_it_begins_on_its_day_in_its_zone(self) -> None:
        zones = {
            "Pacific/Auckland": "03-01 11:00",
            "America/Los_Angeles": "03-02 08:00",
            "Asia/Kathmandu": "03-01 18:15",
        }
        zones |= {"UTC": "03-02 00:00", "Australia/Lord_Howe": "03-01 13:00"}

        found = {
            zone: active_minutes(weekly({0}, "00:00", "08:00", zone), "2026-03-01", "2026-03-04") for zone in zones
        }

        self.assertEqual(found, {zone: [(begin, 480)] for zone, begin in zones.items()})

    def test_it_goes_over_midnight_into_days_that_are_not_its_own(self) -> None:
        found = active_minutes(weekly({0, 6}, "23:00", "01:00", "UTC"), "2026-03-01", "2026-03-08")

        self.assertEqual(found, [("03-01 23:00", 120), ("03-02 23:00", 120)])

    def test_it_takes_the_whole_day_where_both_times_are_alike(self) -> None:
        whole = active_minutes(weekly({2}, "00:00", "00:00", "UTC"), "2026-03-01", "2026-03-08")
        from_noon = active_minutes(weekly({2}, "12:00", "12:00", "UTC"), "2026-03-01", "2026-03-08")

        self.assertEqual((whole, from_noon), ([("03-04 00:00", 1440)], [("03-04 12:00", 1440)]))

    def test_it_takes_a_missing_time_for_midnight(self) -> None:
        quiet = weekly({2}, "00:00", "00:00", "UTC")

        until_six = SilenceSpec(**{**vars(quiet), "starts_time": None, "ends_time": dt.time(6)})
        from_six = SilenceSpec(**{**vars(quiet), "starts_time": dt.time(6), "ends_time": None})
        always = SilenceSpec(**{**vars(quiet), "starts_time": None, "ends_time": None})

        stretches = [active_minutes(one, "2026-03-01", "2026-03-08") for one in (until_six, from_six, always)]
        self.assertEqual(stretches, [[("03-04 00:00", 360)], [("03-04 06:00", 1080)], [("03-04 00:00", 1440)]])

    @PATIENT
    @given(st.sampled_from(sorted(zoneinfo.available_timezones())), st.integers(0, 365 * 24 * 60))
    def test_it_is_active_all_week_or_never_in_any_zone(self, zone: str, minute: int) -> None:
        at = dt.datetime(2026, 1, 1, tzinfo=dt.UTC) + dt.timedelta(minutes=minute % (364 * 24 * 60))

        both = [
            weekly(set(range(7)), begin, end, zone).is_active(at)
            for begin, end in (("06:00", "18:00"), ("18:00", "06:00"))
        ]

        self.assertEqual(sorted(both), [False, True])

    def test_it_finds_the_first_that_matches_and_is_active(self) -> None:
        noon = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
        hour = dt.timedelta(hours=1)
        silences = [
            SilenceSpec(1, (), noon, noon + hour),
            SilenceSpec(2, matchers(a="2"), noon, noon + hour),
            SilenceSpec(3, matchers(a="1"), noon - hour, noon),
            SilenceSpec(4, matchers(a="1"), noon, noon + hour),
            SilenceSpec(5, matchers(a="1"), noon, noon + hour),
        ]

        found = silence_for(silences, {"a": "1"}, noon)

        self.assertEqual(found and found.id, 4)
        self.assertIsNone(silence_for(silences, {"a": "1"}, noon + hour))
        self.assertIsNone(silence_for(silences, {}, noon))
