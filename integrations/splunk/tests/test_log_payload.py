"""Splunk's events."""

from django.test import SimpleTestCase

from intake.requests import IntakeRequest
from integrations.splunk import log_payload as hec


class HecTests(SimpleTestCase):
    def test_it_reads_what_stands_before_a_broken_event(self):
        parsed = hec.parse(IntakeRequest("POST", "/services/collector", {}, b'{"event": "a"}{"event": "b"}{"event":'))

        self.assertEqual([line.message for line in parsed.lines], ["a", "b"])
        self.assertEqual(parsed.rejected, 1)

    def test_it_has_splunk_s_number_for_nothing(self):
        with self.assertRaises(hec.HecError) as caught:
            hec.parse(IntakeRequest("POST", "/services/collector", {}, b"  "))

        self.assertEqual(caught.exception.code, 5)
