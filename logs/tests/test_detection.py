"""Counting lines in windows, and what a window says. Times in seconds since 1970."""

from unittest import mock

from django.test import SimpleTestCase

from logs.detection import MAX_GROUPS, OTHERS, Index, Spec, Tally, from_json, judge, to_json
from logs.lines import Line
from logs.queries import parse
from logs.vocabulary import Level

BASE = 1_800_000_000 // 3600 * 3600


def spec_of(query: str = "", **fields: object) -> Spec:
    return Spec(**{"id": 1, "query": parse(query), "threshold": 3, "window": 60, "interval": 60, **fields})  # type: ignore[arg-type]


def tally_of(spec: Spec, *seconds: float, **fields: object) -> Tally:
    """A tally that has counted a line at each of the seconds after BASE."""
    tally = Tally()
    for second in seconds:
        tally.add(spec, Line("broken", **fields), BASE + second)  # type: ignore[arg-type]
    return tally


def told(spec: Spec, tally: Tally, *ends: int) -> list[tuple[bool, int, int]]:
    verdicts = judge(spec, tally, [BASE + end for end in ends])
    return [(one.is_firing, one.end - BASE, one.count) for one in verdicts]


class JudgeTests(SimpleTestCase):
    def test_it_fires_from_the_threshold_on(self):
        for seconds, expected in [((1, 2), []), ((1, 2, 3), [(True, 60, 3)]), ((1, 2, 3, 4), [(True, 60, 4)])]:
            with self.subTest(seconds):
                spec = spec_of()
                self.assertEqual(told(spec, tally_of(spec, *seconds), 60), expected)

    def test_it_counts_the_start_of_a_window_in_and_its_end_out(self):
        spec = spec_of(threshold=1)

        self.assertEqual(told(spec, tally_of(spec, 0), 60), [(True, 60, 1)])
        self.assertEqual(told(spec, tally_of(spec, 60), 60), [])

    def test_it_ends_what_falls_below_the_threshold(self):
        spec = spec_of()

        found = told(spec, tally_of(spec, 1, 2, 3, 61, 62), 60, 120)

        self.assertEqual(found, [(True, 60, 3), (False, 120, 2)])

    def test_it_says_at_last_what_fires_still(self):
        spec = spec_of()

        found = judge(spec, tally_of(spec, 1, 2, 3, 61, 62, 63, 64), [BASE + 60, BASE + 120])

        self.assertEqual([(one.since - BASE, one.count, one.is_news) for one in found], [(60, 3, True), (60, 4, False)])

    def test_it_fires_again_after_an_end(self):
        spec = spec_of(threshold=1)

        found = told(spec, tally_of(spec, 1, 121), 60, 120, 180)

        self.assertEqual(found, [(True, 60, 1), (False, 120, 0), (True, 180, 1)])

    def test_it_counts_a_line_in_every_window_that_it_lies_in(self):
        spec = spec_of(window=180, interval=60, threshold=2)

        found = told(spec, tally_of(spec, 10, 130), 60, 120, 180, 240, 300)

        self.assertEqual(found, [(True, 180, 2), (False, 240, 1)])

    def test_it_agrees_with_counting_anew_whatever_window_and_interval_are(self):
        seconds = [(7 * number * number) % 1200 for number in range(200)]
        for window, interval in [(60, 60), (90, 60), (61, 60), (30, 60), (300, 10), (60, 7)]:
            with self.subTest(window=window, interval=interval):
                spec = spec_of(window=window, interval=interval)
                ends = range((BASE // interval + 1) * interval, BASE + 1200, interval)
                slid = [dict(counts) for _end, counts in tally_of(spec, *seconds).sliding(spec, ends)]
                anew = [sum(end - window <= BASE + second < end for second in seconds) for end in ends]

                self.assertEqual([counts.get((), 0) for counts in slid], anew)

    def test_it_goes_on_where_it_stopped(self):
        spec = spec_of(window=180, interval=60, threshold=2)
        tally = tally_of(spec, 10)
        first = told(spec, tally, 60)
        later = from_json(to_json(tally))
        later.add(spec, Line("broken"), BASE + 70)

        second = told(spec, later, 120)

        self.assertEqual((first, second), ([], [(True, 120, 2)]))

    def test_it_keeps_nothing_that_no_later_window_holds(self):
        spec = spec_of(window=120, interval=60)
        tally = tally_of(spec, 1, 2, 61)

        judge(spec, tally, [BASE + 60, BASE + 120])

        self.assertEqual(tally.counts, {(): {(BASE + 60) // 60: 1}})


class GroupTests(SimpleTestCase):
    def test_it_judges_each_group_by_itself(self):
        spec = spec_of(group_by=("service", "attributes.zone"), threshold=2)
        tally = Tally()
        for service, zone in [("pay", "a"), ("pay", "a"), ("pay", "b"), ("mail", "a")]:
            tally.add(spec, Line("broken", service=service, attributes={"zone": zone}), BASE)

        found = judge(spec, tally, [BASE + 60])

        self.assertEqual([one.group for one in found], [("pay", "a")])
        self.assertEqual(spec.labels_of(found[0].group), {"service": "pay", "zone": "a"})

    def test_it_groups_by_template_and_level(self):
        spec = spec_of(group_by=("template", "level"))

        group = spec.group_of(Line("took 12 ms", level=Level.ERROR))

        self.assertEqual(group, ("took <*> ms", "error"))

    def test_it_counts_groups_beyond_the_limit_together(self):
        spec = spec_of(group_by=("host",), threshold=1)
        tally = Tally()

        for number in range(MAX_GROUPS + 50):
            tally.add(spec, Line("broken", host=f"h{number}"), BASE)

        self.assertEqual(len(tally.counts), MAX_GROUPS + 1)
        self.assertEqual(sum(tally.counts[(OTHERS,)].values()), 50)

    def test_it_gives_each_group_a_fingerprint_of_its_own(self):
        spec = spec_of(group_by=("service", "host"))

        prints = {spec.fingerprint(group) for group in [("a", "b"), ("b", "a"), ("ab", ""), ("", "ab")]}

        self.assertEqual(len(prints), 4)


class IndexTests(SimpleTestCase):
    def test_it_finds_the_rules_that_asking_each_finds(self):
        queries = [
            "",
            "refused",
            "fuse",
            "-refused",
            "timeout",
            '"connection refused"',
            "/re+fused/",
            "host:web",
            "502",
        ]
        specs = [
            spec_of(query, id=number, service=service, level=level)
            for number, (query, service, level) in enumerate(
                (query, service, level) for query in queries for service in ("", "pay") for level in (0, 5)
            )
        ]
        index = Index(specs)
        for line in [
            Line("Connection REFUSED", service="pay", level=Level.ERROR),
            Line("502 timeout", service="mail", host="web"),
            Line("confused", service="pay"),
            Line(""),
        ]:
            with self.subTest(line.message):
                asked = {spec.id for spec in specs if spec.takes(line, line.message.lower())}

                self.assertEqual({spec.id for spec in index.matching(line)}, asked)

    def test_it_finds_them_still_when_it_has_met_more_words_than_it_remembers(self):
        index = Index([spec_of("needle")])

        with mock.patch("logs.detection.MAX_REMEMBERED", 3):
            found = [len(list(index.matching(Line(f"one {word} Needles")))) for word in ("a", "b", "c", "d", "e", "f")]

        self.assertEqual(found, [1] * 6)
