"""docs/reported-failures.md: every line has a test that holds it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from django.test import SimpleTestCase

from tests.reported import reported_failure

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reported-failures.md"
FOLDERS = ("core", "users", "responders", "incidents", "paging", "notifications", "tests")


def marked() -> Iterator[tuple[int, str]]:
    """The numbers of each marked test, and its name."""
    for path in sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                yield from ((number, f"{path.name} {node.name}") for number in numbers_of(node))


def numbers_of(test: ast.FunctionDef) -> list[int]:
    calls = [one for one in test.decorator_list if isinstance(one, ast.Call)]
    marks = [one for one in calls if isinstance(one.func, ast.Name) and one.func.id == reported_failure.__name__]
    return [ast.literal_eval(argument) for mark in marks for argument in mark.args]


class ReportedFailureTests(SimpleTestCase):
    def test_it_holds_every_line_by_a_test(self):
        lines = {int(number) for number in re.findall(r"^\| (\d+) \|", PAGE.read_text("utf-8"), re.M)}

        held = {number for number, _name in marked()}

        self.assertEqual(lines, set(range(1, 26)))
        self.assertEqual(lines - held, set())
        self.assertEqual(held - lines, set())
