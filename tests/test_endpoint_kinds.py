"""Which keys are accepted at which endpoint: those of its own kind, and nothing unsigned of who signs."""

import hashlib
import hmac
import json
import re
from typing import Any

from django.test import TestCase

from alerts.models import Alert, Heartbeat
from alerts.services import process_waiting
from alerts.tests.factories import make_key, make_source
from intake.endpoints import Endpoint, endpoints
from intake.models import IntakeEvent, Source
from intake.readers import kinds, payload_readers
from intake.vocabulary import LOGS
from logs.endpoints.own import OWN
from logs.models import LogEntry

OWN_LOGS = "/api/v1/logs/"


def posts() -> dict[str, Endpoint]:
    """Return the endpoint of each path that is posted to, apart from those that accept every key."""
    found = {
        re.sub("{action}", "close", re.sub(r"{(?!action)[^}]+}", "x", operation.path)): endpoint
        for endpoint in endpoints()
        for operation in endpoint.operations
        if operation.method == "POST" and endpoint.kinds
    }
    return {**found, OWN_LOGS: OWN}


class EndpointKindTests(TestCase):
    def ask(self, path: str, key: str, method: str = "POST", **headers: str) -> int:
        endpoint = posts().get(path)
        operations = endpoint.operations if endpoint else ()
        body: Any = next((one.example for one in operations if one.method == "POST"), None) or {"message": "a"}
        if isinstance(body, dict) and "routing_key" in body:
            body = {**body, "routing_key": key}
        challenge = endpoint.challenge.partition(",")[0] if endpoint else "Bearer"
        headers = {"Authorization": f"{challenge} {key}", **headers}
        query = "?identifierType=alias" if "close" in path else ""
        answer = self.client.generic(method, f"{path}{query}", json.dumps(body), "application/json", headers=headers)
        return int(answer.status_code)

    def kept(self) -> int:
        process_waiting()
        return (
            Alert.objects.count() + IntakeEvent.objects.count() + Heartbeat.objects.count() + LogEntry.objects.count()
        )

    def test_it_accepts_keys_of_its_own_kind_only(self) -> None:
        for kind in dict(kinds()):
            key = make_key(make_source(kind=kind))
            for path, endpoint in posts().items():
                with self.subTest(kind=kind, path=path):
                    status = self.ask(path, key)

                    self.assertEqual(status < 300, kind in endpoint.kinds, status)
                    self.assertIn(status, (200, 202, 204, 400, 403))

    def test_it_stores_nothing_that_came_with_a_key_of_another_kind(self) -> None:
        key = make_key(make_source(kind="datadog"))

        for path in posts():
            self.ask(path, key)

        self.assertEqual(self.kept(), 0)

    def test_it_accepts_other_kinds_where_the_source_allows_it(self) -> None:
        key = make_key(make_source(kind="datadog", allow_other_endpoints=True))

        accepted = [path for path in posts() if self.ask(path, key) < 300]

        self.assertEqual(accepted, [path for path, endpoint in posts().items() if LOGS not in endpoint.kinds])

    def test_it_takes_nothing_unsigned_of_a_source_with_a_signing_secret(self) -> None:
        for kind in dict(kinds()):
            key = make_key(make_source(kind=kind, signing_secret="hush"))
            own = (f"/intake/{key}/", f"/intake/{key}/heartbeat/", f"/intake/{key}/heartbeat/backup/")
            for path in (*posts(), *own):
                for method in ("POST", "GET", "PUT") if path in own else ("POST",):
                    with self.subTest(kind=kind, path=path, method=method):
                        self.assertGreaterEqual(self.ask(path, key, method), 400)
            self.assertEqual(Source.objects.exclude(last_received_at=None).count(), 0)
        self.assertEqual(Alert.objects.count() + Heartbeat.objects.count() + LogEntry.objects.count(), 0)

    def test_it_still_checks_the_signature_at_its_own_address_where_others_are_allowed(self) -> None:
        for kind in (kind for kind, reader in payload_readers().items() if hasattr(reader, "verify")):
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
