"""Byte order marks."""

import codecs

from django.test import SimpleTestCase

from core.text.encodings import marked_as, unmarked

MARKED = {
    "utf-8-sig": codecs.BOM_UTF8 + "Lüfter".encode(),
    "utf-16": codecs.BOM_UTF16_BE + "Lüfter".encode("utf-16-be"),
    "utf-32": codecs.BOM_UTF32_LE + "Lüfter".encode("utf-32-le"),
}


class MarkTests(SimpleTestCase):
    def test_it_knows_an_encoding_by_its_mark(self) -> None:
        found = [marked_as(body) for body in (*MARKED.values(), "Lüfter".encode(), b"")]

        self.assertEqual(found, [*MARKED, "", ""])

    def test_it_leaves_the_mark_out(self) -> None:
        found = [unmarked(body) for body in (*MARKED.values(), b"\n " + MARKED["utf-8-sig"])]

        self.assertEqual(found, ["Lüfter".encode()] * 4)

    def test_it_leaves_everything_else_alone(self) -> None:
        for body in (b"", b" {}", b"\x00\xff", "L\ufeff".encode()):
            with self.subTest(body):
                self.assertEqual(unmarked(body), body)
