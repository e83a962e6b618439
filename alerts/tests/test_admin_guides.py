from django.conf import settings
from django.test import SimpleTestCase

from alerts.admin.guides import rendered


class GuideTests(SimpleTestCase):
    def test_it_shows_the_forms_that_the_pages_use(self) -> None:
        prose = "# Tool\n\nOne **bold**\nline.\n\n- first `a<b`\n  goes on\n- second\n\n"
        text = prose + "| a | b |\n|---|---|\n| 1 | 2 |\n\n```yaml\nx: <y>\n```\n"

        shown = rendered(text)

        for part in (
            '<h3 class="ir-subheading">Tool</h3>',
            '<p class="ir-lead">One <b>bold</b> line.</p>',
            '<p class="ir-item">first <code class="ir-code">a&lt;b</code> goes on</p>',
            '<p class="ir-item">second</p>',
            "<tr><td>1</td><td>2</td></tr>",
            '<pre class="ir-pre">x: &lt;y&gt;</pre>',
        ):
            self.assertInHTML(part, shown)
        self.assertNotIn("---", shown)

    def test_it_keeps_code_as_it_is(self) -> None:
        shown = rendered("Add *Webhook*, `*UNKNOWN*`:\n\n    var a = 1;\n      throw a * 2 * 3;\n")

        self.assertIn('<i>Webhook</i>, <code class="ir-code">*UNKNOWN*</code>', shown)
        self.assertIn('<pre class="ir-pre">var a = 1;\n  throw a * 2 * 3;</pre>', shown)

    def test_it_lets_no_markup_through(self) -> None:
        shown = rendered("<script>x</script> [a](javascript:b) `<img>`\n\n# <b>\n\n| <i> |\n")

        for tag in ("<script", "javascript:", "<img", "<b>", "<i>"):
            self.assertNotIn(tag, shown)

    def test_it_leaves_no_marks_in_the_pages_that_are_there(self) -> None:
        pages = sorted((settings.BASE_DIR / "integrations").glob("*/guide.md"))

        self.assertGreater(len(pages), 10)
        for page in pages:
            with self.subTest(page.name):
                self.assertNotRegex(rendered(page.read_text(encoding="utf-8")), r"(?m)^(#|\||```)")
