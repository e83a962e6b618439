from django.conf import settings
from django.test import SimpleTestCase

from core.text.markdown import render_markdown, render_note


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


class NoteTests(SimpleTestCase):
    def test_it_links_web_addresses_and_passes_nothing_on(self) -> None:
        for text in ("See https://wiki.example/a?b=1.", "[here](https://wiki.example/a?b=1)"):
            with self.subTest(text):
                self.assertIn(
                    '<a href="https://wiki.example/a?b=1" rel="noopener noreferrer nofollow">', render_note(text)
                )

    def test_it_links_nothing_else(self) -> None:
        for text in (
            "[x](javascript:alert(1))",
            "[x](data:text/html,a)",
            "[x](//evil.example)",
            "<javascript:alert(1)>",
            "`https://x.example`",
        ):
            with self.subTest(text):
                self.assertNotRegex(render_note(text), r"<a [^>]*href")

    def test_it_shows_no_pictures_and_no_markup(self) -> None:
        shown = render_note(
            "![x](https://t.example/p.gif) <img src=x onerror=alert(1)><script>1</script> <b style='x'>"
        )

        self.assertNotRegex(shown, r"<(img|script|b|style)\b")

    def test_it_keeps_lines(self) -> None:
        self.assertIn("one<br>", render_note("one\ntwo"))
