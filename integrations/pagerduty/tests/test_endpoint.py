"""PagerDuty's two addresses."""

import datetime as dt
import gzip
import json
from typing import Any
from unittest import mock

from django.test import TestCase, override_settings

from alerts.models import Alert, ChangeEvent
from alerts.services import process_waiting
from alerts.tests.factories import make_key, make_source, post_json
from incidents.models import Incident
from incidents.tests.factories import make_service
from intake.limits import RateCounter
from intake.models import IntakeEvent
from intake.requests import MAX_BYTES
from intake.services.queue import replay
from intake.vocabulary import IntakeState

PAYLOAD = {"summary": "Disk is full", "source": "db-1", "severity": "critical"}


class PagerDutyTestCase(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        cls.source = make_source(kind="pagerduty")
        cls.key = make_key(cls.source)

    def send(self, path: str = "/v2/enqueue", **body: Any) -> Any:
        return post_json(self.client, path, {"routing_key": self.key, **body})

    def trigger(self, dedup_key: str = "disk", **payload: Any) -> Any:
        return self.send(event_action="trigger", dedup_key=dedup_key, payload={**PAYLOAD, **payload})

    def refused(self, response: Any, *errors: str) -> None:
        expected = {"status": "invalid event", "message": "Event object is invalid", "errors": list(errors)}
        self.assertEqual((response.status_code, response.json()), (400, expected))


class EnqueueTests(PagerDutyTestCase):
    def test_it_opens_acknowledges_and_resolves(self):
        answer = self.trigger()
        process_waiting()
        opened = Incident.objects.get()
        acknowledged = self.send(event_action="acknowledge", dedup_key="disk")
        process_waiting()
        between = Incident.objects.get().status
        resolved = self.send(event_action="resolve", dedup_key="disk")
        process_waiting()

        expected = {"status": "success", "message": "Event processed", "dedup_key": "disk"}
        for response in (answer, acknowledged, resolved):
            self.assertEqual((response.status_code, response.json()), (202, expected))
        self.assertEqual((opened.title, opened.severity, opened.status), ("Disk is full", 4, "open"))
        self.assertEqual((between, Incident.objects.get().status), ("acknowledged", "resolved"))

    def test_it_takes_the_path_with_and_without_its_last_slash(self):
        for path in ("/v2/enqueue", "/v2/enqueue/"):
            response = self.send(path, event_action="trigger", payload=PAYLOAD)

            self.assertEqual(response.status_code, 202)

    def test_it_counts_a_retry_as_a_repeat(self):
        for _ in range(3):
            self.trigger()
        process_waiting()

        self.assertEqual((Incident.objects.count(), Alert.objects.get().occurrences), (1, 3))

    def test_it_lets_a_resolve_before_its_trigger_change_nothing(self):
        self.send(event_action="resolve", dedup_key="disk")
        self.trigger()
        process_waiting()

        self.assertEqual(Incident.objects.get().status, "open")
        states = list(IntakeEvent.objects.order_by("id").values_list("state", flat=True))
        self.assertEqual(states, [IntakeState.IGNORED, IntakeState.DONE])

    def test_it_makes_a_key_for_a_trigger_without_one_and_keeps_it(self):
        first, second = (self.send(event_action="trigger", payload=PAYLOAD).json()["dedup_key"] for _ in range(2))
        process_waiting()
        self.send(event_action="resolve", dedup_key=first)
        process_waiting()

        self.assertNotEqual(first, second)
        self.assertEqual(Alert.objects.get(fingerprint=first).status, "resolved")
        self.assertEqual(Alert.objects.get(fingerprint=second).status, "firing")

    def test_it_keeps_the_event_without_its_key(self):
        self.trigger()
        self.send(event_action="trigger")

        good, bad = IntakeEvent.objects.order_by("id")
        self.assertEqual(json.loads(bytes(good.body))["payload"], PAYLOAD)
        self.assertEqual((good.format, bad.format), ("pagerduty", "pagerduty"))
        for event in (good, bad):
            self.assertNotIn(self.key, bytes(event.body).decode())

    def test_it_takes_the_key_from_the_header(self):
        body = {"event_action": "trigger", "dedup_key": "a", "payload": PAYLOAD}

        response = post_json(self.client, "/v2/enqueue", body, **{"X-Routing-Key": self.key})

        self.assertEqual(response.status_code, 202)

    def test_it_takes_any_accept_header_and_content_type_and_gzip(self):
        body = gzip.compress(
            json.dumps({"routing_key": self.key, "event_action": "trigger", "payload": PAYLOAD}).encode()
        )
        headers = {"Accept": "application/vnd.pagerduty+json;version=2", "Content-Encoding": "gzip"}

        response = self.client.post("/v2/enqueue", data=body, content_type="text/plain", headers=headers)

        self.assertEqual((response.status_code, response["Content-Type"]), (202, "application/json"))

    def test_it_tells_apart_keys_that_only_look_alike(self):
        for key in ("Zürich/ДИСК 満杯", "zürich/ДИСК 満杯", "Zurich/ДИСК 満杯", "x" * 499 + "a", "x" * 499 + "b"):
            self.trigger(key)
        process_waiting()

        self.assertEqual(Incident.objects.count(), 5)

    def test_it_names_what_is_missing_and_keeps_it(self):
        self.refused(self.send(), "'event_action' is missing or blank")
        self.refused(self.send(event_action="trigger"), "'payload' is missing or blank")
        self.refused(self.send(event_action="resolve"), "'dedup_key' is missing or blank")
        answer = self.trigger(summary="", severity="awful")

        wrong = "'payload.severity' is invalid (must be one of the following: 'critical', 'warning', 'error' or 'info')"
        self.refused(answer, "'payload.summary' is missing or blank", wrong)
        kept = IntakeEvent.objects.filter(state=IntakeState.FAILED)
        self.assertEqual(kept.count(), 4)
        self.assertIn("'event_action' is missing or blank", kept.earliest("id").reason)
        self.assertEqual(replay(kept.values_list("pk", flat=True)), 4)

    def test_it_refuses_a_wrong_key_and_none_and_keeps_nothing(self):
        body = {"event_action": "trigger", "payload": PAYLOAD}

        self.refused(post_json(self.client, "/v2/enqueue", body), "'routing_key' is missing or blank")
        self.refused(post_json(self.client, "/v2/enqueue", {**body, "routing_key": "x" * 32}), "Invalid routing key")
        self.assertFalse(IntakeEvent.objects.exists())

    def test_it_refuses_what_is_no_json_object(self):
        for body in (b"", b"{", b"[]", b'"x"', b"\xff\xfe", b"routing_key=x", b'{"a": NaN}'):
            with self.subTest(body=body):
                response = self.client.post("/v2/enqueue", data=body, content_type="application/json")

                self.assertEqual((response.status_code, response.json()["status"]), (400, "invalid event"))
                self.assertEqual(response.json()["message"], "Event object is invalid")

    def test_it_keeps_what_is_no_json_when_the_header_tells_who_sends_it(self):
        headers = {"X-Routing-Key": self.key}

        self.client.post("/v2/enqueue", data=b"{", content_type="application/json", headers=headers)

        self.assertEqual(IntakeEvent.objects.get().state, IntakeState.FAILED)

    def test_it_refuses_what_is_too_large(self):
        with override_settings(DATA_UPLOAD_MAX_MEMORY_SIZE=2 * MAX_BYTES):
            response = self.send(event_action="trigger", payload={**PAYLOAD, "custom_details": "x" * MAX_BYTES})

        self.assertEqual((response.status_code, response.json()["status"]), (413, "invalid event"))
        self.assertFalse(IntakeEvent.objects.exists())

    def test_it_says_when_to_come_back(self):
        key = make_key(make_source(kind="pagerduty", rate_limit=1))
        body = {"routing_key": key, "event_action": "trigger", "payload": PAYLOAD}

        with mock.patch("intake.limits.rate_counter", RateCounter()):
            answers = [post_json(self.client, "/v2/enqueue", body) for _ in range(3)]

        self.assertEqual([answer.status_code for answer in answers], [202, 429, 429])
        self.assertEqual(answers[2].json()["status"], "throttle exceeded")
        self.assertGreater(int(answers[2]["Retry-After"]), 0)

    def test_it_answers_other_methods_with_405(self):
        self.assertEqual(self.client.get("/v2/enqueue").status_code, 405)


class ChangeTests(PagerDutyTestCase):
    PATH = "/v2/change/enqueue"

    def test_it_keeps_a_change(self):
        service = make_service("payments")
        payload = {
            "summary": "Build 7 is out",
            "source": "ci",
            "timestamp": "2026-11-20T10:00:00.000+0000",
            "custom_details": {"service": "payments", "steps": ["a", "b"]},
        }
        links = [{"href": "https://ci.example.com/7", "text": "Build"}, {"href": "javascript:alert(1)"}]

        response = self.send(self.PATH, payload=payload, links=links)

        expected = {"status": "success", "message": "Change event processed"}
        self.assertEqual((response.status_code, response.json()), (202, expected))
        change = ChangeEvent.objects.get()
        self.assertEqual((change.source, change.service, change.summary), (self.source, service, "Build 7 is out"))
        self.assertEqual(change.occurred_at, dt.datetime(2026, 11, 20, 10, tzinfo=dt.UTC))
        self.assertEqual(change.details, {"service": "payments", "steps": '["a","b"]'})
        self.assertEqual(change.links, [{"href": "https://ci.example.com/7", "text": "Build"}])

    def test_it_keeps_a_retry_once_also_with_the_odd_time_of_the_python_client(self):
        payload = {"summary": "Build 7 is out", "timestamp": "2026-11-20T10:00:00.123456+00:00Z"}

        for path in (self.PATH, f"{self.PATH}/"):
            self.send(path, payload=payload)

        occurred_at = dt.datetime(2026, 11, 20, 10, 0, 0, 123456, tzinfo=dt.UTC)
        self.assertEqual(ChangeEvent.objects.get().occurred_at, occurred_at)

    def test_it_opens_no_incident(self):
        self.send(self.PATH, payload={"summary": "Build 7 is out"})

        self.assertEqual((process_waiting(), Incident.objects.count()), (0, 0))

    def test_it_names_what_is_missing(self):
        self.refused(self.send(self.PATH), "'payload' is missing or blank")
        self.refused(self.send(self.PATH, payload={"source": "ci"}), "'payload.summary' is missing or blank")
        self.refused(post_json(self.client, self.PATH, {}), "'routing_key' is missing or blank")

        self.assertEqual(IntakeEvent.objects.filter(state=IntakeState.FAILED).count(), 2)
