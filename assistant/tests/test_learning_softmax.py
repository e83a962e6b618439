from django.test import SimpleTestCase

from assistant.learning import softmax
from assistant.learning.features import features_of


class SoftmaxTests(SimpleTestCase):
    """What is learnt from examples."""

    def test_it_learns_what_tells_classes_apart(self) -> None:
        examples = [["printer", "the"], ["vpn", "the"]] * 20
        weights = softmax.train(examples, ["office", "network"] * 20)

        scores = softmax.probabilities(weights.scores(["vpn", "the", "never seen"]))

        told = dict(zip(weights.classes, scores, strict=True))
        self.assertGreater(told["network"], 0.9)
        self.assertAlmostEqual(sum(scores), 1)

    def test_it_knows_the_shares_alone_of_unknown_words(self) -> None:
        weights = softmax.train([["a"]] * 30 + [["b"]] * 10, ["x"] * 30 + ["y"] * 10)

        scores = softmax.probabilities(weights.scores(["never seen"]))

        self.assertAlmostEqual(scores[weights.classes.index("x")], 0.75)

    def test_it_keeps_no_feature_that_one_example_alone_has(self) -> None:
        weights = softmax.train([["a", "once"], ["a"]], ["x", "y"])

        self.assertEqual(list(weights.rows), ["a"])


class FeaturesTests(SimpleTestCase):
    """What an incident is known by."""

    def test_it_tells_words_fields_and_titles_apart(self) -> None:
        found = features_of("VPN down", "", {"service": ["payments"], "location": "Basel", "reporter": ""})

        self.assertEqual(
            found, ["service=payments", "location=basel", "no reporter", "title vpn", "title down", "vpn", "down"]
        )

    def test_it_reads_text_without_spaces_as_characters_and_pairs(self) -> None:
        found = features_of("印刷機", "", {})

        self.assertIn("title 印刷", found)
        self.assertIn("title 印", found)

    def test_it_is_bounded_however_long_the_text_is(self) -> None:
        found = features_of("x" * 1_000, " ".join(f"word{number}a" for number in range(100_000)), {})

        self.assertLess(len(found), 200)
