"""Our own endpoint of log lines: its keys, answers and numbers."""

import datetime as dt
from typing import Any
from unittest import mock

from django.utils import timezone

from alerts.services import process_waiting
from alerts.tests.factories import make_key, make_source
from intake.models import IntakeEvent
from intake.services.queue import replay
from intake.vocabulary import IntakeState
from logs.models import LogEntry
from logs.tests.endpoints import LogEndpointTests
from logs.tests.factories import make_log_source
from logs.vocabulary import Level
from tests.people import signed_in
from users.services import create_personal_token
from users.tests.factories import make_reporter, make_responder


class OwnEndpointTests(LogEndpointTests):
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
