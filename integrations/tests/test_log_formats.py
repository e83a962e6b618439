"""Every format against its examples, and against what no sender should send but somebody will."""

import base64
import json
from pathlib import Path

from django.test import SimpleTestCase

from intake.readers import example_request, examples
from intake.requests import IntakeError, IntakeRequest
from integrations.generic import log_payload as own
from integrations.loki import log_payload as loki
from integrations.opentelemetry import log_payload as otlp
from integrations.splunk import log_payload as hec
from logs.fitting import attributes_json
from logs.formats import formats
from logs.lines import Line, Parsed
from logs.reading import python as _python
from logs.vocabulary import Level

CAPTURED = Path(__file__).resolve().parents[3] / "shared" / "data" / "payloads"
DEEP = b'{"a":' * 5000 + b"1" + b"}" * 5000
NESTED = json.dumps({"message": "x", "a": json.loads("[" * 500 + "]" * 500)}).encode()
HOSTILE = (
    b"",
    b" ",
    b"null",
    b"1",
    b"[]",
    b"{}",
    b'"text"',
    b"[[[]]]",
    b"[1, null, true, {}]",
    b'{"message": NaN}',
    b'{"message": "\\ud800", "event": "\\ud800", "short_message": "\\ud800"}',
    b'{"event": "\\ud800"}{"event": {"message": "\\udfff", "\\ud800": 1}}',
    b"\xff\xfe\x00",
    b"\x0a\xff\xff\xff\xff\xff",
    DEEP,
    DEEP + DEEP,
    NESTED + b"\n" + NESTED,
    b'{"message": {"a": [1]}, "level": {}, "timestamp": [], "service": [1], "host": {"x": 1}, "trace_id": 5}',
    b'{"message": "x", "timestamp": "0001-01-01T00:00:00-12:00"}',
    b'{"message": "x", "time": 1e300, "level": -1, "event": "x", "short_message": "x"}',
    b'{"message": "x", "time": ' + b"9" * 400 + b"}",
    b'{"event": "x", "time": ' + b"9" * 5000 + b"}{}",
    b'{"resourceLogs": [1, {"resource": 1, "scopeLogs": [{"logRecords": [1, {"body": 1, "timeUnixNano": "x"}]}]}]}',
    b'{"resourceLogs": [{"scopeLogs": [{"logRecords": [{"timeUnixNano": "99999999999999999999", "traceId": "zz"}]}]}]}',
    b'{"resourceLogs": {"a": 1}}',
    b'{"streams": [1, {"stream": 1, "values": [1, [], ["x", 2], ["99999999999999999999", "y", 3]]}]}',
    b'{"streams": 1}',
)


def to_json(line):
    """A line as plain JSON values; what it does not say is left out."""
    value = {name: getattr(line, name) for name in Line.__slots__}
    value["timestamp"] = line.timestamp.isoformat() if line.timestamp else None
    value["level"] = line.level.word
    return {name: part for name, part in value.items() if part}


class FormatTests(SimpleTestCase):
    def test_it_makes_of_each_example_what_stands_beside_it(self):
        for format, module in formats().items():
            for example in examples(module, "logs"):
                with self.subTest(format=format, example=example["name"]):
                    parsed = module.parse(example_request(example).unpacked())

                    self.assertEqual([to_json(line) for line in parsed.lines], example["lines"])
                    self.assertEqual(parsed.rejected, example.get("rejected", 0))

    def test_it_raises_nothing_but_intake_error_whatever_comes(self):
        for format, module in formats().items():
            for kind in ("", "application/json", "application/x-protobuf", "application/x-www-form-urlencoded"):
                for body in HOSTILE:
                    with self.subTest(format=format, kind=kind, body=body[:60]):
                        self.assertTrue(self._is_answered(module, kind, body))

    def test_it_reads_no_further_what_holds_too_many_values(self):
        body = b"[" + b"{}," * 1_300_000 + b"{}]\n"
        for format, module in formats().items():
            with self.subTest(format=format), self.assertRaises(IntakeError) as refused:
                module.parse(IntakeRequest("POST", "/", {"content-type": "application/json"}, body))
            self.assertEqual(refused.exception.status, 413, format)

    def _is_answered(self, module, kind, body) -> bool:
        try:
            parsed = module.parse(IntakeRequest("POST", "/", {"content-type": kind}, body))
        except IntakeError as error:
            return bool(error.message)
        return all(isinstance(json.loads(attributes_json(line.attributes)), dict) for line in parsed.lines)

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


class OwnTests(SimpleTestCase):
    def test_it_says_which_line_was_none(self):
        parsed = own.parse(IntakeRequest("POST", "/", {}, b'{"message": "a"}\nnonsense\n[]\n'))

        self.assertEqual((len(parsed.lines), parsed.rejected), (1, 2))
        self.assertIn("Line 2 is not valid JSON", parsed.summary)
        self.assertIn("Line 3 is no object", parsed.summary)

    def test_it_reads_json_that_curl_calls_a_form(self):
        headers = {"content-type": "application/x-www-form-urlencoded"}

        parsed = own.parse(IntakeRequest("POST", "/", headers, b'{"message": "a=b&c"}'))

        self.assertEqual(parsed.lines[0].message, "a=b&c")

    def test_it_keeps_a_time_that_is_none_as_it_came(self):
        line = own.parse(IntakeRequest("POST", "/", {}, b'{"message": "a", "timestamp": "yesterday"}')).lines[0]

        self.assertIsNone(line.timestamp)
        self.assertEqual(line.attributes, {"timestamp": "yesterday"})


class PythonTests(SimpleTestCase):
    def test_it_puts_arguments_in_their_places(self):
        for message, args, expected in (
            ("%d of %s", "(1, 'a')", "1 of a"),
            ("%(who)s left", "{'who': 'Bob'}", "Bob left"),
            ("100 %", "()", "100 %"),
            ("%5.2f", "(3.14159,)", " 3.14"),
        ):
            with self.subTest(message=message):
                self.assertEqual(_python.formatted(message, args), (expected, ""))

    def test_it_leaves_alone_what_would_be_dangerous_or_does_not_fit(self):
        for message, args in (
            ("%999999999d", "(1,)"),
            ("%*d", "(999999999, 1)"),
            ("%.999999999f", "(1.0,)"),
            ("%d", "(__import__('os'),)"),
            ("%d %d", "(1,)"),
            ("%(a)s", "(1,)"),
            ("%s", "(" * 3000 + ")" * 3000),
            ("%s", "(9**9**9,)"),
            ("%s", "(<object at 0x7f>,)"),
        ):
            with self.subTest(message=message, args=args[:20]):
                self.assertEqual(_python.formatted(message, args), (message, args))

    def test_it_refuses_a_form_without_a_message(self):
        with self.assertRaises(IntakeError):
            _python.parse(b"a=1&b=2")


class OtlpTests(SimpleTestCase):
    def test_it_ranks_by_number_then_word_then_text(self):
        expected = [level for level in Level for _ in range(4)]

        self.assertEqual([otlp.level_of_number(number, "", "") for number in range(1, 25)], expected)
        self.assertEqual(otlp.level_of_number(0, "Error2", ""), Level.ERROR)
        self.assertEqual(otlp.level_of_number(0, "", "panic: out of it"), Level.CRITICAL)
        self.assertEqual(otlp.level_of_number(99, "", ""), Level.INFO)

    def test_it_answers_in_the_request_s_encoding(self):
        rejected = Parsed(rejected=2, reasons=["Log record 1 is no object."])
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


class LokiTests(SimpleTestCase):
    def test_it_reads_labels_as_go_writes_them(self):
        self.assertEqual(
            loki.labels_of('{a="1", b_c="x,\\"y\\"=\\n}", d=`raw\\`}'), {"a": "1", "b_c": 'x,"y"=\n}', "d": "raw\\"}
        )
        self.assertEqual(loki.labels_of("{}"), {})
        self.assertEqual(loki.labels_of("nonsense"), {})

    def test_it_says_that_protobuf_without_snappy_is_of_another_type(self):
        with self.assertRaises(IntakeError) as caught:
            loki.parse(
                IntakeRequest("POST", "/", {"content-type": "application/x-protobuf"}, b"\xff\xff\xff\xff\x01abc")
            )

        self.assertIn(caught.exception.status, (413, 415))


class HecTests(SimpleTestCase):
    def test_it_reads_what_stands_before_a_broken_event(self):
        parsed = hec.parse(IntakeRequest("POST", "/services/collector", {}, b'{"event": "a"}{"event": "b"}{"event":'))

        self.assertEqual([line.message for line in parsed.lines], ["a", "b"])
        self.assertEqual(parsed.rejected, 1)

    def test_it_has_splunk_s_number_for_nothing(self):
        with self.assertRaises(hec.HecError) as caught:
            hec.parse(IntakeRequest("POST", "/services/collector", {}, b"  "))

        self.assertEqual(caught.exception.code, 5)
