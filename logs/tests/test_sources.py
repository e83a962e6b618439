"""Reading our own store for rules: everything that is wanted, nothing twice."""

import datetime as dt
from unittest import mock

from django.test import TestCase

from logs.lines import Line
from logs.services.detecting import reads
from logs.services.storing import store
from logs.sources.internal import InternalSource
from logs.tests.rules import START, after
from logs.tests.test_detection import spec_of
from logs.vocabulary import Level


class InternalSourceTests(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        lines = [
            Line(f"{level.word} {number}", after(number), level, service, attributes={"n": number})
            for level in Level
            for service in ("pay", "mail")
            for number in range(5)
        ]
        store(lines, None, START)
        cls.source = InternalSource()

    def test_it_reads_each_selection_whole_and_once(self):
        for chunk in (1, 2, 3, 1000):
            for level, below, service in [
                (0, None, ""),
                (5, None, ""),
                (0, 5, "pay"),
                (2, 4, "mail"),
                (6, None, "pay"),
            ]:
                with self.subTest(chunk=chunk, level=level, below=below, service=service):
                    with mock.patch("logs.sources.internal.CHUNK", chunk):
                        found = list(self.source.lines(START, after(5), level=level, below=below, service=service))

                    levels = [one for one in Level if one >= level and (below is None or one < below)]
                    expected = len(levels) * (1 if service else 2) * 5
                    self.assertEqual(len({(one.message, one.service) for one in found}), expected)
                    self.assertEqual(len(found), expected)

    def test_it_reads_from_the_start_up_to_not_including_the_end(self):
        found = list(self.source.lines(after(1), after(3), level=6, service="pay"))

        self.assertEqual([one.message for one in found], ["critical 1", "critical 2"])

    def test_it_reads_no_more_than_the_limit(self):
        self.assertEqual(len(list(self.source.lines(START, after(5), limit=7))), 7)

    def test_it_reads_attributes_where_they_are_asked_for(self):
        asked = next(iter(self.source.lines(START, after(5), level=6, with_attributes=True)))
        plain = next(iter(self.source.lines(START, after(5), level=6)))

        self.assertEqual((asked.attributes, plain.attributes), ({"n": 0}, {}))

    def test_it_gives_times_with_their_zone(self):
        found = next(iter(self.source.lines(START, after(5))))

        self.assertEqual(found.timestamp.utcoffset(), dt.timedelta(0))


class PlanTests(TestCase):
    def test_it_plans_to_read_each_line_once(self):
        for rules, expected in [
            ([("", 5)], [("", 5, None)]),
            ([("pay", 5), ("pay", 3)], [("pay", 3, None)]),
            ([("", 5), ("pay", 6)], [("", 5, None)]),
            ([("", 5), ("pay", 3)], [("", 5, None), ("pay", 3, 5)]),
            ([(f"s{number}", 4) for number in range(30)], [("", 4, None)]),
            ([("", 6), *((f"s{number}", 4) for number in range(30))], [("", 4, None)]),
        ]:
            with self.subTest(rules[:3]):
                specs = [spec_of(service=service, level=level) for service, level in rules]

                self.assertEqual(list(reads(specs)), expected)
