"""Which keys are accepted at which endpoint: those of its own kind, and nothing unsigned of who signs."""

import hashlib
import hmac
import json
from typing import Any

from django.test import TestCase

from alerts.models import Alert, Heartbeat
from alerts.services import process_waiting
from alerts.tests.factories import make_key, make_source
from intake.models import IntakeEvent, Source
from intake.readers import kinds
from logs.models import LogEntry

SIGNING = ("github", "sentry", "sns")
LOGS = (
    "/api/v1/logs/",
    "/v1/logs",
    "/loki/api/v1/push",
    "/services/collector/event",
    "/services/collector/raw",
    "/gelf",
)
# Endpoint, the kinds whose keys it accepts.
ENDPOINTS = {
    "/v2/enqueue": ("pagerduty",),
    "/v2/change/enqueue": ("pagerduty",),
    "/v2/alerts": ("opsgenie",),
    "/v2/alerts/x/close?identifierType=alias": ("opsgenie",),
    "/v2/heartbeats/x/ping": ("opsgenie",),
    "/api/v2/alerts": ("prometheus", "alertmanager"),
    **dict.fromkeys(LOGS, ("logs",)),
}
BODIES = {
    "/v2/enqueue": {"event_action": "trigger", "payload": {"summary": "a", "source": "b", "severity": "error"}},
    "/v2/change/enqueue": {"payload": {"summary": "a"}},
    "/v2/alerts": {"message": "a"},
    "/api/v2/alerts": [{"labels": {"alertname": "a"}}],
    "/api/v1/logs/": {"message": "a"},
    "/v1/logs": {"resourceLogs": []},
    "/loki/api/v1/push": {"streams": [{"stream": {}, "values": [["1700000000000000000", "a"]]}]},
    "/services/collector/event": {"event": "a"},
    "/services/collector/raw": "a",
    "/gelf": {"version": "1.1", "host": "a", "short_message": "a"},
}


class EndpointKindTests(TestCase):
    def ask(self, path: str, key: str, method: str = "POST", **headers: str) -> int:
        body: Any = BODIES.get(path, {})
        if "enqueue" in path:
            body = {**body, "routing_key": key}
        scheme = "GenieKey" if path.startswith(("/v2/alerts", "/v2/heartbeats")) else "Bearer"
        headers = {"Authorization": f"{scheme} {key}", **headers}
        status: int = self.client.generic(
            method, path, json.dumps(body), "application/json", headers=headers
        ).status_code
        return status

    def kept(self) -> int:
        process_waiting()
        return (
            Alert.objects.count() + IntakeEvent.objects.count() + Heartbeat.objects.count() + LogEntry.objects.count()
        )

    def test_it_accepts_keys_of_its_own_kind_only(self) -> None:
        for kind in dict(kinds()):
            key = make_key(make_source(kind=kind))
            for path, accepted in ENDPOINTS.items():
                with self.subTest(kind=kind, path=path):
                    status = self.ask(path, key)

                    self.assertEqual(status < 300, kind in accepted, status)
                    self.assertIn(status, (200, 202, 204, 400, 403))

    def test_it_stores_nothing_that_came_with_a_key_of_another_kind(self) -> None:
        key = make_key(make_source(kind="datadog"))

        for path in ENDPOINTS:
            self.ask(path, key)

        self.assertEqual(self.kept(), 0)

    def test_it_accepts_other_kinds_where_the_source_allows_it(self) -> None:
        key = make_key(make_source(kind="datadog", allow_other_endpoints=True))

        accepted = [path for path in ENDPOINTS if self.ask(path, key) < 300]

        self.assertEqual(accepted, [path for path in ENDPOINTS if path not in LOGS])

    def test_it_takes_nothing_unsigned_of_a_source_with_a_signing_secret(self) -> None:
        for kind in dict(kinds()):
            key = make_key(make_source(kind=kind, signing_secret="hush"))
            own = (f"/intake/{key}/", f"/intake/{key}/heartbeat/", f"/intake/{key}/heartbeat/backup/")
            for path in (*ENDPOINTS, *own):
                for method in ("POST", "GET", "PUT") if path in own else ("POST",):
                    with self.subTest(kind=kind, path=path, method=method):
                        self.assertGreaterEqual(self.ask(path, key, method), 400)
            self.assertEqual(Source.objects.exclude(last_received_at=None).count(), 0)
        self.assertEqual(Alert.objects.count() + Heartbeat.objects.count() + LogEntry.objects.count(), 0)

    def test_it_still_checks_the_signature_at_its_own_address_where_others_are_allowed(self) -> None:
        for kind in SIGNING:
            key = make_key(make_source(kind=kind, signing_secret="hush", allow_other_endpoints=True))

            with self.subTest(kind=kind):
                self.assertGreaterEqual(self.ask(f"/intake/{key}/", key), 400)
                self.assertEqual(self.ask("/v2/alerts", key), 202)
                self.assertEqual(self.ask(f"/intake/{key}/heartbeat/", key), 204)

    def test_it_takes_what_is_signed(self) -> None:
        key = make_key(make_source(kind="github", signing_secret="hush"))
        body = json.dumps({"zen": "Keep it logically awesome.", "hook_id": 1}).encode()
        signature = "sha256=" + hmac.new(b"hush", body, hashlib.sha256).hexdigest()

        answer = self.client.generic(
            *("POST", f"/intake/{key}/", body, "application/json"),
            headers={"X-GitHub-Event": "ping", "X-Hub-Signature-256": signature},
        )

        self.assertEqual(answer.status_code, 202)

    def test_it_says_which_kind_the_endpoint_accepts(self) -> None:
        source = make_source(kind="github", name="Repository")

        answer = self.client.post(
            "/v2/alerts",
            {"message": "a"},
            "application/json",
            headers={"Authorization": f"GenieKey {make_key(source)}"},
        )

        self.assertIn("Repository, a source of kind github", answer.json()["message"])
        self.assertIn("accepts keys of kind opsgenie", answer.json()["message"])
