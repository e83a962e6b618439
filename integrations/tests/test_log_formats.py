"""Every format against its examples, and against what no sender should send but somebody will."""

import json

from django.test import SimpleTestCase

from intake.readers import example_request, examples
from intake.requests import IntakeError, IntakeRequest
from logs.formats import formats
from logs.lines import Line
from logs.normalising import attributes_json

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
                    parsed = module.parse(example_request(example).unpacked)

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
