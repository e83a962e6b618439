"""Every reader against its examples, and against what no sender should send but somebody will."""

from django.test import SimpleTestCase

from alerts.updates import to_json
from intake.readers import example_request, examples, payload_readers
from intake.requests import IntakeError, IntakeRequest

HOSTILE = (
    b"",
    b"null",
    b"[]",
    b"{}",
    b'"text"',
    b"[[[]]]",
    b'{"alerts": [1, null, "x", {}]}',
    b'{"alerts": {"a": 1}}',
    b'{"severity": NaN}',
    b'{"title": "\\ud800"}',
    b"\xff\xfe\x00",
    b'{"a":' * 5000 + b"1" + b"}" * 5000,
    b'{"startsAt": "0001-01-01T00:00:00Z", "alerts": [{"startsAt": "0001-01-01T00:00:00-12:00", "labels": []}]}',
    b'{"alerts": [{"labels": {"a": {"b": [1, 2.5, null, true]}}, "startsAt": 1e300, "endsAt": -1}]}',
)


class AdapterTests(SimpleTestCase):
    def test_it_makes_of_each_example_what_stands_beside_it(self):
        for kind, reader in payload_readers().items():
            for example in examples(reader):
                with self.subTest(kind=kind, example=example["name"]):
                    updates = reader.parse(example_request(example))

                    self.assertEqual([to_json(update) for update in updates], example["updates"])

    def test_it_raises_nothing_but_intake_error_whatever_comes(self):
        for kind, reader in payload_readers().items():
            for body in HOSTILE:
                with self.subTest(kind=kind, body=body[:60]):
                    try:
                        updates = reader.parse(IntakeRequest("POST", "/", {}, body))
                    except IntakeError as error:
                        self.assertTrue(error.message.endswith((".", "?")), error.message)
                    else:
                        self.assertIsInstance(updates, list)

    def test_it_says_what_to_paste(self):
        for kind, reader in payload_readers().items():
            with self.subTest(kind=kind):
                self.assertTrue(reader.TITLE)
                self.assertIn("{key}", reader.SNIPPET)
                self.assertRegex(reader.SNIPPET, "{(url|host)}")
