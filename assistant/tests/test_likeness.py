import datetime as dt

from django.test import SimpleTestCase

from assistant.likeness import Comparison, Facts, Query, Rarity, stem, stems
from assistant.vocabulary import ReasonKind
from incidents.search import tokens

NOW = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
STEMS = [
    ("failing", "fail"),
    ("failed", "fail"),
    ("times", "time"),
    ("disks", "disk"),
    ("down", "down"),
    ("db-3", "db-3"),
]
HISTORY = ("checkout is slow", "login is slow", "search is slow", "payroll export failed", "printer on fire") * 20


def words_of(text: str) -> frozenset[str]:
    return frozenset(stems(tokens.split_words(text)))


RARITY = Rarity.of(map(words_of, HISTORY), len(HISTORY))


def facts(id: int, title: str, **more: object) -> Facts:
    return Facts(**{"id": id, "title": title, "at": NOW, "words": words_of(title), **more})  # type: ignore[arg-type]


def score(asked: Facts, other: Facts) -> float:
    return Comparison(asked, Query.of(asked.title, ""), RARITY).compare(other).score


class StemTests(SimpleTestCase):
    def test_it_ignores_endings(self) -> None:
        for word, expected in STEMS:
            with self.subTest(word):
                self.assertEqual(stem(word), expected)


class ComparisonTests(SimpleTestCase):
    def test_it_weighs_rare_words_more(self) -> None:
        asked = facts(1, "Checkout of partners is slow")

        self.assertGreater(score(asked, facts(2, "Partners wait")), score(asked, facts(3, "Search is slow")))

    def test_it_counts_each_sign(self) -> None:
        long_ago = NOW - dt.timedelta(days=90)
        asked = facts(
            1, "Usage at 91 %", groups=frozenset("k"), services=frozenset({1}), labels=frozenset({7}), category=3
        )
        plain = score(asked, facts(2, "Usage of the disk", at=long_ago))
        signs: dict[ReasonKind, dict[str, object]] = {
            ReasonKind.ALERT: {"groups": frozenset("k")},
            ReasonKind.SERVICE: {"services": frozenset({1, 2})},
            ReasonKind.LABELS: {"labels": frozenset({7, 8})},
            ReasonKind.CATEGORY: {"category": 3},
            ReasonKind.TIME: {"at": NOW - dt.timedelta(hours=1)},
        }
        for kind, more in signs.items():
            with self.subTest(kind):
                self.assertGreater(score(asked, facts(2, "Usage of the disk", **{"at": long_ago, **more})), plain)

    def test_it_knows_a_message_with_other_numbers(self) -> None:
        asked = facts(1, "Usage of db-7 at 91 %")
        comparison = Comparison(asked, Query.of(asked.title, ""), RARITY)

        same = comparison.compare(facts(2, "Usage of db-7 at 17 %", at=NOW - dt.timedelta(days=90)))

        self.assertIn(ReasonKind.MESSAGE, same.signs)
        self.assertTrue(same.is_similar)

    def test_it_takes_service_category_and_time_for_no_reason(self) -> None:
        asked = facts(1, "Printer on fire", services=frozenset({1}), category=3)
        other = facts(2, "Payroll export failed", services=frozenset({1}), category=3)

        likeness = Comparison(asked, Query.of(asked.title, ""), RARITY).compare(other)

        self.assertFalse(likeness.is_similar or likeness.is_duplicate)
