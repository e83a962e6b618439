"""OTLP's endpoint: its answers in the request's encoding."""

import base64

from intake.models import IntakeEvent
from intake.readers import examples
from intake.vocabulary import IntakeState
from logs.formats import formats
from logs.tests.endpoints import LogEndpointTests

OTLP = examples(formats()["otlp"], "logs")[0]["body"]


class OtlpEndpointTests(LogEndpointTests):
    def test_it_takes_json_and_answers_json(self) -> None:
        answer = self.post("/v1/logs", OTLP)

        self.assertEqual((answer.status_code, answer.json()), (200, {"partialSuccess": {}}))
        self.assertEqual(self.messages(), ["Example log record"])

    def test_it_takes_protobuf_in_gzip_and_answers_protobuf(self) -> None:
        body = base64.b64decode(examples(formats()["otlp"], "logs")[2]["base64"])

        answer = self.post("/v1/logs", body, **{"content-type": otlp_type(), "content-encoding": "gzip"})

        self.assertEqual((answer.status_code, answer["Content-Type"], answer.content), (200, otlp_type(), b""))
        self.assertEqual(self.messages(), ["slow query 1.9s"])

    def test_it_says_what_it_did_not_take(self) -> None:
        records = {"resourceLogs": [{"scopeLogs": [{"logRecords": [1, {"body": {"stringValue": "good"}}]}]}]}

        answer = self.post("/v1/logs", records)

        self.assertEqual(answer.status_code, 200)
        self.assertEqual(answer.json()["partialSuccess"]["rejectedLogRecords"], "1")
        self.assertEqual(self.messages(), ["good"])

    def test_it_refuses_in_the_requests_encoding(self) -> None:
        answer = self.post("/v1/logs", b"\xff\xff", **{"content-type": otlp_type()})
        unknown = self.post("/v1/logs", OTLP, key="nonsense")

        self.assertEqual((answer.status_code, answer["Content-Type"]), (400, otlp_type()))
        self.assertIn(b"not an OTLP ExportLogsServiceRequest", answer.content)
        self.assertEqual((unknown.status_code, unknown.json()["code"]), (403, 7))
        self.assertEqual(IntakeEvent.objects.get().state, IntakeState.FAILED)


def otlp_type() -> str:
    return "application/x-protobuf"
