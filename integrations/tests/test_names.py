"""Names that senders choose, and what is found by them."""

import time

from django.test import SimpleTestCase

from alerts.reading.names import plain_texts
from intake.requests import IntakeError


class PlainTextsTests(SimpleTestCase):
    def test_it_finds_nested_dotted_and_separated_names_alike(self):
        for body in ({"host": {"name": "db"}}, {"host.name": "db"}, {"HOST_NAME": "db"}, {"hostName": " db "}):
            with self.subTest(body=body):
                self.assertEqual(plain_texts(body), {"hostname": "db"})

    def test_it_keeps_the_first_of_twins_and_lists_simple_values(self):
        body = {"a_b": "first", "a": {"b": "second"}, "tags": ["x", 2], "deep": [{"c": 1}], "no": None}

        self.assertEqual(plain_texts(body), {"ab": "first", "tags": "x, 2", "deep": '[{"c":1}]'})

    def test_it_leaves_out_what_nobody_filled_in(self):
        self.assertEqual(plain_texts({"a": "$A$", "b": "costs $5"}, r"\$\w+\$"), {"b": "costs $5"})

    def test_it_refuses_what_is_no_object_or_holds_too_much(self):
        for body in (None, "x", [1], {str(number): 1 for number in range(2_001)}):
            with self.subTest(body=str(body)[:20]), self.assertRaises(IntakeError):
                plain_texts(body)

    def test_it_takes_long_names_without_growing_for_ever(self):
        began = time.perf_counter()

        found = plain_texts({"x" * 5_000_000: {str(number): 1 for number in range(1_000)}})

        self.assertLess(max(map(len, found)), 200)
        self.assertLess(time.perf_counter() - began, 2)
