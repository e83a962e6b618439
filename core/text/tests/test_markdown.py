from django.conf import settings
from django.test import SimpleTestCase

from core.text.markdown import render_markdown


class MarkdownTests(SimpleTestCase):
    def test_it_shows_the_forms_that_the_guides_use(self) -> None:
        prose = "# Tool\n\nOne **bold**\nline.\n\n- first `a<b`\n  goes on\n- second\n\n"
        text = prose + "| a | b |\n|---|---|\n| 1 | 2 |\n\n```yaml\nx: <y>\n```\n"

        shown = render_markdown(text)

        for part in (
            "<h3>Tool</h3>",
            "<p>One <strong>bold</strong> line.</p>",
            "<li>first <code>a&lt;b</code> goes on</li>",
            "<li>second</li>",
            "<tr><td>1</td><td>2</td></tr>",
            "<pre><code>x: &lt;y&gt;</code></pre>",
        ):
            self.assertInHTML(part, shown)
        self.assertNotIn("---", shown)

    def test_it_keeps_code_as_it_is(self) -> None:
        shown = render_markdown("Add *Webhook*, `*UNKNOWN*`:\n\n    var a = 1;\n      throw a * 2 * 3;\n")

        self.assertIn("<em>Webhook</em>, <code>*UNKNOWN*</code>", shown)
        self.assertIn("<pre><code>var a = 1;\n  throw a * 2 * 3;\n</code></pre>", shown)

    def test_it_lets_no_markup_through(self) -> None:
        shown = render_markdown(
            "<script>x</script> [a](javascript:b) [c](../d.md) ![e](https://f.test/) <https://g.test> `<img>`\n\n"
            "# <b>\n\n| <i> |\n|---|\n| <a onclick='x'> |\n\n<div onload='x'>\n"
        )

        for tag in ("<script", "<a", "href", "src", "<img", "<b>", "<i>", "<div onload"):
            self.assertNotIn(tag, shown)
        self.assertIn(" c ", shown)

    def test_it_leaves_no_marks_in_the_guides_that_are_there(self) -> None:
        pages = sorted((settings.BASE_DIR / "integrations").glob("*/guide.md"))

        self.assertGreater(len(pages), 10)
        for page in pages:
            with self.subTest(page.name):
                self.assertNotRegex(render_markdown(page.read_text(encoding="utf-8")), r"(?m)^(#|\||```)|\*\*")
