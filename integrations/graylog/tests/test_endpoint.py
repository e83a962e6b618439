"""GELF over HTTP."""

import gzip
import json
import zlib

from intake.models import IntakeEvent
from logs.models import LogEntry
from logs.tests.endpoints import LogEndpointTests
from logs.vocabulary import Level

GELF = {"version": "1.1", "host": "web-1", "short_message": "short", "level": 3}


class GelfEndpointTests(LogEndpointTests):
    def test_it_takes_messages_packed_in_every_way(self) -> None:
        plain = json.dumps(GELF).encode()
        for body in (plain, zlib.compress(plain), gzip.compress(plain), plain + b"\0"):
            answer = self.post("/gelf", body, **{"content-type": "", "content-encoding": "gzip,deflate"})

            self.assertEqual((answer.status_code, answer.content), (202, b""))
        self.assertEqual(self.messages(), ["short"] * 4)
        self.assertEqual(set(LogEntry.objects.values_list("level", flat=True)), {Level.ERROR})

    def test_it_takes_the_key_from_the_query(self) -> None:
        answer = self.post(f"/gelf?key={self.key}", GELF, authorization="")

        self.assertEqual(answer.status_code, 202)

    def test_it_keeps_what_cannot_be_read_without_the_key_in_its_query(self) -> None:
        for path in ("/gelf?key=", "/services/collector/event?channel=c&token="):
            answer = self.post(f"{path}{self.key}", b"{", authorization="")

            self.assertEqual(answer.status_code, 400)
        kept = [event.headers.get("query", "") for event in IntakeEvent.objects.order_by("id")]
        self.assertEqual(kept, ["", "channel=c"])

    def test_it_refuses_a_damaged_body(self) -> None:
        answer = self.post("/gelf", zlib.compress(json.dumps(GELF).encode())[:-8])

        self.assertEqual(answer.status_code, 400)
