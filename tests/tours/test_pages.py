"""How pages of tours are read."""

import re
from pathlib import Path

from django.test import SimpleTestCase

from tests.tours.pages import TOURS, Step, Tour, is_said, new_ports, settings_of, steps_of


class PageTests(SimpleTestCase):
    def test_it_reads_commands_and_what_they_print(self) -> None:
        page = "Words.\n\n```sh terminal\nmake run A=1\n```\n\n```sh\necho a\n```\n\n```text\na\n```\n"

        found = steps_of(page)

        self.assertEqual(found, [Step(3, "make run A=1\n", is_terminal=True), Step(7, "echo a\n", "a\n")])

    def test_it_refuses_blocks_that_nobody_would_run(self) -> None:
        for page in ("```text\na\n```\n", "```bash\nls\n```\n", "```sh terminal\nls\n```\n\n```text\na\n```\n"):
            with self.subTest(page), self.assertRaises(ValueError):
                steps_of(page)

    def test_it_compares_what_is_printed(self) -> None:
        for prints, said, is_same in (
            ("a\nb\n", "a\nb", True),
            ("a … c\n", "a\nb c\n", False),
            ("a … c", "a b\nb c", True),
            ("a", "a\nb", False),
            ("", "a", False),
        ):
            with self.subTest(prints=prints, said=said):
                self.assertEqual(is_said(prints, said), is_same)

    def test_it_reads_the_settings_of_a_server(self) -> None:
        self.assertEqual(settings_of("make run SPLUNK_URL=http://x:1 LAG=1"), {"SPLUNK_URL": "http://x:1", "LAG": "1"})

    def test_it_says_where_something_else_is_printed(self) -> None:
        with Tour("README.md", new_ports(), print) as tour, self.assertRaisesMessage(AssertionError, "line 7"):
            tour.take(Step(7, "echo b", "a"))

    def test_it_says_where_a_command_fails(self) -> None:
        with Tour("README.md", new_ports(), print) as tour, self.assertRaisesMessage(AssertionError, "no such thing"):
            tour.take(Step(7, "echo no such thing >&2; false"))

    def test_it_has_a_test_for_every_page(self) -> None:
        tests = "".join(one.read_text(encoding="utf-8") for one in Path(__file__).parent.glob("test_*.py"))

        pages = {page.name for page in TOURS.glob("*.md")} - {"README.md"}

        self.assertEqual(set(re.findall(r'    page = "([\w-]+\.md)"', tests)), pages)
