"""Requests as they come: compressed or not, damaged, too large, and JSON that only claims to be."""

import gzip
import time
import zlib
from unittest import mock

import orjson
from django.test import SimpleTestCase

from intake import requests as module
from intake.requests import MAX_BYTES, MAX_DEPTH, IntakeError, IntakeRequest, IntakeResponse, read_json

TEXT = b'{"message": "' + bytes(range(32, 127)).replace(b'"', b"").replace(b"\\", b"") * 20 + b'"}'


def deflated(body: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-15)
    return stream.compress(body) + stream.flush()


def request(body: bytes, encoding: str = "", query: str = "") -> IntakeRequest:
    return IntakeRequest("POST", "/", {"content-encoding": encoding} if encoding else {}, body, query, "192.0.2.1")


class UnpackedTests(SimpleTestCase):
    def assert_refused(self, body: bytes, status: int, encoding: str = "") -> None:
        with self.assertRaises(IntakeError) as refused:
            _ = request(body, encoding).unpacked
        self.assertEqual(refused.exception.status, status)
        self.assertTrue(refused.exception.message.endswith("."))

    def test_it_unpacks_by_content_whatever_is_declared(self):
        packed = {"gzip": gzip.compress(TEXT), "zlib": zlib.compress(TEXT), "stored": zlib.compress(TEXT, 0)}

        for name, body in packed.items():
            for encoding in ("", "gzip", "deflate", "gzip,deflate", "identity", "nonsense"):
                with self.subTest(name=name, encoding=encoding):
                    self.assertEqual(request(body, encoding).unpacked.body, TEXT)

    def test_it_unpacks_raw_deflate_where_it_is_declared(self):
        for encoding in ("deflate", "Deflate", "gzip, deflate"):
            with self.subTest(encoding=encoding):
                self.assertEqual(request(deflated(TEXT), encoding).unpacked.body, TEXT)
        self.assertEqual(request(deflated(TEXT)).unpacked.body, deflated(TEXT))

    def test_it_keeps_everything_else_of_the_request(self):
        packed = request(gzip.compress(TEXT), "gzip", query="a=1")

        unpacked = packed.unpacked

        self.assertEqual((unpacked.method, unpacked.path, unpacked.headers), ("POST", "/", packed.headers))
        self.assertEqual((unpacked.query, unpacked.address), ("a=1", "192.0.2.1"))

    def test_it_leaves_alone_what_is_not_compressed(self):
        bodies = (
            b"",
            b"x",
            b"xy",
            TEXT,
            b"x^2 + y^2 = z^2",
            b"x\x5e",
            b"x hello",
            b"x?",
            b"x}",
            "x^ü".encode(),
            b"[1]",
        )

        for body in bodies:
            for encoding in ("", "gzip", "deflate", "gzip,deflate"):
                with self.subTest(body=body[:20], encoding=encoding):
                    self.assertEqual(request(body, encoding).unpacked.body, body)

    def test_it_unpacks_all_parts_of_a_gzip_file(self):
        self.assertEqual(request(gzip.compress(b"one ") + gzip.compress(b"two")).unpacked.body, b"one two")
        self.assertEqual(request(gzip.compress(b"padded") + bytes(512)).unpacked.body, b"padded")

    def test_it_refuses_what_is_cut_off(self):
        for name, body in {"gzip": gzip.compress(TEXT), "zlib": zlib.compress(TEXT)}.items():
            for length in (8, len(body) // 2, len(body) - 1):
                with self.subTest(name=name, length=length):
                    self.assert_refused(body[:length], 400)
        self.assert_refused(deflated(TEXT)[:-9], 400, "deflate")

    def test_it_refuses_what_is_damaged(self):
        good = gzip.compress(TEXT)

        self.assert_refused(good[:20] + bytes(9) + good[29:], 400)
        self.assert_refused(good[:-8] + b"\xff" * 8, 400)
        self.assert_refused(good + b"something follows", 400)
        self.assert_refused(b"\x1f\x8b", 400)

    def test_it_refuses_bombs_without_unpacking_them(self):
        bombs = {
            "gzip": gzip.compress(bytes(MAX_BYTES + 1)),
            "zlib": zlib.compress(bytes(5 * MAX_BYTES)),
            "two": gzip.compress(bytes(MAX_BYTES)) + gzip.compress(b"x"),
        }

        for name, body in bombs.items():
            with self.subTest(name=name):
                self.assert_refused(body, 413)
        self.assert_refused(deflated(bytes(MAX_BYTES + 1)), 413, "deflate")
        self.assertEqual(len(request(gzip.compress(bytes(MAX_BYTES))).unpacked.body), MAX_BYTES)

    def test_it_refuses_a_hundred_thousand_empty_parts_at_once(self):
        began = time.perf_counter()

        self.assert_refused(gzip.compress(b"") * 100_000, 400)

        self.assertLess(time.perf_counter() - began, 2)


class ReadJsonTests(SimpleTestCase):
    def assert_refused(self, body: bytes) -> None:
        with self.assertRaises(IntakeError) as refused:
            read_json(body)
        self.assertEqual(refused.exception.status, 400)

    def test_it_reads_json_with_or_without_a_byte_order_mark(self):
        self.assertEqual(
            read_json(b' {"a": [1, 2.5, null, "\xc3\xbc", "\\ud83d\\ude00"]} '), {"a": [1, 2.5, None, "ü", "😀"]}
        )
        self.assertEqual(read_json(b"\xef\xbb\xbf[]"), [])

    def test_it_refuses_what_the_standard_does_not_know(self):
        bodies = (
            b"",
            b"NaN",
            b"[Infinity]",
            b'{"a": -Infinity}',
            b"1e400",
            b'"\\ud800"',
            b'{"\\udfff": 1}',
            b'"\xed\xa0\x80"',
            b'"\xfc"',
            '{"a": 1}'.encode("utf-16"),
            b'{"a": 1}{"a": 2}',
            b"{'a': 1}",
            b'{"a": 1,}',
            b"// a\n1",
            b'"\0"',
        )

        for body in bodies:
            with self.subTest(body=body):
                self.assert_refused(body)

    def test_it_reads_as_deep_as_allowed_and_no_deeper(self):
        for opening, closing in ((b"[", b"]"), (b'{"a":', b"}")):
            with self.subTest(opening=opening):
                read_json(opening * MAX_DEPTH + b"1" + closing * MAX_DEPTH)

                self.assert_refused(opening * (MAX_DEPTH + 1) + b"1" + closing * (MAX_DEPTH + 1))
                self.assert_refused(opening * 100_000 + b"1" + closing * 100_000)

    def test_it_takes_many_brackets_side_by_side(self):
        self.assertEqual(len(read_json(b"[" + b"[]," * 5000 + b'"[[[{{{"]')), 5001)

    def test_it_reads_as_many_values_as_allowed_and_no_more(self):
        cases = {b'{"a": [1, 2], "b": {}}': 5, b'["a,b,[[", "\\"", 1, {"{": "[\\\\"}]': 5, b"[[], [], [[]]]": 7}
        for body, values in cases.items():
            with self.subTest(body=body):
                read_json(body, values)

                with self.assertRaises(IntakeError) as refused:
                    read_json(body, values - 1)
                self.assertEqual(refused.exception.status, 413)

    def test_it_makes_no_values_of_what_has_too_many(self):
        with mock.patch.object(module.orjson, "loads") as made, self.assertRaises(IntakeError):
            read_json(b"[" + b"{}," * 2_000_000 + b"{}]")

        made.assert_not_called()

    def test_it_counts_in_time_whatever_is_left_open(self):
        for body in (b'["' + b'\\"' * 2_000_000, b'["' + b"\\" * 2_000_001, b"[" + b'",' * 1_500_000):
            with self.subTest(body=body[:10]), self.assertRaises(IntakeError):
                read_json(body, 10)

    def test_it_measures_the_depth_only_where_there_are_brackets_enough(self):
        with mock.patch.object(module, "_depth") as depth:
            read_json(b"[" * 10 + b"]" * 10)

        depth.assert_not_called()


class IntakeRequestTests(SimpleTestCase):
    def test_it_unpacks_and_parses_its_body_once(self) -> None:
        packed = request(gzip.compress(b'{"a": 1.50}'))

        with mock.patch("intake.requests.orjson.loads", wraps=orjson.loads) as loads:
            read = [packed.unpacked.json, packed.unpacked.json, packed.unpacked.unpacked.json]

        self.assertTrue(all(one is read[0] for one in read))
        self.assertEqual((read[0], loads.call_count), ({"a": "1.50"}, 2))  # the second looks at what it made exact

    def test_it_takes_another_body_without_parsing_it(self) -> None:
        changed = request(b"{}").with_json({"a": 1})

        with mock.patch("intake.requests.orjson.loads") as loads:
            self.assertEqual((changed.body, changed.json), (b'{"a":1}', {"a": 1}))
        loads.assert_not_called()

    def test_it_gives_the_first_value_of_a_parameter(self):
        asked = request(b"", query="key=a%2Fb&key=c&empty=&%FF=1")

        self.assertEqual([asked.parameter(name) for name in ("key", "empty", "none")], ["a/b", "", ""])

    def test_it_tells_the_media_type_without_its_parameters(self):
        for declared, expected in {
            "Text/Plain; charset=UTF-8": "text/plain",
            " application/json ": "application/json",
            "": "",
        }.items():
            with self.subTest(declared=declared):
                self.assertEqual(IntakeRequest("POST", "/", {"content-type": declared}).media_type, expected)
        self.assertEqual(IntakeRequest("POST", "/", {}).media_type, "")

    def test_it_keeps_bodies_worth_a_look_only(self):
        kept = {status: IntakeError("No.", status=status).is_stored for status in (400, 401, 403, 404, 413, 422, 429)}

        self.assertEqual([status for status, is_stored in kept.items() if is_stored], [400, 403, 422])
        self.assertFalse(IntakeError("No.", is_stored=False).is_stored)

    def test_it_replies_in_json(self):
        response = IntakeResponse.json(202, {"accepted": 1}, **{"X-A": "b"})

        self.assertEqual((response.status, response.body, response.headers), (202, b'{"accepted":1}', {"X-A": "b"}))
        self.assertEqual(response.media_type, "application/json")
