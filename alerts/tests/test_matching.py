"""Matchers: operators, whole values, hostile values and patterns."""

from django.test import SimpleTestCase
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alerts.matching import (
    MAX_MATCHERS,
    Matcher,
    MatcherInvalid,
    asks_for_nothing,
    contradiction,
    facts_of,
    first_failing,
    matchers_from,
    parse_lines,
    words_of,
)
from alerts.patterns import LENGTH
from alerts.vocabulary import MatchOperator

# Tests share the machine with others.
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
ODD = [
    "",
    " ",
    "a",
    "A",
    "DB-Disk",
    "db-disk",
    "Zürich",
    "Zurich",
    "Zu\u0308rich",
    '"',
    "'",
    "\\",
    "\n",
    "\0",
    "🔥",
    "a\nb",
    "%",
    "ß",
]


def holds(op: str, value: str, fact: str | None) -> bool:
    """Whether a matcher on the label `x` holds for this value of it; None: the alert has no such label."""
    return Matcher("x", MatchOperator(op), value).matches({} if fact is None else {"x": fact})


class OperatorTests(SimpleTestCase):
    def test_it_compares_letter_for_letter(self) -> None:
        for value in ODD:
            alike = [fact for fact in ODD if holds("=", value, fact)]
            unlike = [fact for fact in ODD if holds("!=", value, fact)]

            self.assertEqual((alike, unlike), ([value], [fact for fact in ODD if fact != value]))

    def test_it_takes_a_missing_label_for_an_empty_one(self) -> None:
        cases = {("=", ""): True, ("!=", ""): False, ("=", "a"): False, ("!=", "a"): True, ("=~", ".*"): True}
        cases |= {("=~", ".+"): False, ("!~", ".+"): True, ("=~", ""): True, ("!~", ""): False, ("=~", "a|"): True}

        self.assertEqual({case: holds(*case, None) for case in cases}, cases)
        self.assertEqual({case: holds(*case, "") for case in cases}, cases)

    def test_it_matches_whole_values_only(self) -> None:
        cases = {
            ("db", "db"): True,
            ("db", "dbx"): False,
            ("db", "xdb"): False,
            ("db.*", "db-1"): True,
            ("a|b", "ab"): False,
            ("a|ab", "ab"): True,
            ("db", "db\n"): False,
            ("^db$", "db"): True,
            ("db$", "db\n"): False,
            (".*", "a\nb"): True,
            ("DB", "db"): False,
            ("(?i)DB", "db"): True,
            (".", "ü"): True,
            ("Z.rich", "Zürich"): True,
            ("Z.rich", "Zu\u0308rich"): False,
        }

        found = {case: holds("=~", *case) for case in cases}

        self.assertEqual(found, cases)
        self.assertEqual({case: holds("!~", *case) for case in cases}, {case: not held for case, held in cases.items()})

    @PATIENT
    @given(st.text(max_size=50), st.text(max_size=50))
    def test_it_says_the_opposite_with_the_opposite_operator(self, value: str, fact: str) -> None:
        self.assertNotEqual(holds("=", value, fact), holds("!=", value, fact))
        self.assertEqual(holds("=", value, fact), value == fact)

    def test_it_looks_at_the_beginning_of_very_long_values(self) -> None:
        self.assertTrue(holds("=~", "a*", "a" * LENGTH + "b"))
        self.assertFalse(holds("=~", "a*", "a" * (LENGTH - 1) + "b"))
        self.assertFalse(holds("=", "a" * LENGTH, "a" * LENGTH + "b"))


class ReadingTests(SimpleTestCase):
    def test_it_reads_what_is_stored(self) -> None:
        stored = [{"name": "service", "op": "=~", "value": "db.*"}, {"name": "severity", "value": "high"}]

        found = matchers_from(stored)

        self.assertEqual(words_of(found), 'service=~"db.*", severity="high"')
        self.assertEqual(matchers_from([]), [])

    def test_it_refuses_anything_else(self) -> None:
        good = {"name": "a", "op": "=", "value": "b"}
        for value in (
            None,
            {},
            "a=b",
            [None],
            ["a=b"],
            [[good]],
            [{}],
            [{**good, "name": ""}],
            [{**good, "name": "a b"}],
            [{**good, "name": "a=b"}],
            [{**good, "name": 1}],
            [{**good, "name": "a" * 201}],
            [{**good, "op": "=="}],
            [{**good, "op": None}],
            [{**good, "value": None}],
            [{**good, "value": 1}],
            [{**good, "value": ["b"]}],
            [{**good, "more": 1}],
            [{**good, "op": "=~", "value": "("}],
            [good] * (MAX_MATCHERS + 1),
            [{**good, "op": []}],
        ):
            with self.subTest(value=str(value)[:60]), self.assertRaises(MatcherInvalid):
                matchers_from(value)


class FactsTests(SimpleTestCase):
    def test_it_lets_severity_and_source_win_over_labels_of_these_names(self) -> None:
        facts = facts_of({"severity": "page", "source": "x", "a": "b"}, severity="high", source="Prometheus")

        hidden = {"label.severity": "page", "label.source": "x"}
        self.assertEqual(facts, {"severity": "high", "source": "Prometheus", "a": "b", **hidden})

    def test_it_names_the_first_matcher_that_fails_and_why(self) -> None:
        matchers = matchers_from([{"name": name, "value": "1"} for name in "abc"])

        failing = first_failing(matchers, {"a": "1", "b": "2"})

        self.assertEqual(failing and failing.explain({"b": "2"}), 'b is "2", and must be = "1".')
        self.assertIsNone(first_failing(matchers, dict.fromkeys("abc", "1")))
        self.assertIsNone(first_failing([], {}))


class UseTests(SimpleTestCase):
    """Matchers that hold for everything, and those that hold for nothing."""

    def test_it_tells_those_that_ask_for_no_value(self) -> None:
        for text in (
            'team=~".*"', 'team=""', 'team!~"db.+"', 'team!="x"', 'team=~"a|"', 'team=~"x?"', "team!=x, host!~y", "",
            'severity=~".+"', 'severity=~"critical|high|medium|low"', 'source=~".+"', 'source=~"(?s).+", team!=x',
            'source=~".{2,}"', 'source=~".*[a-zA-Z].*"', 'source=~"[^#]{3,}", severity!=none',
        ):  # fmt: skip
            with self.subTest(text):
                self.assertIn("Ask for a value", asks_for_nothing(parse_lines(text)))

    def test_it_lets_those_pass_that_ask_for_one(self) -> None:
        for text in (
            "team=db",
            'team=~".+"',
            "team=db, host!=x",
            "severity=low",
            "source=Shop",
            'source=~"prod-.*"',
            'source=~"(?i)(grafana|prometheus).*"',
        ):
            with self.subTest(text):
                self.assertEqual(asks_for_nothing(parse_lines(text)), "")

    def test_it_tells_those_that_contradict_each_other(self) -> None:
        for text in (
            "a=1, a=2", "a=1, a!=1", 'a=1, a=~"2|3"', 'a=1, a!~"1|2"', 'a=~"1|2", a!~"1|2"', 'a=~"1|2", a!=1, a!=2',
            'a=~"x.+", a!~"x.+"', 'a!~".*"', 'a="", a=~".+"', "b=1, a=1, b=2", 'severity="page"',
            'severity=low, severity=high', 'severity!~"critical|high|medium|low"',
        ):  # fmt: skip
            with self.subTest(text):
                self.assertNotEqual(contradiction(parse_lines(text)), "")

    def test_it_lets_those_pass_that_can_hold(self) -> None:
        for text in (
            "", "a=1", "a=1, b=2", "a=1, a=1", 'a=1, a=~"1|2"', 'a=~"1|2", a!=1', 'a=~"x.+", a!~"xy.*"', "a!=1, a!=2",
            'severity=~"warning|critical"', "severity!=low, severity!=medium", "label.severity=page",
        ):  # fmt: skip
            with self.subTest(text):
                self.assertEqual(contradiction(parse_lines(text)), "")
