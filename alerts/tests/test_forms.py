"""Forms as strangers send them, urlencoded and multipart."""

import time

from django.test import SimpleTestCase

from alerts.reading import forms as _forms
from intake.requests import IntakeError, IntakeRequest


class PairTests(SimpleTestCase):
    def test_it_reads_pairs_and_keeps_the_first(self):
        self.assertEqual(_forms.pairs(b"a=1&a=2&b=%C3%BC+c&d="), {"a": "1", "b": "ü c", "d": ""})
        self.assertEqual(_forms.pairs("a=%ff\ud800"), {"a": "�?"})
        self.assertEqual(_forms.pairs(""), {})

    def test_it_refuses_more_fields_than_anybody_needs(self):
        with self.assertRaises(IntakeError):
            _forms.pairs("&".join(f"a{number}=1" for number in range(_forms.MAX_FIELDS + 1)))


class MultipartTests(SimpleTestCase):
    def multipart(self, body: bytes, boundary: str = "boundary=X") -> dict[str, str]:
        headers = {"content-type": f"multipart/form-data; {boundary}"}
        return _forms.form(IntakeRequest("POST", "/", headers, body))

    def test_it_reads_fields_and_files(self):
        body = (
            b'--X\r\nContent-Disposition: form-data; name="data"\r\nContent-Type: application/json\r\n\r\n{"a": "\r\n"}'
            b'\r\n--X\r\ncontent-disposition: form-data; filename="f"; name=file\r\n\r\n\xff\0'
            b'\r\n--X\r\nContent-Disposition: form-data; name="data"\r\n\r\nsecond\r\n--X--\r\n'
        )

        for boundary in ("boundary=X", 'boundary="X"', "charset=utf-8; Boundary=X; a=b"):
            with self.subTest(boundary=boundary):
                self.assertEqual(self.multipart(body, boundary), {"data": '{"a": "\r\n"}', "file": "�\0"})

    def test_it_finds_no_fields_in_what_is_damaged(self):
        for body in (
            b"",
            b"--X--",
            b"--X\r\n\r\nvalue\r\n--X--",
            b'--Y\r\nContent-Disposition: form-data; name="a"',
            b"\0",
        ):
            with self.subTest(body=body):
                self.assertEqual(self.multipart(body), {})

    def test_it_does_not_look_for_a_name_for_ever(self):
        began = time.perf_counter()

        found = self.multipart(b"--X\r\n" + b"Content-Disposition:" * 200_000 + b"\r\n\r\nvalue")

        self.assertEqual(found, {})
        self.assertLess(time.perf_counter() - began, 2)

    def test_it_refuses_what_it_cannot_divide(self):
        for body, boundary in ((b"--X", "charset=utf-8"), (b"--X\r\n" * 1000, "boundary=X")):
            with self.subTest(boundary=boundary), self.assertRaises(IntakeError) as refused:
                self.multipart(body, boundary)
            self.assertEqual(refused.exception.status, 400)
