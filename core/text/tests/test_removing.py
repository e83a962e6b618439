from django.test import SimpleTestCase

from core.text.removing import cleaned, remover_of


class RemovingTests(SimpleTestCase):
    def test_it_removes_the_longest_first_in_all_that_is_nested(self) -> None:
        clean = remover_of({"hunter2secret", "hunter2secret is mine", ""}, "[x]")

        found = cleaned({"a": ["hunter2secret is mine", 5], "b": "so hunter2secret"}, clean)

        self.assertEqual(found, {"a": ["[x]", 5], "b": "so [x]"})

    def test_it_removes_short_texts_as_words_only(self) -> None:
        self.assertEqual(remover_of(["ab"], "[x]")("ab cab a.ab"), "[x] cab a.[x]")
