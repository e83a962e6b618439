"""Loki's push endpoint."""

import cramjam

from intake.readers import examples
from integrations.loki.push_pb2 import PushRequest
from logs.formats import formats
from logs.models import LogEntry
from logs.tests.endpoints import LogEndpointTests

LOKI = examples(formats()["loki"], "logs")[0]["body"]


class LokiEndpointTests(LogEndpointTests):
    def test_it_takes_json_with_the_key_as_password(self) -> None:
        answer = self.post("/loki/api/v1/push", LOKI, authorization=self.basic("tenant", self.key))

        self.assertEqual((answer.status_code, answer.content), (204, b""))
        self.assertEqual(LogEntry.objects.filter(service="web").count(), 2)

    def test_it_takes_what_lokis_agents_send(self) -> None:
        push = PushRequest()
        stream = push.streams.add(labels='{app="web"}')
        stream.entries.add(line="hello").timestamp.seconds = 1795253400
        body = bytes(cramjam.snappy.compress_raw(push.SerializeToString()))

        answer = self.post("/loki/api/v1/push", body, **{"content-type": "application/x-protobuf"})

        self.assertEqual(answer.status_code, 204)
        self.assertEqual(self.messages(), ["hello"])

    def test_it_says_in_a_sentence_what_is_wrong(self) -> None:
        answer = self.post("/loki/api/v1/push", {"stream": []})

        self.assertEqual((answer.status_code, answer["Content-Type"]), (400, "text/plain; charset=utf-8"))
        self.assertIn("no list streams", answer.content.decode())
