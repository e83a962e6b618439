from django.test import SimpleTestCase

from reviews.rendering.prose import Block, Run, blocks_of


class ProseTests(SimpleTestCase):
    def test_it_reads_what_documents_show(self) -> None:
        table: dict[str, list[Block]] = {
            "": [],
            "A **b** `c`": [Block((Run("A "), Run("b", is_strong=True), Run(" "), Run("c", is_code=True)))],
            "# Title": [Block((Run("Title", is_strong=True),))],
            "- a\n  - b": [Block((Run("a"),), 1, "•"), Block((Run("b"),), 2, "•")],
            "3. a\n4. b": [Block((Run("a"),), 1, "3."), Block((Run("b"),), 1, "4.")],
            "a\nb": [Block((Run("a"), Run("\n"), Run("b")))],
            "> a": [Block((Run("a"),), is_quoted=True)],
            "```\na  b\n```": [Block((Run("a  b", is_code=True),), is_code=True)],
            "[a](https://a.example)": [Block((Run("a", url="https://a.example"),))],
        }

        for text, expected in table.items():
            with self.subTest(text):
                self.assertEqual(blocks_of(text), expected)

    def test_it_takes_html_pictures_and_other_addresses_as_text(self) -> None:
        for text in ("<script>x</script>", "a<img src=x onerror=y>", "[a](javascript:x)", "[a](//evil.example)"):
            with self.subTest(text):
                found = blocks_of(text)

                self.assertEqual([run.url for block in found for run in block.runs if run.url], [])
                self.assertTrue("".join(run.text for block in found for run in block.runs))

    def test_it_bears_depth(self) -> None:
        deep = "".join(f"{'  ' * level}- x\n" for level in range(200)) + ">" * 200 + "[" * 5000

        self.assertTrue(blocks_of(deep))
