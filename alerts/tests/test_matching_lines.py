import random

from django.test import SimpleTestCase

from alerts.matching import Matcher, MatcherInvalid, lines_of, parse_lines
from alerts.vocabulary import MatchOperator


class LinesTests(SimpleTestCase):
    def test_it_reads_what_prometheus_writes(self) -> None:
        text = '{severity=~"high|critical", a != b}\r\n\nx=~"\\d+\\"q"\n y = two words \nz=""'

        found = [(matcher.name, matcher.op.value, matcher.value) for matcher in parse_lines(text)]

        self.assertEqual(
            found,
            [
                ("severity", "=~", "high|critical"),
                ("a", "!=", "b"),
                ("x", "=~", '\\d+"q'),
                ("y", "=", "two words"),
                ("z", "=", ""),
            ],
        )

    def test_it_names_the_line_that_cannot_be(self) -> None:
        cases = ("word", "a==", "=x", 'a="x', 'a="x" b', 'a=~"("', "a=b,,c=d")

        for text in cases:
            with self.subTest(text), self.assertRaisesMessage(MatcherInvalid, "Line 2: "):
                parse_lines(f"ok=1\n{text}")

    def test_it_refuses_more_than_are_taken(self) -> None:
        with self.assertRaisesMessage(MatcherInvalid, "more than 50"):
            parse_lines("a=b\n" * 51)

    def test_it_reads_back_what_it_writes(self) -> None:
        chance = random.Random(7)

        for _ in range(2000):
            value = "".join(chance.choice('\\n"d\n,{} a=~') for _ in range(chance.randint(0, 8)))
            matchers = [Matcher("a", MatchOperator.EQUAL, value), Matcher("b", MatchOperator.NOT_EQUAL, value)]
            with self.subTest(value):
                self.assertEqual(parse_lines(lines_of(matchers)), matchers)

    def test_it_keeps_patterns_as_people_write_them(self) -> None:
        self.assertEqual(lines_of(parse_lines(r'host=~"db-\d+\.eu"')), r'host=~"db-\d+\.eu"')
