"""Every state of an alert × every action × every relation of times, in one table."""

import datetime as dt
import itertools

from django.test import SimpleTestCase
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alerts.tests.factories import Snapshot
from alerts.transitions import (
    FLAP_CHANGES,
    FLAP_SECONDS,
    Transition,
    is_flapping,
    next_state,
    with_change,
)
from alerts.updates import Action, AlertUpdate
from alerts.vocabulary import AlertStatus, Ending

# Tests share the machine with others.
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
TIMES = {"none": None, "earlier": NOON - HOUR, "same": NOON, "later": NOON + HOUR}
STATES = {
    "unknown": None,
    "firing": Snapshot(AlertStatus.FIRING, NOON),
    "ended": Snapshot(AlertStatus.RESOLVED, NOON, NOON + HOUR / 2, Ending.SENDER),
    "expired": Snapshot(AlertStatus.RESOLVED, NOON, NOON + HOUR / 2, Ending.EXPIRY),
}
# By state and action: what a message means whose beginning is not told, earlier, the same, later than the known one.
TABLE = {
    ("unknown", "fire"): "NEW NEW NEW NEW",
    ("unknown", "resolve"): "NOTHING ENDED_UNSEEN ENDED_UNSEEN ENDED_UNSEEN",
    ("unknown", "expire"): "NOTHING ENDED_UNSEEN ENDED_UNSEEN ENDED_UNSEEN",
    ("firing", "fire"): "REPEATED REPEATED REPEATED REFIRED",
    ("firing", "resolve"): "RESOLVED STALE RESOLVED RESOLVED",
    ("firing", "expire"): "RESOLVED STALE RESOLVED RESOLVED",
    ("ended", "fire"): "REFIRED STALE STALE REFIRED",
    ("ended", "resolve"): "NOTHING NOTHING NOTHING ENDED_UNSEEN",
    ("ended", "expire"): "NOTHING NOTHING NOTHING NOTHING",
    ("expired", "fire"): "REFIRED STALE REFIRED REFIRED",
    ("expired", "resolve"): "NOTHING NOTHING ENDED_UNSEEN ENDED_UNSEEN",
    ("expired", "expire"): "NOTHING NOTHING NOTHING NOTHING",
}


def message(action: str, starts_at: dt.datetime | None, ends_at: dt.datetime | None = None) -> AlertUpdate:
    """A message; `expire` is an end that nobody told."""
    told = Action.FIRE if action == "fire" else Action.RESOLVE
    return AlertUpdate("Disk full", told, starts_at=starts_at, ends_at=ends_at, is_expiry=action == "expire")


class FoldTests(SimpleTestCase):
    def test_it_follows_the_table(self) -> None:
        found = {
            (state, action): " ".join(next_state(STATES[state], message(action, at)).name for at in TIMES.values())
            for state, action in TABLE
        }

        self.assertEqual(found, TABLE)
        self.assertEqual(set(TABLE), set(itertools.product(STATES, ("fire", "resolve", "expire"))))

    def test_it_tells_a_late_end_by_its_end_where_no_beginning_is_told(self) -> None:
        ends = {name: next_state(STATES["firing"], message("resolve", None, at)).name for name, at in TIMES.items()}

        self.assertEqual(ends, {"none": "RESOLVED", "earlier": "STALE", "same": "RESOLVED", "later": "RESOLVED"})

    @PATIENT
    @given(st.lists(st.tuples(st.sampled_from(["fire", "resolve"]), st.integers(0, 3)), max_size=12), st.randoms())
    def test_it_comes_to_the_same_end_in_any_order_where_times_are_told(self, told, random) -> None:
        last = max((number for _, number in told), default=0)
        told = [*told, ("fire", last)]
        is_over = ("resolve", last) in told
        random.shuffle(told)

        status, starts_at = replayed(told)

        self.assertEqual((status, starts_at), (AlertStatus.RESOLVED if is_over else AlertStatus.FIRING, moment(last)))

    @PATIENT
    @given(st.lists(st.tuples(st.sampled_from(["fire", "resolve"]), st.integers(0, 3)), min_size=1, max_size=12))
    def test_it_changes_nothing_when_everything_is_told_twice(self, told) -> None:
        self.assertEqual(replayed(told), replayed([*told, *told]))
        self.assertEqual(replayed(told), replayed([one for one in told for _ in range(2)]))


def moment(number: int) -> dt.datetime:
    """The beginning of the firing of this number."""
    return NOON + number * HOUR


def replayed(told: list[tuple[str, int]]) -> tuple[AlertStatus | None, dt.datetime | None]:
    """Where messages with these beginnings lead, in this order, as `applying` writes what they mean."""
    known: Snapshot | None = None
    for action, number in told:
        outcome = next_state(known, message(action, moment(number)))
        if outcome in (Transition.NEW, Transition.REFIRED):
            known = Snapshot(AlertStatus.FIRING, moment(number))
        elif outcome in (Transition.RESOLVED, Transition.ENDED_UNSEEN):
            start = max(known.starts_at, moment(number)) if known else moment(number)
            known = Snapshot(AlertStatus.RESOLVED, start, None, Ending.SENDER)
    return (known.status, known.starts_at) if known else (None, None)


class FlappingTests(SimpleTestCase):
    def changes(self, *seconds: float) -> list[int]:
        """The changes kept of an alert that changed at these moments."""
        kept: list[int] = []
        for second in seconds:
            kept = with_change(kept, NOON + dt.timedelta(seconds=second))
        return kept

    def test_it_keeps_as_many_changes_as_matter(self) -> None:
        kept = self.changes(*range(0, 5000, 100))

        self.assertEqual(len(kept), FLAP_CHANGES)
        self.assertEqual(kept, sorted(kept))

    def test_it_tells_flapping_by_number_and_time(self) -> None:
        cases = {
            (0, 1, 2, 3, 4): False,
            (0, 1, 2, 3, 4, 5): True,
            (0, 1, 2, 3, 4, FLAP_SECONDS - 1): True,
            (0, 1, 2, 3, 4, FLAP_SECONDS): False,
            (0, 0, 0, 0, 0, 0): True,
        }

        found = {at: is_flapping(self.changes(*at), NOON + dt.timedelta(seconds=at[-1])) for at in cases}

        self.assertEqual(found, cases)

    def test_it_is_calm_later(self) -> None:
        kept = self.changes(*range(6))

        found = [
            is_flapping(kept, NOON + dt.timedelta(seconds=second)) for second in (5, FLAP_SECONDS - 1, FLAP_SECONDS)
        ]

        self.assertEqual(found, [True, True, False])
