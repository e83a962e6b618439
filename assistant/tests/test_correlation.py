"""Which change is to blame: by time, service, kind and words, and by the bar on planted culprits."""

import datetime as dt

from django.test import SimpleTestCase

from assistant.correlation import ChangeFacts, ChangeKind, Trouble, kind_of, rank_changes
from assistant.tests.scenarios import make_scenario

START = dt.datetime(2026, 6, 1, 12, 0, tzinfo=dt.UTC)
TROUBLE = Trouble(
    START, frozenset({1}), frozenset({frozenset({"payment"})}), frozenset({"payment", "pool", "connection", "fail"})
)
SCENARIOS = 400
KINDS = [
    ("Deploy payments 4.2.0", ChangeKind.DEPLOY),
    ("Raise timeout of payments to 30 s", ChangeKind.CONFIGURATION),
    ("Add an index to the ledger", ChangeKind.SCHEMA),
    ("Upgraded kernel on node 7", ChangeKind.INFRASTRUCTURE),
    ("Deploy docs of payments", ChangeKind.HARMLESS),
    ("Something else", ChangeKind.OTHER),
]


def change(id: int, minutes: float, *, service: int | None = None, summary: str = "Deploy 4.2") -> ChangeFacts:
    """A change so many minutes before the start."""
    return ChangeFacts(id, summary, START - dt.timedelta(minutes=minutes), service)


def ids(*changes: ChangeFacts, trouble: Trouble = TROUBLE) -> list[int]:
    return [one.change.id for one in rank_changes(trouble, changes)]


class RankChangesTests(SimpleTestCase):
    def test_it_prefers_the_service_concerned_to_what_is_nearer(self) -> None:
        self.assertEqual(ids(change(1, 2, service=2), change(2, 40, service=1))[0], 2)

    def test_it_prefers_the_nearer_of_the_same_service(self) -> None:
        self.assertEqual(ids(change(1, 300, service=1), change(2, 20, service=1)), [2, 1])

    def test_it_knows_a_service_by_its_name(self) -> None:
        self.assertEqual(ids(change(1, 5), change(2, 30, summary="Deploy payments 4.2"))[0], 2)

    def test_it_prefers_a_change_that_speaks_of_the_same(self) -> None:
        self.assertEqual(ids(change(1, 20), change(2, 30, summary="Raise connection pool limits"))[0], 2)

    def test_it_makes_nothing_of_counts_and_days(self) -> None:
        trouble = Trouble(START, frozenset(), frozenset(), frozenset({"12", "1", "502", "pool"}))

        told = {
            one.change.id: one.words
            for one in rank_changes(trouble, [change(1, 5, summary="Deploy 12"), change(2, 5, summary="Answer 502")])
        }

        self.assertEqual(told, {1: (), 2: ("502",)})

    def test_it_holds_nothing_against_what_is_harmless_or_came_later(self) -> None:
        late, early = change(1, -30, service=1), change(3, 60 * 25, service=1)

        found = ids(
            late, change(2, 3, service=1, summary="Fix typo in docs of payments"), early, change(4, 50, service=1)
        )

        self.assertEqual(found[0], 4)
        self.assertNotIn(1, found)
        self.assertNotIn(3, found)

    def test_it_says_nothing_where_only_others_changed(self) -> None:
        self.assertEqual(ids(*(change(number, 90 * number, service=2) for number in range(1, 9))), [])
        self.assertEqual(ids(), [])

    def test_it_is_less_sure_among_rivals(self) -> None:
        [alone] = rank_changes(TROUBLE, [change(1, 10, service=1)])
        among, *_others = rank_changes(TROUBLE, [change(number, 10 + number, service=1) for number in range(4)])

        self.assertGreater(alone.confidence, 0.6)
        self.assertLess(among.confidence, 0.4)

    def test_it_tells_kinds_by_their_words(self) -> None:
        for summary, expected in KINDS:
            with self.subTest(summary):
                self.assertEqual(kind_of(summary)[0], expected)


class PlantedCulpritTests(SimpleTestCase):
    def test_it_names_culprits_among_twenty_changes(self) -> None:
        places, newest = [], 0
        for seed in range(SCENARIOS):
            scenario = make_scenario(seed)
            found = [one.change.id for one in rank_changes(scenario.trouble, scenario.changes)]
            places.append(found.index(scenario.culprit) if scenario.culprit in found else 99)
            before = [one for one in scenario.changes if one.at <= scenario.trouble.start]
            newest += max(before, key=lambda one: one.at).id == scenario.culprit

        first, among_three = (sum(place < most for place in places) / SCENARIOS for most in (1, 3))
        self.assertGreaterEqual(first, 0.8)
        self.assertGreaterEqual(among_three, 0.95)
        self.assertLess(newest / SCENARIOS, 0.4)  # else recency alone would do
