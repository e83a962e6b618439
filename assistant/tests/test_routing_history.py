"""What is learnt from a real log, and at what cost."""

import time
import tracemalloc
from unittest import skipUnless

from django.test import SimpleTestCase

from assistant.learning import learner
from assistant.learning.learner import learn
from assistant.learning.packing import keyed, pack, unpack
from benchmarks.assistant.routing import BASELINE, SAMPLE, measure_ours, task


class HistoryTests(SimpleTestCase):
    """The last 30 % of a log by time, learnt from what was known before."""

    @skipUnless(SAMPLE.exists(), f"the real log is not at {SAMPLE}")
    def test_it_finds_the_group_more_often_than_a_regression_did(self) -> None:
        given = task()

        scores = measure_ours(given)

        self.assertEqual((len(given.examples), len(given.truth)), (1371, 606))
        self.assertGreater(scores.first, BASELINE[0])
        self.assertGreater(scores.three, BASELINE[1])
        self.assertGreater(scores.said or 0, 0.5)
        self.assertAlmostEqual(scores.said_right or 0, scores.confidence or 0, delta=0.05)


class LearnerTests(SimpleTestCase):
    """One field of a history."""

    def test_it_learns_from_the_newest_only(self) -> None:
        examples = [["old"]] * 100_000 + [[f"w{number % 7}"] for number in range(learner.MOST)]
        labels = [99] * 100_000 + [number % 7 for number in range(learner.MOST)]
        tracemalloc.start()
        began = time.monotonic()

        found = learn(examples, labels)

        seconds, peak = time.monotonic() - began, tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert found is not None
        self.assertEqual((found.figures.examples, found.figures.classes), (learner.MOST, 7))
        self.assertLess(peak, 100e6)
        self.assertLess(seconds, 120)

    def test_it_is_silent_with_little_history_or_one_value(self) -> None:
        for count, values in ((0, 2), (learner.FEWEST - 1, 2), (500, 1)):
            with self.subTest(count=count, values=values):
                self.assertIsNone(learn([["a"]] * count, [number % values for number in range(count)]))

    def test_it_is_silent_where_words_tell_nothing(self) -> None:
        self.assertIsNone(learn([["same"]] * 200, [number % 2 for number in range(200)]))

    def test_it_is_surer_than_a_share_before_it_speaks(self) -> None:
        examples = [["a", "common"] if number % 10 else ["b", "common"] for number in range(300)]
        found = learn(examples, ["x" if number % 10 else "y" for number in range(300)])

        assert found is not None
        self.assertFalse(found.is_sure(found.rank(["never seen"])[0]))
        self.assertTrue(found.is_sure(found.rank(["b", "common"])[0]))
        self.assertEqual(found.rank(["b"])[0].label, "y")
        self.assertEqual(found.reasons(["b", "common", "never seen"], "y")[0][0], "b")

    def test_it_reads_again_what_it_wrote(self) -> None:
        examples = [keyed([f"w{number % 5}", "all"], b"key") for number in range(200)]
        found = learn(examples, [number % 5 for number in range(200)])
        assert found is not None

        again = unpack(pack({"team": found}))["team"]

        self.assertEqual(again.figures, found.figures)
        for one, other in zip(again.rank(examples[3]), found.rank(examples[3]), strict=True):
            self.assertEqual(one.label, other.label)
            self.assertAlmostEqual(one.confidence, other.confidence, places=2)
