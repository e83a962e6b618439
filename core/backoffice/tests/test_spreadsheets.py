import re
from itertools import product

from django.test import SimpleTestCase

from core.backoffice.spreadsheets import cell, escape_formula, unescape_formula


class EscapingTests(SimpleTestCase):
    def test_it_defuses_what_a_spreadsheet_would_run(self) -> None:
        for text in ("=1", "+1", "-1", "@x", "\tx", "\rx", "\nx", "  =1", "\uff1d1"):
            with self.subTest(text):
                self.assertEqual(escape_formula(text), f"'{text}")
                self.assertEqual(unescape_formula(escape_formula(text)), text)

    def test_it_defuses_where_another_cell_may_begin(self) -> None:
        table = {
            "x;=1+1": "x;'=1+1",
            "x; =1": "x;' =1",
            'x;"=1"': 'x;\'"=1"',
            "a\n=1": "a\n'=1",
            "a\r\n-1": "a\r\n'-1",
            "\n=1": "'\n'=1",
            "a\t@x": "a\t'@x",
            "a;\uff0b1;b;-2": "a;'\uff0b1;b;'-2",
            "=1;=2": "'=1;'=2",
            "\u00a0=1": "'\u00a0=1",
            "\ufeff=1": "'\ufeff=1",
            '"=1': "'\"=1",
            "\ufe66 1": "'\ufe66 1",
        }
        for text, expected in table.items():
            with self.subTest(text):
                self.assertEqual(escape_formula(text), expected)
                self.assertEqual(unescape_formula(expected), text)

    def test_it_restores_whatever_it_was_given(self) -> None:
        for length in range(1, 6):
            for letters in product("x'=;\t\n ", repeat=length):
                text = "".join(letters)
                self.assertEqual(unescape_formula(escape_formula(text)), text, repr(text))
                again = escape_formula(escape_formula(text))
                self.assertEqual(unescape_formula(unescape_formula(again)), text, repr(text))

    def test_it_leaves_nothing_that_runs(self) -> None:
        for letters in product('x=;\r\n "', repeat=5):
            for piece in re.split(r"[;\r\n]", escape_formula("".join(letters))):
                self.assertFalse(piece.strip(' "').startswith("="), repr(letters))

    def test_it_replaces_what_no_file_can_hold(self) -> None:
        self.assertEqual(cell("Iv\bn\x00\x1f\ud800 tab\t"), "Iv\ufffdn\ufffd\ufffd\ufffd tab\t")
        self.assertEqual((cell(5), cell(None), cell("\b=1")), (5, None, "\ufffd=1"))

    def test_it_leaves_everything_else_alone(self) -> None:
        for value in ("plain", "1 = 1", "'quoted", "two\nlines", "a; b", "a-b", "", 5, None):
            with self.subTest(value):
                self.assertEqual(escape_formula(value), value)
                self.assertEqual(unescape_formula(value), value)
