"""OTLP's log records."""

import base64
import json
from pathlib import Path

from django.test import SimpleTestCase

from intake.requests import IntakeRequest
from integrations.opentelemetry import log_payload as otlp
from logs.lines import Parsed
from logs.vocabulary import Level

CAPTURED = Path(__file__).resolve().parents[4] / "shared" / "data" / "payloads"


class OtlpTests(SimpleTestCase):
    def test_it_ranks_by_number_then_word_then_text(self):
        expected = [level for level in Level for _ in range(4)]

        self.assertEqual([otlp.level_of_number(number, "", "") for number in range(1, 25)], expected)
        self.assertEqual(otlp.level_of_number(0, "Error2", ""), Level.ERROR)
        self.assertEqual(otlp.level_of_number(0, "", "panic: out of it"), Level.CRITICAL)
        self.assertEqual(otlp.level_of_number(99, "", ""), Level.INFO)

    def test_it_answers_in_the_request_s_encoding(self):
        rejected = Parsed(rejected=2, reasons=["Log record 1 is not an object."])
        message = otlp.ExportLogsServiceResponse.FromString(otlp.response(rejected, as_json=False))

        self.assertEqual(message.partial_success.rejected_log_records, 2)
        self.assertEqual(otlp.response(Parsed(), as_json=False), b"")
        self.assertEqual(json.loads(otlp.response(Parsed(), as_json=True)), {"partialSuccess": {}})
        self.assertEqual(json.loads(otlp.response(rejected, as_json=True))["partialSuccess"]["rejectedLogRecords"], "2")

    def test_it_writes_a_failure_as_a_status(self):
        body = otlp.status(403, "é" * 100, as_json=False)

        self.assertEqual(body[:5], b"\x08\x07\x12\xc8\x01")
        self.assertEqual(body[5:].decode(), "é" * 100)
        self.assertEqual(json.loads(otlp.status(401, "No.", as_json=True)), {"code": 16, "message": "No."})

    def test_it_reads_what_a_python_exporter_really_sent(self):
        path = CAPTURED / "captured_examples" / "005_POST_v1_logs.json"
        if not path.is_file():
            self.skipTest("the recorded requests are not there")
        request = json.loads(path.read_text(encoding="utf-8"))
        headers = {name.lower(): value for name, value in request["headers"]}

        lines = otlp.parse(IntakeRequest("POST", "/v1/logs", headers, base64.b64decode(request["raw_b64"]))).lines

        self.assertEqual([line.message for line in lines[:2]], ["user 42 logged in", "slow query 1.9s"])
        self.assertEqual([line.level for line in lines[:3]], [Level.INFO, Level.WARNING, Level.ERROR])
        self.assertEqual({line.service for line in lines}, {"checkout"})
        self.assertEqual({line.host for line in lines}, {"web-1"})
        self.assertEqual(lines[2].message, "payment failed ünï©ode ☃")
