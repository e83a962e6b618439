"""What people enter as patterns: the same as before where it can be, refused with a sentence where it cannot."""

import json
import re
import unicodedata
from pathlib import Path

from django.conf import settings
from django.test import SimpleTestCase
from hypothesis import given
from hypothesis import settings as bounds
from hypothesis import strategies as st

from alerts.patterns import MAX_CACHED_BYTES, MAX_MEMORY, PATTERN_LENGTH, PatternInvalid, compiled

HOSTILE = Path(settings.BASE_DIR).parent / "shared/data/hostile-findings"
SLOW = [
    "(a+)+b", "(a*)*b", "(a|aa)+b", "(a?){40}a{40}", "(.*a){12}b", r"(\w+\s?)*$", ".*a.*a.*a.*b", "aa*a*a*b",
    "(?:a?a?)(a)*(a)*(a)*b", r"^(([a-z])+.)+[A-Z]([a-z])+$",
]  # fmt: skip
UNSUPPORTED = {
    "(?=a)b": "look-ahead",
    "a(?!b)": "look-ahead",
    "(?<=a)b": "look-behind",
    "(?<!a)b": "look-behind",
    r"(a)\1": r"reference back to a group, \1",
    "(?P<x>a)(?P=x)": "reference back to a group",
    "(?P<x>a)?(?(x)b|c)": "condition on a group",
    "a++b": "possessive repetition ++",
    "a{2}+": "possessive repetition {2}+",
    "(?>a+)b": "atomic group",
    "(?x) a": "flag x",
    r"\büber": "beside a letter",
    r"a\C": r"\C",
}
WRONG = ["(", "[", "*", "a{2,1}", "(?P<a", "\\", "a{1001}", "((a{100}){100})", r"\w{1,500}", "\ud800"]
NAMES = ["Zürich", "東京", "naïve_1", "db-3", "a b", "٣", "ß", "İ", "x\ny", "“x”", "a\u00a0b", "10€"]
ALIKE = [
    r"\w+", r"\W", r"[\W_]", r"\d+", r"[\d.]+", r"\D+", r"\S+", r"[^\s-]+", r"\w+\s\w+", r"[^\w]+", r".+",
    r"(?i)ZÜRICH", r"(?i)SS|ß", r"\u005a\w*", r"z{,3}.*", r"\Ax.y\Z", r"(?#why)\w+", r"[\]a ]+", r"[^]]+", r"a\ b",
    r"x{}|\w+",
]  # fmt: skip


class PatternTests(SimpleTestCase):
    def test_it_says_of_each_thing_that_it_has_none_of_what_that_is(self) -> None:
        for pattern, said in UNSUPPORTED.items():
            with self.subTest(pattern), self.assertRaises(PatternInvalid) as caught:
                compiled(pattern)
            self.assertIn(said, str(caught.exception))
            self.assertIn(pattern, str(caught.exception))

    def test_it_refuses_what_is_no_pattern_or_too_large(self) -> None:
        for pattern in [*WRONG, "a" * (PATTERN_LENGTH + 1)]:
            with self.subTest(pattern=ascii(pattern[:20])), self.assertRaises(PatternInvalid):
                compiled(pattern)

    def test_it_matches_as_the_usual_engine_does(self) -> None:
        for pattern in ALIKE:
            usual = re.compile(pattern, re.DOTALL)
            for name in NAMES:
                with self.subTest(pattern=pattern, name=name):
                    ours = compiled(pattern)

                    self.assertEqual(ours.matches(name), usual.fullmatch(name) is not None)

    def test_it_knows_the_letters_and_spaces_of_all_scripts(self) -> None:
        letter, other, space = compiled(r"\wx?"), compiled(r"[\W]x?"), compiled(r"\sx?")
        scripts = "aßéЖωאشकกကខ한漢かア" + "\u0301\u0e31"

        self.assertTrue(all(map(letter.matches, scripts)))
        self.assertFalse(any(map(letter.matches, "-.€«»…“–→×÷🔥、。")))
        for code in range(0x3000):
            sign = chr(code)
            if unicodedata.category(sign) != "Cn":
                self.assertEqual(space.matches(sign), bool(re.match(r"\s", sign)), hex(code))
                self.assertNotEqual(letter.matches(sign), other.matches(sign), hex(code))

    def test_it_searches(self) -> None:
        cases = {"b|c": ["abd"], ".*b.*": ["abd"], "b.*": ["abd"], r"^a.d$": ["abd"], "": ["abd", ""], r"\d": ["x1"]}

        for pattern, texts in cases.items():
            for text in texts:
                self.assertTrue(compiled(pattern).occurs_in(text), pattern)
        self.assertFalse(any(compiled(pattern).occurs_in("xyz") for pattern in ("b|c", ".*b.*", "b.*", "^y", r"\d")))

    def test_it_works_through_a_bounded_program(self) -> None:
        """However the pattern is written, the engine has a bounded number of steps for each character."""
        for pattern in SLOW:
            with self.subTest(pattern):
                self.assertFalse(compiled(pattern).matches("a" * 100_000 + "!"))
        self.assertLessEqual(MAX_MEMORY, 1024 * 1024)

    def test_it_looks_through_what_held_the_process_up(self) -> None:
        if not HOSTILE.is_dir():
            self.skipTest(f"no hostile inputs at {HOSTILE}")
        matcher = json.loads((HOSTILE / "slow_matcher.json").read_text())
        rule = json.loads((HOSTILE / "slow_rule.json").read_text())

        value = matcher["simulate"]["alert"]["labels"]["rx"]
        self.assertFalse(compiled(matcher["silence_matcher"]["value"]).matches(value))
        self.assertFalse(compiled(rule["backtest"]["query"].strip("/")).occurs_in(rule["log_line"]["message"]))

    @bounds(max_examples=200, deadline=None)
    @given(st.recursive(
        st.sampled_from(["a", "b", "ab", ".", "[ab]", "", r"\w", "|"]),
        lambda inner: st.one_of(
            st.builds("({}|{})".format, inner, inner),
            st.builds("({}){}".format, inner, st.sampled_from(["*", "+", "?", "{2}", "{2,5}", "*?", ".*"])),
            st.builds("{}{}".format, inner, inner),
        ),
        max_leaves=5,
    ), st.text("ab\nx|", max_size=8))  # fmt: skip
    def test_it_means_what_the_usual_engine_means(self, pattern: str, text: str) -> None:
        usual, ours = re.compile(pattern, re.DOTALL), compiled(pattern)

        self.assertEqual(ours.matches(text), usual.fullmatch(text) is not None)
        self.assertEqual(ours.occurs_in(text), usual.search(text) is not None)

    def test_it_keeps_large_patterns_in_lesser_number(self):
        for number in range(200):
            compiled(rf"\w{{1,50}}{number}")

        self.assertEqual(compiled(r"\w{1,50}0").weight, MAX_MEMORY)
        self.assertEqual(compiled.cache.currsize, MAX_CACHED_BYTES)
        self.assertEqual(len(compiled.cache), MAX_CACHED_BYTES // MAX_MEMORY)
