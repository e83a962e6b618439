"""Patterns that may take for ever are told before they are used."""

import re
import time

from django.test import SimpleTestCase
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.patterns import LENGTH, may_take_for_ever

SLOW = [
    "(a+)+b", "((a+))+b", "(a*)*b", "(a|a)*b", "(a|aa)+b", "(a?){40}a{40}", "a?" * 30 + "a" * 30, "(.*a){12}b",
    "([a-z]+)*!", r"(\w+\s?)*$", "(x+x+)+y", "(?:a{1,9}){20}b", ".*a.*a.*a.*b", "(?:(?:a|b?)*)c",
    r"^(([a-z])+.)+[A-Z]([a-z])+$", "((a)|(a))*b", "(?=(a+)+b)a",
]  # fmt: skip
QUICK = [
    "", "a", "db-.*", ".*", ".*-disk-.*", "(web|db)-[0-9]+", r"(\d{1,3}\.){3}\d{1,3}", "(foo|bar)*", "prod|staging",
    r"[\w.-]+@[\w.-]+", "(?i)critical", ".*foo.*bar.*", ".*a.*b", "(eu|us)-(west|east)-[12][abc]?", "a{3}", "(ab)+",
    r"https?://[^/]+/.*", "(?!test).*", "node(-[a-z0-9]{4,8}){2}", "((((a))))", ".*a.*a.*b",
]  # fmt: skip
WORST = [
    "a" * LENGTH,
    "ab" * (LENGTH // 2),
    "a" * 40,
    "a" * 999 + "!",
    "1." * 500,
    "foo" * 333,
    "x" * LENGTH,
    "a@" * 500,
]


class PatternTests(SimpleTestCase):
    def test_it_tells_the_slow_ones(self) -> None:
        missed = [pattern for pattern in SLOW if not may_take_for_ever(pattern)]

        self.assertEqual(missed, [])

    def test_it_lets_the_usual_ones_pass(self) -> None:
        refused = [pattern for pattern in QUICK if may_take_for_ever(pattern)]

        self.assertEqual(refused, [])

    def test_it_lets_nothing_pass_that_takes_long_on_what_is_worst_for_it(self) -> None:
        for pattern in QUICK:
            with self.subTest(pattern=pattern):
                self.assertLess(slowest(pattern), 2)

    @settings(max_examples=150, deadline=None)
    @given(st.recursive(
        st.sampled_from(["a", "b", "ab", ".", "[ab]", ""]),
        lambda inner: st.one_of(
            st.builds("({}|{})".format, inner, inner),
            st.builds("({}){}".format, inner, st.sampled_from(["*", "+", "?", "{2}", "{2,5}", "{30}", "*?"])),
            st.builds("{}{}".format, inner, inner),
        ),
        max_leaves=6,
    ))  # fmt: skip
    def test_it_judges_whatever_is_written(self, pattern: str) -> None:
        quick = not may_take_for_ever(pattern)

        self.assertTrue(not quick or slowest(pattern, ["a" * 60 + "!", "ab" * 30 + "!"]) < 2)


def slowest(pattern: str, values: list[str] = WORST) -> float:
    """The seconds that the worst of the values takes."""
    regex = re.compile(pattern, re.DOTALL)
    took = []
    for value in values:
        start = time.perf_counter()
        regex.fullmatch(value, 0, LENGTH)
        took.append(time.perf_counter() - start)
    return max(took)
