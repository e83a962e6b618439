"""Whatever strangers send: the helpers that take values out of it, each with a table."""

import datetime as dt

from django.test import SimpleTestCase

from alerts.reading import values as reading
from intake.requests import IntakeError, IntakeRequest


def utc(*parts: int) -> dt.datetime:
    return dt.datetime(*parts, tzinfo=dt.UTC)


MOMENTS = {
    # digits, in seconds and finer
    1437122578: utc(2015, 7, 17, 8, 42, 58),
    1437122578.315: utc(2015, 7, 17, 8, 42, 58, 315000),
    "1437122578": utc(2015, 7, 17, 8, 42, 58),
    " 1437122578.5 ": utc(2015, 7, 17, 8, 42, 58, 500000),
    1437122578315: utc(2015, 7, 17, 8, 42, 58, 315000),
    "1437122578315": utc(2015, 7, 17, 8, 42, 58, 315000),
    1437122578315123: utc(2015, 7, 17, 8, 42, 58, 315123),
    1437122578315123456: utc(2015, 7, 17, 8, 42, 58, 315123),
    "1437122578315123456": utc(2015, 7, 17, 8, 42, 58, 315123),
    1437122578315123200.0: utc(2015, 7, 17, 8, 42, 58, 315123),
    # words
    "2015-07-17T08:42:58.315+0000": utc(2015, 7, 17, 8, 42, 58, 315000),
    "2015-07-17T08:42:58Z": utc(2015, 7, 17, 8, 42, 58),
    "2015-07-17t08:42:58z": utc(2015, 7, 17, 8, 42, 58),
    "2015-07-17T08:42:58": utc(2015, 7, 17, 8, 42, 58),
    "2015-07-17T08:42": utc(2015, 7, 17, 8, 42),
    "2015-07-17 08:42:58,315": utc(2015, 7, 17, 8, 42, 58, 315000),
    "2015-07-17 08:42:58 UTC": utc(2015, 7, 17, 8, 42, 58),
    "2015-07-17 08:42:58.1 +0000 UTC": utc(2015, 7, 17, 8, 42, 58, 100000),
    "2015-07-17T08:42:58.123456789Z": utc(2015, 7, 17, 8, 42, 58, 123456),
    "2015-07-17T08:42:58-0330": utc(2015, 7, 17, 12, 12, 58),
    "2015-07-17T08:42:58+02:00": utc(2015, 7, 17, 6, 42, 58),
    "2015-07-17T08:42:58+02": utc(2015, 7, 17, 6, 42, 58),
}
NO_MOMENTS = (
    None,
    True,
    False,
    "",
    0,
    0.0,
    "0",
    -1,
    "-1437122578",
    1e300,
    10**400,
    float("nan"),
    float("inf"),
    float("-inf"),
    "nan",
    "inf",
    "1e300",
    "9" * 400,
    "٣٤٥٦٧٨٩٠١٢",
    [1437122578],
    {"at": 1437122578},
    "yesterday",
    "2015-07-17",
    "2015-13-17T08:42:58Z",
    "2015-07-17T25:42:58Z",
    "2015-07-17T08:42:58+99:00",
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00-12:00",
    "0001-01-01T00:00:00+14:00",
    "0000-00-00T00:00:00Z",
    "1970-01-01T00:00:00Z",
    "1970-01-01T03:00:00+14:00",
    "9999-12-31T23:59:59-12:00",
    "9999-12-31T23:59:59Z",
    "2015-07-17T08:42:58Z\nnonsense",
)
TEXTS = (
    (None, ""),
    (True, "true"),
    (False, "false"),
    (0, "0"),
    (2.5, "2.5"),
    (" a ", "a"),
    ("a\0b", "ab"),
    ([], ""),
    ({}, ""),
    ([1, None, "ü"], '[1,null,"ü"]'),
    ({"a": {"b": True}}, '{"a":{"b":true}}'),
)
ADDRESSES = {
    "https://example.org/a?b=c#d": True,
    "HTTP://example.org": True,
    "https://": False,
    "http:///path": False,
    "javascript:alert(1)": False,
    "//example.org": False,
    "https://example.org/a b": False,
    "https://example.org/\nSet-Cookie: a": False,
    "": False,
}


class MomentTests(SimpleTestCase):
    def test_it_reads_the_times_that_senders_write(self):
        for value, expected in MOMENTS.items():
            with self.subTest(value=value):
                self.assertEqual(reading.moment(value), expected)

    def test_it_takes_everything_else_for_no_time(self):
        for value in NO_MOMENTS:
            with self.subTest(value=str(value)[:40] if not isinstance(value, int) else "number"):
                self.assertIsNone(reading.moment(value))


class ValueTests(SimpleTestCase):
    def test_it_makes_text_of_anything(self):
        for value, expected in TEXTS:
            with self.subTest(value=value):
                self.assertEqual(reading.text(value), expected)

    def test_it_takes_the_first_that_says_anything(self):
        self.assertEqual(reading.first(None, "", [], " ", 0, "later"), "0")
        self.assertEqual(reading.first(None, ""), "")
        self.assertEqual(reading.first(), "")

    def test_it_keeps_only_objects(self):
        self.assertEqual(reading.mapping({"a": 1}), {"a": 1})
        self.assertEqual([reading.mapping(value) for value in (None, [], "x", 1, True)], [{}] * 5)
        self.assertEqual(reading.objects([1, None, "x", {}, {"a": 1}, []]), [{}, {"a": 1}])
        self.assertEqual([reading.objects(value) for value in (None, {"a": 1}, "x", 7)], [[]] * 4)

    def test_it_leaves_out_labels_that_say_nothing(self):
        value = {"a": 1, "b": None, "c": "", "d": [], "e\0": "x\0", "": "nameless", "\0": "nameless", "f": {"g": 1}}

        self.assertEqual(reading.texts(value), {"a": "1", "e": "x", "f": '{"g":1}'})
        self.assertEqual(reading.texts([["a", 1]]), {})
        self.assertEqual(reading.labels(host="db", port=0, none=None), {"host": "db", "port": "0"})

    def test_it_takes_a_hundred_thousand_labels(self):
        value = {f"name{number}": "x" * 50 for number in range(100_000)}

        self.assertEqual(len(reading.texts(value)), 100_000)

    def test_it_links_only_where_a_browser_should_go(self):
        for address, is_link in ADDRESSES.items():
            with self.subTest(address=address):
                expected = ({"href": address, "text": "There"},) if is_link else ()

                self.assertEqual(reading.links(("There", address)), expected)
        self.assertEqual(reading.links(("a", None), ("b", 7), ("c", ["https://example.org"])), ())

    def test_it_knows_the_common_words_of_severity(self):
        words = {
            "CRITICAL": "critical",
            "p1": "critical",
            "Error": "high",
            " warning ": "medium",
            "info": "low",
            "P5": "low",
            "": "",
            "purple": "",
        }

        for word, expected in words.items():
            with self.subTest(word=word):
                self.assertEqual(reading.severity(word), expected)
        self.assertEqual([reading.severity(value) for value in (None, ["critical"], {}, 1, True)], [""] * 5)
        self.assertEqual(reading.severity(4, {"4": "high"}), "high")


class BodyTests(SimpleTestCase):
    def test_it_reads_an_object_whatever_its_type_says(self):
        request = IntakeRequest("POST", "/", {"content-type": "text/plain"}, b' {"a": 1}\n')

        self.assertEqual(reading.json_object(request), {"a": 1})

    def test_it_refuses_what_is_no_object(self):
        for body in (b"", b"[]", b"null", b'"a"', b"1", b"a=b"):
            with self.subTest(body=body), self.assertRaises(IntakeError) as refused:
                reading.json_object(IntakeRequest("POST", "/", {}, body))
            self.assertEqual(refused.exception.status, 400)
