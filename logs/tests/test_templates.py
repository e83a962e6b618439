"""Masks, the tree, and how well both tell lines of real systems apart."""

from unittest import skipUnless

from django.test import SimpleTestCase

from benchmarks.templates import SAMPLES, grouping_accuracy, results
from logs.templates import MAX_TOKENS, Drain, masked, templates_of

MASKS = [
    ("took 12 ms", "took <*> ms"),
    ("took -1.5 s at 99%", "took <*> s at <*>"),
    ("from 10.0.0.1:8080 to 10.0.0.2", "from <*> to <*>"),
    ("id 123e4567-e89b-12d3-a456-426614174000 gone", "id <*> gone"),
    ("block blk_-6952295868487656571 lost", "block blk_<*> lost"),
    ("at 0xDEADBEEF", "at <*>"),
    ("commit 9fceb02d0ae598e95dc970b74767f19372d61af8 built", "commit <*> built"),
    ("read /etc/httpd/conf/workers2.properties ok", "read <*> ok"),
    ("2026-11-21T10:00:00.123Z start", "<*> start"),
    ("fe80:0:0:0:202:b3ff:fe1e:8329 up", "<*> up"),
    ("no values here", "no values here"),
    ("  several   spaces\tand\nlines ", "several spaces and lines"),
]


class MaskTests(SimpleTestCase):
    def test_it_masks_what_varies(self):
        for message, expected in MASKS:
            with self.subTest(message):
                self.assertEqual(masked(message), expected)

    def test_it_masks_the_same_line_with_other_values_alike(self):
        first = masked("Payment 8123 of user u-77 failed after 31.5 ms on 10.1.2.3")
        second = masked("Payment 9 of user u-1 failed after 2 ms on 192.168.0.1")

        self.assertEqual(first, second)


class DrainTests(SimpleTestCase):
    def test_it_makes_one_template_of_lines_that_differ_in_a_word(self):
        found = templates_of([f"Invalid user {name} from host a" for name in ("alice", "bob", "carol")])

        self.assertEqual([(one.text, one.count) for one in found], [("Invalid user <*> from host a", 3)])

    def test_it_keeps_the_first_line_as_its_sample(self):
        found = templates_of(["took 12 ms", "took 13 ms"])

        self.assertEqual([one.sample for one in found], ["took 12 ms"])

    def test_it_sorts_by_frequency(self):
        found = templates_of(["rare thing", *["common case here"] * 3])

        self.assertEqual([one.count for one in found], [3, 1])

    def test_it_keeps_the_number_of_templates_bounded(self):
        drain = Drain(limit=5)

        counts = [drain.add(" ".join(["word"] * number)).count for number in range(1, 50)]

        self.assertLessEqual(len(drain.templates), 6)
        self.assertEqual(sum(one.count for one in drain.templates), len(counts))

    def test_it_bears_empty_and_very_long_lines(self):
        drain = Drain()

        empty, long = drain.add(""), drain.add("x " * 10_000)

        self.assertEqual(empty.text, "")
        self.assertLessEqual(len(long.tokens), MAX_TOKENS)


class AccuracyTests(SimpleTestCase):
    def test_it_counts_only_groups_that_are_exactly_right(self):
        accuracy = grouping_accuracy([1, 1, 2, 2, 3], ["a", "a", "b", "b", "b"])

        self.assertEqual(accuracy, 0.4)

    @skipUnless(SAMPLES.is_dir(), "the samples of loghub are not beside the checkout")
    def test_it_tells_lines_of_real_systems_apart(self):
        found = {one.dataset: one.accuracy for one in results()}

        self.assertGreaterEqual(sum(accuracy >= 0.9 for accuracy in found.values()), 5, found)
        self.assertGreaterEqual(min(found.values()), 0.85, found)
