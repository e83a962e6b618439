"""The doors of log senders, each with its protocol's own key, answers and numbers."""

import base64
import datetime as dt
import gzip
import json
import zlib
from typing import Any
from unittest import mock

import cramjam
from django.test import TestCase
from django.utils import timezone

from alerts.services import process_waiting
from alerts.tests.factories import make_key, make_source
from intake.models import IntakeEvent
from intake.readers import examples
from intake.services.queue import replay
from intake.vocabulary import IntakeState
from integrations.loki import push as _loki_push
from logs.formats import formats
from logs.models import LogEntry
from logs.tests.factories import make_log_source
from logs.vocabulary import Level
from tests.people import signed_in
from users.services import create_personal_token
from users.tests.factories import make_reporter, make_responder

OTLP = examples(formats()["otlp"], "logs")[0]["body"]
LOKI = examples(formats()["loki"], "logs")[0]["body"]
GELF = {"version": "1.1", "host": "web-1", "short_message": "short", "level": 3}


class DoorTests(TestCase):
    def setUp(self) -> None:
        self.source = make_log_source()
        self.key = make_key(self.source)

    def post(self, path: str, body: Any, *, key: str | None = None, **headers: str) -> Any:
        """Post as a sender with a bearer token does; bytes go as they are, all else as JSON."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers.setdefault("content-type", "application/json")
        headers.setdefault("authorization", f"Bearer {self.key if key is None else key}")
        kind = headers.pop("content-type")
        return self.client.post(path, data=content, content_type=kind, headers=headers)

    def basic(self, name: str, password: str) -> str:
        return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()

    def messages(self) -> list[str]:
        return list(LogEntry.objects.order_by("id").values_list("message", flat=True))


class OwnDoorTests(DoorTests):
    def test_it_stores_what_a_key_lets_in(self) -> None:
        answer = self.post("/api/v1/logs/", [{"message": "a", "level": "error", "service": "web"}, {"msg": "b"}])

        self.assertEqual((answer.status_code, answer.json()), (202, {"accepted": 2, "rejected": 0}))
        entry = LogEntry.objects.get(message="a")
        self.assertEqual((entry.level, entry.service, entry.source), (Level.ERROR, "web", self.source))

    def test_it_stores_the_lines_of_a_replay_once(self) -> None:
        self.post("/services/collector/raw", b"", key=self.key, authorization=f"Splunk {self.key}")
        self.post("/api/v1/logs/", b'[{"message": "one"}')
        event = IntakeEvent.objects.get(format="own")
        IntakeEvent.objects.filter(pk=event.pk).update(body=b'[{"message": "one"}]')

        for _ in range(2):
            replay([event.pk])
            process_waiting()

        event.refresh_from_db()
        self.assertEqual((event.state, event.headers["path"]), (IntakeState.DONE, "/api/v1/logs/"))
        self.assertEqual(list(LogEntry.objects.values_list("message", flat=True)), ["one"])

    def test_it_leaves_a_replay_that_is_no_better_with_its_reason(self) -> None:
        self.post("/api/v1/logs/", b'[{"message": "one"}')

        replay([IntakeEvent.objects.get().pk])
        process_waiting()

        event = IntakeEvent.objects.get()
        self.assertEqual(event.state, IntakeState.FAILED)
        self.assertIn("JSON", event.reason)

    def test_it_keeps_and_counts_what_is_no_line(self) -> None:
        answer = self.post("/api/v1/logs/", b'{"message": "a"}\n{"message"\n')

        self.assertEqual((answer.status_code, answer.json()["accepted"], answer.json()["rejected"]), (202, 1, 1))
        self.assertIn("Line 2", answer.json()["errors"][0])
        event = IntakeEvent.objects.get()
        self.assertEqual((event.state, event.source), (IntakeState.IGNORED, self.source))
        self.assertIn("Line 2", event.reason)

    def test_it_keeps_what_cannot_be_read_at_all(self) -> None:
        answer = self.post("/api/v1/logs/", b"nonsense")

        self.assertEqual((answer.status_code, answer["Content-Type"]), (400, "application/problem+json"))
        self.assertEqual(bytes(IntakeEvent.objects.get().body), b"nonsense")
        self.assertEqual(self.messages(), [])

    def test_it_takes_a_key_in_other_places_too(self) -> None:
        for header in (
            {"authorization": self.basic("any", self.key)},
            {"authorization": self.basic(self.key, "")},
            {"authorization": "", "x-api-key": self.key},
        ):
            with self.subTest(header=list(header)):
                self.assertEqual(self.post("/api/v1/logs/", {"message": "x"}, **header).status_code, 202)

    def test_it_refuses_no_key_a_wrong_one_and_one_of_a_source_of_alerts(self) -> None:
        other = make_key(make_source())
        for key, status in (("", 401), ("nonsense", 403), (other, 403)):
            with self.subTest(status=status):
                answer = self.post("/api/v1/logs/", {"message": "x"}, key=key)

                self.assertEqual(answer.status_code, status)
        self.assertFalse(LogEntry.objects.exists() or IntakeEvent.objects.exists())

    def test_it_takes_a_responders_tokens_and_not_a_reporters(self) -> None:
        responder, reporter = make_responder(), make_reporter()
        _row, token = create_personal_token(responder, name="s", scope="write", expires_at=None)
        _row, read_only = create_personal_token(responder, name="r", scope="read", expires_at=None)
        bearer = signed_in(responder)._credentials["HTTP_AUTHORIZATION"]
        for authorization, status in (
            (bearer, 202),
            (f"Token {token}", 202),
            (f"Token {read_only}", 403),
            ("Token nonsense", 401),
            ("Bearer a.b.c", 401),
            (signed_in(reporter)._credentials["HTTP_AUTHORIZATION"], 403),
        ):
            with self.subTest(status=status, scheme=authorization[:8]):
                answer = self.post("/api/v1/logs/", {"message": "x"}, authorization=authorization)

                self.assertEqual(answer.status_code, status, answer.content)
        self.assertEqual(list(LogEntry.objects.values_list("source", flat=True)), [None, None])

    def test_it_takes_what_pythons_handler_posts(self) -> None:
        form = b"msg=%25s+failed&args=%28%27it%27%2C%29&levelname=CRITICAL&name=shop&created=1795253400.5"

        answer = self.post(
            "/api/v1/logs/",
            form,
            **{"content-type": "application/x-www-form-urlencoded", "authorization": self.basic("x", self.key)},
        )

        self.assertEqual(answer.status_code, 202)
        self.assertEqual(self.messages(), ["it failed"])

    def test_it_stores_lines_that_no_database_would_take(self) -> None:
        lines = [
            {"message": "nul \0 inside", "service": "s\0"},
            {"message": "x" * 1_048_576},
            {"message": "year one", "timestamp": "0001-01-01T00:00:00-12:00"},
            {"message": "far", "timestamp": "9999-12-31T23:59:59+00:00"},
            {"message": "𝒳 \U0001f525 Zürich", "host": "ü" * 300, "attributes": {"n": 2**70}},
        ]

        answer = self.post("/api/v1/logs/", lines)

        self.assertEqual(answer.json(), {"accepted": 5, "rejected": 0})
        self.assertEqual(self.messages()[0], "nul  inside")
        self.assertIn("[cut: it has 1,048,576 characters]", self.messages()[1])

    def test_it_stores_thousands_of_lines_at_once(self) -> None:
        answer = self.post("/api/v1/logs/", [{"message": f"line {number}"} for number in range(3000)])

        self.assertEqual(answer.json()["accepted"], 3000)
        self.assertEqual(LogEntry.objects.count(), 3000)

    def test_it_dates_what_has_no_time_when_it_is_stored(self) -> None:
        late = timezone.now() + dt.timedelta(seconds=15)
        lines = [{"message": "undated"}, {"message": "of old", "timestamp": "9999-01-01T00:00:00Z"}]
        dated = {"message": "dated", "timestamp": "2026-11-20T10:00:00Z"}

        with mock.patch("logs.services.intake.timezone.now", return_value=late), self.captured_reading():
            self.post("/api/v1/logs/", [*lines, dated])

        stored = dict(LogEntry.objects.values_list("message", "timestamp"))
        self.assertEqual((stored["undated"], stored["of old"]), (late, late))
        self.assertEqual(stored["dated"], dt.datetime(2026, 11, 20, 10, tzinfo=dt.UTC))
        self.assertEqual(set(LogEntry.objects.values_list("received_at", flat=True)), {late})

    def captured_reading(self) -> Any:
        """The lines are read a while before they are stored."""
        return mock.patch("logs.endpoints.senders.timezone", mock.Mock(now=lambda: dt.datetime.now(dt.UTC)))

    def test_it_asks_to_be_tried_again_when_the_database_does_not_take_it(self) -> None:
        with mock.patch("logs.services.intake.insert", side_effect=RuntimeError("disk full")):
            answer = self.post("/api/v1/logs/", {"message": "x"})

        self.assertEqual((answer.status_code, answer["Retry-After"]), (503, "5"))

    def test_it_counts_a_delivery_as_a_sign_of_life(self) -> None:
        self.post("/api/v1/logs/", {"message": "x"})

        self.source.refresh_from_db()
        self.assertIsNotNone(self.source.last_received_at)

    def test_it_refuses_one_request_too_many(self) -> None:
        source = make_log_source(rate_limit=1)
        key = make_key(source)
        self.post("/api/v1/logs/", {"message": "x"}, key=key)

        answer = self.post("/api/v1/logs/", {"message": "y"}, key=key)

        self.assertEqual((answer.status_code, answer.json()["code"]), (429, "throttled"))
        self.assertIn("Retry-After", answer)


class OtlpDoorTests(DoorTests):
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


class LokiDoorTests(DoorTests):
    def test_it_takes_json_with_the_key_as_password(self) -> None:
        answer = self.post("/loki/api/v1/push", LOKI, authorization=self.basic("tenant", self.key))

        self.assertEqual((answer.status_code, answer.content), (204, b""))
        self.assertEqual(LogEntry.objects.filter(service="web").count(), 2)

    def test_it_takes_what_lokis_agents_send(self) -> None:
        push = _loki_push.push_request()()
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


class HecDoorTests(DoorTests):
    def send(self, path: str, body: bytes, authorization: str | None = None) -> Any:
        header = f"Splunk {self.key}" if authorization is None else authorization
        return self.post(f"/services/collector{path}", body, **{"content-type": "", "authorization": header})

    def test_it_takes_events_at_all_its_addresses(self) -> None:
        for path in ("", "/event", "/event/1.0"):
            with self.subTest(path=path):
                answer = self.send(path, b'{"event": "a"}{"event": {"message": "b"}}')

                self.assertEqual((answer.status_code, answer.json()), (200, {"text": "Success", "code": 0}))
        self.assertEqual(self.messages(), ["a", "b"] * 3)

    def test_it_takes_raw_lines(self) -> None:
        for path in ("/raw", "/raw/1.0?host=h"):
            self.assertEqual(self.send(path, b"one\ntwo\n").status_code, 200)

        self.assertEqual(self.messages(), ["one", "two"] * 2)
        self.assertEqual(LogEntry.objects.filter(host="h").count(), 2)

    def test_it_answers_with_splunks_numbers(self) -> None:
        for body, authorization, status, code, text in (
            (b"{}", "", 401, 2, "Token is required"),
            (b"{}", "Nonsense", 401, 3, "Invalid authorization"),
            (b"{}", "Splunk nonsense", 403, 4, "Invalid token"),
            (b"", None, 400, 5, "No data"),
            (b"nonsense", None, 400, 6, "Invalid data format"),
            (b'{"host": "a"}', None, 400, 12, "Event field is required"),
            (b'{"event": ""}', None, 400, 13, "Event field cannot be blank"),
        ):
            with self.subTest(code=code):
                answer = self.send("/event", body, authorization)

                self.assertEqual((answer.status_code, answer.json()["code"]), (status, code))
                self.assertTrue(answer.json()["text"].startswith(text), answer.json())

    def test_it_says_that_a_key_is_of_a_source_of_alerts(self) -> None:
        answer = self.send("/event", b'{"event": "a"}', f"Splunk {make_key(make_source())}")

        self.assertEqual((answer.status_code, answer.json()["code"]), (403, 7))
        self.assertIn("need a source of kind logs", answer.json()["text"])

    def test_it_takes_the_token_from_the_query(self) -> None:
        answer = self.send(f"/raw?token={self.key}", b"one", "")

        self.assertEqual(answer.status_code, 200)

    def test_it_answers_options_on_whatever_path_a_client_is_set_to(self) -> None:
        for path in ("", "/", "/event", "/event/", "/event/1.0", "/raw", "/raw/1.0/", "/health", "/mint/1.0", "/ack"):
            answer = self.client.options(f"/services/collector{path}", headers={"host": "10.0.0.5"})

            self.assertEqual((answer.status_code, answer["Allow"]), (200, "OPTIONS, POST"), path)
        self.assertEqual(self.client.options("/services/collectors").status_code, 404)

    def test_it_says_that_it_is_well_without_a_token(self) -> None:
        for path in ("/health", "/health/1.0"):
            answer = self.client.get(f"/services/collector{path}")

            self.assertEqual((answer.status_code, answer.json()["code"]), (200, 17))


class GelfDoorTests(DoorTests):
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


def otlp_type() -> str:
    return "application/x-protobuf"
