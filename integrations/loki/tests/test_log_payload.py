"""Loki's streams."""

from django.test import SimpleTestCase

from intake.requests import IntakeError, IntakeRequest
from integrations.loki import log_payload as loki


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
