import datetime as dt
import json

from django.test import SimpleTestCase

from logs.lines import Line
from logs.normalising import ATTRIBUTES_LENGTH, MESSAGE_LENGTH, attributes_json, normalised

NOW = dt.datetime(2026, 11, 21, 9, 30, tzinfo=dt.UTC)


class NormalisingTests(SimpleTestCase):
    def test_it_leaves_a_line_that_fits_as_it_is(self):
        line = Line("Zürich 満杯", NOW, service="a", host="b", trace_id="c")

        self.assertIs(normalised(line, NOW), line)

    def test_it_cuts_a_line_of_a_megabyte_with_a_mark(self):
        message = normalised(Line("x" * 1_048_576, NOW), NOW).message

        self.assertTrue(message.startswith("x" * MESSAGE_LENGTH))
        self.assertTrue(message.endswith("… [cut: it has 1,048,576 characters]"))

    def test_it_cuts_names(self):
        line = normalised(Line("x", NOW, service="s" * 500, host="h" * 500, trace_id="f" * 99), NOW)

        self.assertEqual((len(line.service), len(line.host), len(line.trace_id)), (100, 200, 32))

    def test_it_takes_out_what_no_database_takes(self):
        line = normalised(Line("a\0b\ud800c", NOW, service="\0"), NOW)

        self.assertEqual((line.message, line.service), ("ab?c", ""))

    def test_it_takes_the_time_of_receipt_for_one_that_cannot_be(self):
        for timestamp in (dt.datetime(1, 1, 1, tzinfo=dt.UTC), dt.datetime(9999, 12, 31, tzinfo=dt.UTC)):
            with self.subTest(timestamp=timestamp):
                line = normalised(Line("x", timestamp), NOW)

                self.assertEqual(line.timestamp, NOW)
                self.assertEqual(line.attributes, {"sent_timestamp": timestamp.isoformat()})

    def test_it_takes_the_time_of_receipt_where_none_was_said(self):
        self.assertEqual(normalised(Line("x"), NOW).timestamp, NOW)

    def test_it_leaves_out_attributes_that_have_no_room_and_counts_them(self):
        written = attributes_json({"a": 1, "long": "x" * ATTRIBUTES_LENGTH, "b": 2})

        self.assertEqual(json.loads(written), {"a": 1, "b": 2, "attributes_dropped": 1})

    def test_it_writes_what_json_has_no_word_for(self):
        deep: list = []
        for _ in range(300):
            deep = [deep]

        written = json.loads(attributes_json({"big": 10**30, "s": "\ud800", "n": float("nan"), "deep": deep}))

        self.assertEqual((written["big"], written["s"], written["n"]), ("1" + "0" * 30, "?", None))
        self.assertIn("…", json.dumps(written["deep"], ensure_ascii=False))
