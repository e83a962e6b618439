import datetime as dt

from django.test import SimpleTestCase
from markdown_it import MarkdownIt

from core.text.markdown import render_note
from reviews.rendering.document import Cell, Document, Entry, Numbered, Part, Prose, Section, Table
from reviews.rendering.markdown import to_markdown


def document(*parts: Part, title: str = "INC-1 Shop down", heading: str = "What happened") -> Document:
    return Document(
        title=title,
        language="en",
        facts=(("Severity", Cell("High")), ("Incident", Cell("INC-1", "https://a.example/incidents/INC-1/"))),
        sections=(Section(heading, parts),),
        cut="Cut here.",
        made_at=dt.datetime(2026, 3, 2, tzinfo=dt.UTC),
    )


class MarkdownTests(SimpleTestCase):
    def test_it_writes_a_document(self) -> None:
        text = to_markdown(
            document(
                Prose("It **broke**.\n\n- a\n- b"),
                Entry("10:00 UTC", "It began."),
                Numbered(("One\n\nmore", "Two")),
                Table(("Item", "Owner"), ((Cell("Watch | it", "https://t.example/1"), Cell("Ada")),), (1, 1)),
            )
        )

        self.assertEqual(
            text,
            "# INC-1 Shop down\n\n"
            "- **Severity:** High\n"
            "- **Incident:** [INC-1](https://a.example/incidents/INC-1/)\n\n"
            "## What happened\n\n"
            "It **broke**.\n\n- a\n- b\n\n"
            "**10:00 UTC**\n\nIt began.\n\n"
            "1. One\n\n   more\n2. Two\n\n"
            "| Item | Owner |\n|---|---|\n| [Watch \\| it](https://t.example/1) | Ada |\n",
        )

    def test_nothing_that_people_wrote_is_markup_unless_they_may_use_it(self) -> None:
        hostile = (
            "<script>alert(1)</script>",
            "[x](javascript:alert(1))",
            "![x](https://evil.example/p.png)",
            "&lt;b&gt;",
            "`` ` ``",
            "a | b",
            "\\<b>",
        )
        parser = MarkdownIt("commonmark").enable("table")

        for text in hostile:
            with self.subTest(text):
                written = to_markdown(document(Prose(text), Entry(text, ""), title=text, heading=text))
                shown = parser.render(written)

                self.assertNotIn("<script", shown)
                self.assertNotIn("<img", shown)
                self.assertNotIn('href="javascript', shown)
                self.assertNotIn("<b>", shown)

    def test_lines_that_look_like_markup_stay_text(self) -> None:
        for text in ("\\# no heading", "\\- no list", "1\\. no number", "\\+ x", "\\=== y"):
            with self.subTest(text):
                shown = MarkdownIt("commonmark").render(to_markdown(document(Prose(text))))

                self.assertIn(f"<p>{text.replace(chr(92), '')}</p>", shown)

    def test_what_is_written_reads_as_it_was_meant(self) -> None:
        text = "Hello **you**\n\n> quoted\n\n1. one\n2. two\n   - three\n\n```\nx  <y>\n```"

        again = to_markdown(document(Prose(text))).split("## What happened\n\n")[1]

        self.assertEqual(render_note(again), render_note(text))
