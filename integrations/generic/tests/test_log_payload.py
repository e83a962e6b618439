"""Log lines in JSON."""

from django.test import SimpleTestCase

from intake.requests import IntakeRequest
from integrations.generic import log_payload as own


class OwnTests(SimpleTestCase):
    def test_it_says_which_line_was_none(self):
        parsed = own.parse(IntakeRequest("POST", "/", {}, b'{"message": "a"}\nnonsense\n[]\n'))

        self.assertEqual((len(parsed.lines), parsed.rejected), (1, 2))
        self.assertIn("Line 2 is not valid JSON", parsed.summary)
        self.assertIn("Line 3 is not an object", parsed.summary)

    def test_it_reads_json_that_curl_calls_a_form(self):
        headers = {"content-type": "application/x-www-form-urlencoded"}

        parsed = own.parse(IntakeRequest("POST", "/", headers, b'{"message": "a=b&c"}'))

        self.assertEqual(parsed.lines[0].message, "a=b&c")

    def test_it_keeps_a_time_that_is_none_as_it_came(self):
        line = own.parse(IntakeRequest("POST", "/", {}, b'{"message": "a", "timestamp": "yesterday"}')).lines[0]

        self.assertIsNone(line.timestamp)
        self.assertEqual(line.attributes, {"timestamp": "yesterday"})
