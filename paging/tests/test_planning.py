import datetime as dt
from typing import Any

from django.test import SimpleTestCase

from core.severity import Severity
from paging.planning import Cursor, Facts, Person, advance, plan
from responders.policies import Hours, Policy, policy_of, sentence_of, step_of

MONDAY = dt.datetime(2027, 3, 1, 10, 0, tzinfo=dt.UTC)
ANA, BEN, CAT = Person(1, "Ana", "on call"), Person(2, "Ben", "on call"), Person(3, "Cat", "member")
OFFICE = {"business_hours": {"time_zone": "UTC", "weekdays": [0, 1, 2, 3, 4], "from": "08:00", "to": "18:00"}}
PRIMARY, SECOND, EMPTY = ({"kind": "schedule", "id": number} for number in (1, 2, 3))
TEAM, DIRECT, ROOM = {"kind": "team", "id": 1}, {"kind": "user", "id": 2}, {"kind": "channel", "id": 9}


def facts_at(minutes: int, severity: int = Severity.HIGH, start: dt.datetime = MONDAY, **more: Any) -> Facts:
    """Ana on call in the first schedule, Ben in the second, Cat and Ben in the team, a room."""
    return Facts(
        at=start + dt.timedelta(minutes=minutes),
        severity=severity,
        on_call={1: [ANA], 2: [BEN], 3: []},
        on_call_next={1: [BEN], 2: [], 3: []},
        members={1: [CAT, BEN]},
        people={person.id: person for person in (ANA, BEN, CAT)},
        rooms={("channel", 9): "Ops room"},
        **more,
    )


def step(*targets: dict[str, Any], delay: int = 0, **more: Any) -> dict[str, Any]:
    return {"delay_minutes": delay, "targets": list(targets), **more}


def happens(policy: dict[str, Any], **facts: Any) -> list[tuple[int, int | None, str]]:
    """When, by which step, and who: names, `-` for a skipped step, `!` for an alarm."""
    return [
        (
            one.after_minutes,
            one.step,
            " ".join(who.name for who in one.outcome.recipients)
            + ("" if one.outcome.recipients else "-")
            + ("!" if one.outcome.is_alarm else ""),
        )
        for one in plan(policy_of(policy), lambda minutes: facts_at(minutes, **facts))
    ]


# what: policy, further facts, what happens
PLANS: dict[str, tuple[dict[str, Any], dict[str, Any], list[tuple[int, int | None, str]]]] = {
    "one step waits five minutes": ({"steps": [step(PRIMARY)]}, {}, [(0, 1, "Ana"), (5, None, "-!")]),
    "delays are relative": (
        {"steps": [step(PRIMARY, delay=2), step(SECOND, delay=5), step(TEAM, delay=10)]},
        {},
        [(2, 1, "Ana"), (7, 2, "Ben"), (17, 3, "Cat Ben"), (27, None, "-!")],
    ),
    "an empty step takes no time": (
        {"steps": [step(EMPTY), step(SECOND, delay=30)]},
        {},
        [(0, 1, "-"), (0, 2, "Ben"), (30, None, "-!")],
    ),
    "only the first delay is waited before an empty step": (
        {"steps": [step(EMPTY, delay=3), step(SECOND, delay=30)]},
        {},
        [(3, 1, "-"), (3, 2, "Ben"), (33, None, "-!")],
    ),
    "all empty gives up at once, and is not repeated": (
        {"steps": [step(EMPTY), step(EMPTY, delay=9)], "repeat": 3},
        {},
        [(0, 1, "-"), (0, 2, "-"), (0, None, "-!")],
    ),
    "an empty step pages another": ({"steps": [step(EMPTY, if_empty=DIRECT)]}, {}, [(0, 1, "Ben"), (5, None, "-!")]),
    "an empty step in place of an empty one": (
        {"steps": [step(EMPTY, if_empty={"kind": "schedule", "id": 3}), step(PRIMARY, delay=5)]},
        {},
        [(0, 1, "-"), (0, 2, "Ana"), (5, None, "-!")],
    ),
    "an empty step raises the alarm": (
        {"steps": [step(EMPTY, if_empty="alarm"), step(PRIMARY, delay=5)]},
        {},
        [(0, 1, "-!"), (0, 2, "Ana"), (5, None, "-!")],
    ),
    "repeats wait as long as the longest step": (
        {"steps": [step(PRIMARY), step(SECOND, delay=7)], "repeat": 1},
        {},
        [(0, 1, "Ana"), (7, 2, "Ben"), (14, 1, "Ana"), (21, 2, "Ben"), (28, None, "-!")],
    ),
    "the wait is set": (
        {"steps": [step(PRIMARY)], "repeat": 1, "wait_minutes": 2},
        {},
        [(0, 1, "Ana"), (2, 1, "Ana"), (4, None, "-!")],
    ),
    "the end pages people": (
        {"steps": [step(PRIMARY)], "on_exhausted": [DIRECT]},
        {},
        [(0, 1, "Ana"), (5, None, "Ben!")],
    ),
    "a person once, a room too": (
        {"steps": [step(SECOND, TEAM, ROOM)]},
        {},
        [(0, 1, "Ben Cat Ops room"), (5, None, "-!")],
    ),
    "in turn": (
        {"steps": [step(TEAM, strategy="round_robin")], "repeat": 2},
        {},
        [(0, 1, "Cat"), (5, 1, "Ben"), (10, 1, "Cat"), (15, None, "-!")],
    ),
    "in turn, after who was last": (
        {"steps": [step(TEAM, strategy="round_robin")]},
        {"turns": {0: 3}},
        [(0, 1, "Ben"), (5, None, "-!")],
    ),
    "in turn, when who was last is gone": (
        {"steps": [step(TEAM, strategy="round_robin")]},
        {"turns": {0: 77}},
        [(0, 1, "Cat"), (5, None, "-!")],
    ),
    "next on call": ({"steps": [step(PRIMARY, strategy="next")]}, {}, [(0, 1, "Ben"), (5, None, "-!")]),
    "too low": (
        {"steps": [step(PRIMARY, only_in={"min_severity": "critical"}), step(SECOND, delay=5)]},
        {},
        [(0, 1, "-"), (0, 2, "Ben"), (5, None, "-!")],
    ),
    "high enough": (
        {"steps": [step(PRIMARY, only_in={"min_severity": "critical"})]},
        {"severity": Severity.CRITICAL},
        [(0, 1, "Ana"), (5, None, "-!")],
    ),
    "within hours": ({"steps": [step(PRIMARY, only_in=OFFICE)]}, {}, [(0, 1, "Ana"), (5, None, "-!")]),
    "outside of hours": (
        {"steps": [step(PRIMARY, only_in=OFFICE), step(SECOND)]},
        {"start": MONDAY + dt.timedelta(hours=12)},
        [(0, 1, "-"), (0, 2, "Ben"), (5, None, "-!")],
    ),
    "hidden from somebody": (
        {"steps": [step(PRIMARY, SECOND)]},
        {"hidden_from": frozenset({1})},
        [(0, 1, "Ben"), (5, None, "-!")],
    ),
    "hidden from all": (
        {"steps": [step(PRIMARY), step(SECOND, delay=5)]},
        {"hidden_from": frozenset({1})},
        [(0, 1, "-"), (0, 2, "Ben"), (5, None, "-!")],
    ),
    "no steps": ({"steps": []}, {}, [(0, None, "-!")]),
}


class PlanTests(SimpleTestCase):
    def test_it_plans_each_policy(self) -> None:
        for name, (policy, facts, expected) in PLANS.items():
            with self.subTest(name):
                self.assertEqual(happens(policy, **facts), expected)

    def test_it_says_why_somebody_is_left_out(self) -> None:
        policy = policy_of({"steps": [step(PRIMARY)]})

        found = plan(policy, lambda minutes: facts_at(minutes, hidden_from=frozenset({1})))[0]

        self.assertEqual(found.outcome.skipped, "nobody to page in schedule 1 (Ana cannot see the restricted incident)")

    def test_it_ends_however_long_the_policy(self) -> None:
        policy = policy_of({"steps": [step(PRIMARY)] * 50, "repeat": 20})

        self.assertEqual(len(plan(policy, facts_at, most=60)), 60)

    def test_it_advances_past_the_last_step_only_to_the_end(self) -> None:
        policy = Policy(steps=(step_of(step(PRIMARY)),))

        self.assertEqual(advance(policy, Cursor(), is_paged=True), (Cursor(1, 0, True), 5))
        self.assertEqual(advance(policy, Cursor(), is_paged=False), (Cursor(1, 0, False), 0))


class SentenceTests(SimpleTestCase):
    def test_it_says_each_step(self) -> None:
        primary = {**PRIMARY, "name": "Primary"}
        sentences = {
            "Page everybody on call in Primary.": step(primary),
            "Wait 1 h 30 min, then page everybody on call in Primary.": step(primary, delay=90),
            "Wait 5 min, then page one of Primary, in turn.": step(primary, delay=5, strategy="round_robin"),
            "Page who is on call next in Primary; if that is nobody, raise the alarm.": step(
                primary, strategy="next", if_empty="alarm"
            ),
            "Page everybody on call in Primary, only in Mon–Fri 08:00–18:00 UTC.": step(primary, only_in=OFFICE),
            "Page everybody on call in Primary, only for severity critical.": step(
                primary, only_in={"min_severity": "critical"}
            ),
            "Page schedule 1 (shout).": step(PRIMARY, strategy="shout"),
        }
        for sentence, values in sentences.items():
            with self.subTest(sentence):
                self.assertEqual(sentence_of(step_of(values)), sentence)


class HoursTests(SimpleTestCase):
    def test_it_knows_its_hours(self) -> None:
        night = Hours("Europe/Zurich", (4,), "22:00", "06:00")  # Friday night
        day = Hours("Europe/Zurich", (0,), "08:00", "24:00")
        moments = [
            (night, "2027-03-05T22:30", True),
            (night, "2027-03-06T04:30", True),
            (night, "2027-03-06T05:30", False),
            (night, "2027-03-04T23:30", False),
            (day, "2027-03-01T22:30", True),
            (day, "2027-03-01T23:30", False),
            (day, "2027-03-01T06:30", False),
        ]
        for hours, moment, expected in moments:
            with self.subTest(f"{hours} at {moment}"):
                self.assertEqual(hours.include(dt.datetime.fromisoformat(f"{moment}+00:00")), expected)

    def test_it_knows_when_they_next_begin(self) -> None:
        hours = Hours("Europe/Zurich", (0, 1), "08:00", "18:00")

        self.assertEqual(hours.next_opening(MONDAY), dt.datetime(2027, 3, 2, 7, tzinfo=dt.UTC))
        self.assertEqual(hours.next_opening(MONDAY + dt.timedelta(days=1)), dt.datetime(2027, 3, 8, 7, tzinfo=dt.UTC))
