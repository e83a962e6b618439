import asyncio
import io
from unittest import mock

import time_machine
from django.db import connection
from django.test import SimpleTestCase, override_settings
from django.test.client import ClientHandler
from django.utils import timezone

from core.server import gateway
from core.server.bridge import build_environ
from core.server.endpoints import find_endpoint, relocated
from core.server.loglines import without_keys
from core.server.tests.asgi import Exchange, http_scope
from status_page import http
from status_page.access import grant
from status_page.models import StatusPage
from status_page.services import writing
from status_page.services.page import new_access_key
from status_page.tests.factories import make_page
from status_page.tests.test_serving import Served
from users.tests.factories import make_admin, make_reporter

OWN = override_settings(
    STATUS_URL="https://status.acme.example/",
    PUBLIC_URL="https://incidents.acme.example",
    ALLOWED_HOSTS=["incidents.acme.example", "status.acme.example", "testserver"],
)
TLS = override_settings(
    SECURE_SSL_REDIRECT=True,
    SECURE_HSTS_SECONDS=300,
    SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https"),
    ALLOWED_HOSTS=["localhost"],
)


def ask(path="/status/", method="GET", *, host=b"localhost", query=b"", **headers):
    exchange = Exchange()
    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {**http_scope(path, method), "query_string": query, "headers": [(b"host", host), *named]}
    asyncio.run(gateway.application(scope, exchange.receive, exchange.send))
    return exchange


class PathTests(SimpleTestCase):
    def test_it_takes_only_what_reads_the_page(self):
        for method, path, is_ours in (
            ("GET", "/status/", True),
            ("HEAD", "/status/de/", True),
            ("GET", "/status", True),
            ("POST", "/status/", False),
            ("GET", "/statuses/", False),
            ("GET", "/status-access/", False),
            ("GET", "/status/subscribe/", False),
            ("POST", "/status/subscribe/", False),
            ("GET", "/status/confirm/x/", False),
            ("GET", "/status/subscribe.html", True),
        ):
            with self.subTest(method=method, path=path):
                self.assertEqual(find_endpoint(method, path) is http.serve, is_ours)


class EventLoopTests(Served):
    def test_it_answers_without_database_and_threads(self):
        broken = mock.patch.object(connection, "cursor", side_effect=AssertionError("asked the database"))
        with broken, mock.patch.object(gateway, "threaded", side_effect=AssertionError("asked a thread")):
            exchange = ask()

        self.assertEqual(exchange.status, 200)
        self.assertIn(b"Last updated", exchange.body)
        self.assertEqual(int(exchange.headers[b"content-length"]), len(exchange.body))

    def test_it_goes_on_when_database_and_worker_have_stopped(self):
        written = self.manifest()["updated_at"]
        with mock.patch.object(connection, "cursor", side_effect=AssertionError("asked the database")):
            with time_machine.travel(self.now.timestamp() + 540, tick=False):
                early = ask().body
            with time_machine.travel(self.now.timestamp() + 660, tick=False):
                late = ask().body

        self.assertIn(f'Last updated: <time datetime="{written}">'.encode(), early)
        self.assertNotIn(b'class="stale"', early)
        self.assertIn(f'Last updated: <time datetime="{written}">'.encode(), late)
        self.assertIn(b'class="stale"', late)

    def test_it_answers_head_without_a_body(self):
        exchange = ask(method="HEAD")

        self.assertEqual((exchange.status, exchange.body), (200, b""))
        self.assertGreater(int(exchange.headers[b"content-length"]), 1000)

    def test_it_adds_the_slash(self):
        self.assertEqual(ask("/status").headers[b"location"], b"/status/")

    @TLS
    def test_it_leads_to_https(self):
        plain = ask("/status/de/", query=b"a=b")
        secure = ask(x_forwarded_proto="https")

        self.assertEqual((plain.status, plain.headers[b"location"]), (301, b"https://localhost/status/de/?a=b"))
        self.assertEqual(secure.status, 200)
        self.assertIn(b"max-age=300", secure.headers[b"strict-transport-security"])

    @TLS
    def test_it_leads_to_no_foreign_host(self):
        self.assertEqual(ask(host=b"evil.example").status, 400)


class OwnHostTests(Served):
    def setUp(self):
        super().setUp()
        OWN.enable()
        self.addCleanup(OWN.disable)
        writing.write_page(self.now, is_forced=True)

    def test_it_serves_the_page_at_the_root_of_its_host(self):
        for path, status in (("/", 200), ("/de/", 200), ("/status.json", 200), ("/admin/", 404), ("/api/v1/", 404)):
            with self.subTest(path):
                self.assertEqual(ask(path, host=b"status.acme.example").status, status)
                self.assertEqual(self.client.get(path, headers={"host": "status.acme.example"}).status_code, status)

    def test_it_serves_it_at_the_other_host_too(self):
        self.assertEqual(ask(host=b"incidents.acme.example").status, 200)
        self.assertEqual(self.client.get("/status/", headers={"host": "incidents.acme.example"}).status_code, 200)

    def test_it_styles_error_pages_at_both(self):
        style = self.manifest()["style"]

        self.assertIn(f'"/{style}"'.encode(), ask("/x/y", host=b"status.acme.example").body)
        self.assertIn(f'"/status/{style}"'.encode(), ask("/status/x/y", host=b"incidents.acme.example").body)

    def test_it_passes_forms_and_styles_on(self):
        for path, inside in (("/subscribe/", "/status/subscribe/"), ("/static/x.css", "/static/x.css")):
            scope = {**http_scope(path), "headers": [(b"host", b"Status.acme.example:443")]}
            self.assertEqual(relocated(scope)["path"], inside)

    def test_it_answers_links_of_mails_at_its_host_once_relocated(self):
        for path, sentence in (("/confirm/forged/", b"no longer valid"), ("/status/confirm/forged/", b"Not found")):
            with self.subTest(path):
                scope = {**http_scope(path), "query_string": b"", "headers": [(b"host", b"status.acme.example")]}
                environ = build_environ(relocated(scope), io.BytesIO(), 0)

                answer = ClientHandler()(environ)  # keeps the connection of the test

                self.assertEqual(answer.status_code, 404)
                self.assertIn(sentence.lower(), answer.content.lower())

    def test_it_sets_the_cookie_for_its_own_root(self):
        key = new_access_key(by=make_admin())
        make_page(is_private=True)
        writing.write_page(self.now)

        exchange = ask("/", host=b"status.acme.example", query=f"key={key}".encode())

        self.assertIn(b"Path=/;", exchange.headers[b"set-cookie"])


class WsgiTests(Served):
    def test_it_serves_the_same_under_wsgi(self):
        with self.assertNumQueries(0):
            answer = self.client.get("/status/", headers={"accept-language": "de"})

        self.assertEqual((answer.status_code, answer["Content-Language"]), (200, "de"))
        self.assertNotIn("script-src", answer["Content-Security-Policy"])
        self.assertEqual(answer["Cache-Control"], "no-cache")
        self.assertIn("X-Request-ID", answer)

    def test_it_leaves_other_methods_to_django(self):
        self.assertEqual(self.client.post("/status/").status_code, 404)


class AdmissionTests(Served):
    def test_it_lets_signed_in_people_into_the_private_page(self):
        new_access_key(by=make_admin())
        make_page(is_private=True)
        writing.write_page(self.now)
        self.client.force_login(make_reporter())

        answer = self.client.get("/status-access/")

        target = answer["Location"].partition("/status/")[2]
        self.assertEqual(self.client.get("/status/").status_code, 403)
        let_in = self.client.get(f"/status/{target}")
        cookie = let_in["Set-Cookie"].split(";")[0]
        self.assertEqual(let_in.status_code, 303)
        self.assertEqual(self.client.get("/status/", headers={"cookie": cookie}).status_code, 200)

    def test_it_asks_to_sign_in(self):
        self.assertIn("/sign-in/", self.client.get("/status-access/")["Location"])

    def test_it_leads_to_a_public_page_as_it_is(self):
        self.client.force_login(make_reporter())

        self.assertTrue(self.client.get("/status-access/")["Location"].endswith("/status/"))

    def test_it_gives_no_way_in_without_a_key(self):
        StatusPage.objects.update(is_private=True, access_digest="")
        writing.write_page(self.now, is_forced=True)

        self.assertEqual(ask(query=f"grant={grant('', timezone.now())}".encode()).status, 403)


class LogTests(SimpleTestCase):
    def test_it_keeps_keys_out_of_the_log(self):
        line = without_keys(None, "", "GET /status/feed.rss?a=b&key=abc-DEF_123&c=d grant ?grant=1.ab HTTP/1.1")

        self.assertEqual(line, "GET /status/feed.rss?a=b&key=…&c=d grant ?grant=… HTTP/1.1")

    def test_it_keeps_links_of_subscribers_out_of_the_log(self):
        token = "MTIzNDU2:1wHh7k:Zk3v9mQ2rT5xW8bN1cD4fG6h"

        for line in (
            f"/status/confirm/{token}/",
            f"/status/manage/{token}/",
            f"/unsubscribe/{token.replace(':', '%3A')}/",
        ):
            with self.subTest(line):
                self.assertNotIn("Zk3v9mQ2", without_keys(None, "", f"Internal Server Error: {line}"))
