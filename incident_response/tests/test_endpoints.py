"""The endpoints on the real server's way in: chunked bodies, odd types, and nothing of Django's middleware."""

import asyncio
import json
from typing import Any
from unittest import mock

from django.db import OperationalError
from django.test import TransactionTestCase, override_settings

from alerts.tests.factories import make_key, make_source
from core.server.bodies import Budget
from intake.models import IntakeEvent
from intake.services.sources import clear_cache


class GatewayTests(TransactionTestCase):
    def setUp(self) -> None:
        self.source = make_source()
        self.path = f"/intake/{make_key(self.source)}/"

    def ask(self, *chunks: bytes, path: str = "", method: str = "POST", ends: bool = True, **headers: str) -> Any:
        """What the server is sent for a request whose body comes in these chunks."""
        from core.server.gateway import application

        scope = {
            "type": "http",
            "method": method,
            "path": path or self.path,
            "query_string": b"",
            "http_version": "1.1",
            "scheme": "http",
            "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
            "client": ("127.0.0.1", 5000),
            "server": ("127.0.0.1", 8000),
        }
        messages = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
        messages.append({"type": "http.request", "body": b""} if ends else {"type": "http.disconnect"})
        sent: list[Any] = []

        async def receive() -> Any:
            return messages.pop(0)

        async def send(message: Any) -> None:
            sent.append(message)

        asyncio.run(application(scope, receive, send))
        self.unread = len(messages)
        return sent

    def test_it_takes_a_body_in_chunks_without_type_or_length(self) -> None:
        body = json.dumps({"title": "Disk full"}).encode()

        start, content = self.ask(body[:5], body[5:9], body[9:], transfer_encoding="chunked")

        self.assertEqual(start["status"], 202)
        self.assertEqual(json.loads(content["body"]), {"accepted": True, "alerts": 1})
        self.assertEqual(bytes(IntakeEvent.objects.get().body), body)

    def test_it_answers_nothing_and_keeps_nothing_when_the_client_breaks_off(self) -> None:
        sent = self.ask(b'{"title": "Disk', ends=False)

        self.assertEqual((sent, IntakeEvent.objects.count()), ([], 0))

    def test_it_refuses_a_body_that_is_announced_too_large(self) -> None:
        start, content = self.ask(b"x", content_length=str(11 * 1024 * 1024))

        self.assertEqual(start["status"], 413)
        self.assertIn("larger than", json.loads(content["body"])["detail"])

    def test_it_reads_nothing_of_what_comes_with_an_unknown_key_wherever_the_key_is(self) -> None:
        nobody = "x" * 32
        for path, headers in {
            f"/intake/{nobody}/": {},
            f"/intake/{nobody}/heartbeat/": {},
            "/v2/enqueue": {"x_routing_key": nobody},
            "/v2/alerts": {"authorization": f"GenieKey {nobody}"},
            "/api/v2/alerts": {"authorization": f"Bearer {nobody}"},
            "/api/v1/logs/": {"authorization": f"Bearer {nobody}"},
            "/api/v1/logs": {"authorization": "Bearer a.b.c"},
            "/v1/logs": {},
            "/loki/api/v1/push": {"authorization": "Basic eDp4"},
            "/services/collector/event": {"authorization": f"Splunk {nobody}"},
            "/gelf": {"x_api_key": nobody},
        }.items():
            with self.subTest(path=path), mock.patch("intake.asgi.intake_budget", Budget(0)):
                start, _content = self.ask(b"x" * 1000, path=path, **headers)

                self.assertIn(start["status"], (400, 401, 403))
                self.assertEqual(self.unread, 2)
        self.assertFalse(IntakeEvent.objects.exists())

    def test_it_shares_the_memory_of_intake_among_keys(self) -> None:
        budget = Budget(40_000)
        with (
            budget.share(f"source {self.source.pk}") as share,
            mock.patch("intake.asgi.intake_budget", budget),
        ):
            share(20_000)
            mine, _content = self.ask(b"x" * 1000)
            others, _content = self.ask(b'{"title": "Disk full"}', path=f"/intake/{make_key(make_source())}/")

        self.assertEqual((mine["status"], others["status"]), (503, 202))

    def test_it_takes_small_bodies_where_the_key_is_in_the_body(self) -> None:
        key = make_key(make_source(kind="pagerduty"))
        payload = {"summary": "x" * 1_100_000, "source": "a", "severity": "error"}
        event = {"event_action": "trigger", "payload": payload}

        late, _content = self.ask(json.dumps({**event, "routing_key": key}).encode(), path="/v2/enqueue")
        early, _content = self.ask(json.dumps(event).encode(), path="/v2/enqueue", x_routing_key=key)
        small = {**event, "routing_key": key, "payload": {**payload, "summary": "x"}}
        usual, _content = self.ask(json.dumps(small).encode(), path="/v2/enqueue")

        self.assertEqual((late["status"], early["status"], usual["status"]), (413, 202, 202))

    def test_it_refuses_for_now_while_the_database_is_away(self) -> None:
        clear_cache()
        with mock.patch("intake.services.sources.Source.objects.filter", side_effect=OperationalError(2013, "Lost")):
            start, _content = self.ask(b'{"title": "Disk full"}')

        self.assertEqual((start["status"], dict(start["headers"])[b"retry-after"]), (503, b"5"))

    @override_settings(SECURE_SSL_REDIRECT=True, ALLOWED_HOSTS=["elsewhere.example.org"])
    def test_it_is_never_redirected_and_asks_for_no_host(self) -> None:
        start, _content = self.ask(b'{"title": "Disk full"}', host="10.0.0.5")

        self.assertEqual(start["status"], 202)

    def test_it_asks_to_come_back_when_others_fill_the_memory(self) -> None:
        with mock.patch("intake.asgi.intake_budget", Budget(10)):
            start, content = self.ask(b'{"title": ', b'"Disk full"}')
            again, _content = self.ask(b"{}")

        self.assertEqual((start["status"], dict(start["headers"])[b"retry-after"]), (503, b"2"))
        self.assertIn("overloaded", json.loads(content["body"])["detail"])
        self.assertEqual((again["status"], IntakeEvent.objects.count()), (400, 1))  # what was refused took nothing

    def test_it_gives_refusals_the_requests_id(self) -> None:
        for given in ({}, {"x_request_id": "proxy-0123456789"}):
            with self.subTest(given):
                start, content = self.ask(b'{"title": "x"}', path="/intake/unknown/", **given)

                headers, problem = dict(start["headers"]), json.loads(content["body"])
                self.assertEqual((start["status"], problem["request_id"].encode()), (403, headers[b"x-request-id"]))
                self.assertRegex(problem["request_id"], given.get("x_request_id", "^[0-9a-f]{32}$"))

    def test_it_gives_refusals_by_django_the_requests_id(self) -> None:
        for response in (self.client.get("/intake/unknown/"), self.client.delete("/intake/unknown/")):
            with self.subTest(response.status_code):
                self.assertEqual(response.json()["request_id"], response["X-Request-ID"])

    def test_it_leaves_other_paths_to_django(self) -> None:
        start, *_rest = self.ask(path="/livez", method="GET", host="127.0.0.1")

        self.assertEqual(start["status"], 200)
