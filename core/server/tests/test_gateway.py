import asyncio
import json
from unittest import mock

from django.test import SimpleTestCase

from core.errors import Busy
from core.server import bodies, gateway
from core.server.tests.asgi import Exchange, http_scope, part


def ask(scope, exchange):
    asyncio.run(gateway.application(scope, exchange.receive, exchange.send))
    return exchange


class GatewayTests(SimpleTestCase):
    def test_it_serves_django(self):
        exchange = ask(http_scope("/livez"), Exchange())

        self.assertEqual((exchange.status, exchange.body), (200, b"ok\n"))

    def test_it_answers_too_much_with_a_problem(self):
        size = (b"content-length", b"3000000")
        scope = http_scope("/livez", "POST", [(b"content-type", b"application/json"), size])
        exchange = ask(scope, Exchange(part(b" " * 1024 * 1024, more=True)))

        problem = json.loads(exchange.body)
        self.assertEqual((exchange.status, problem["status"], problem["code"]), (413, 413, "too_large"))
        self.assertEqual(exchange.headers[b"content-type"], b"application/problem+json")

    def test_it_takes_nothing_large_from_who_is_not_signed_in(self):
        form = (b"content-type", b"multipart/form-data; boundary=x")
        for path in ("/api/v1/incidents/", "/admin/incidents/incident/add/", "/reset-password/", "/livez", "/nowhere"):
            for headers in ([(b"content-length", b"70000")], []):
                exchange = Exchange(*[part(b"x" * 40_000, more=True)] * 9)
                with self.subTest(path=path, headers=headers):
                    ask(http_scope(path, "POST", [form, *headers]), exchange)

                    self.assertEqual((exchange.status, json.loads(exchange.body)["code"]), (401, "not_authenticated"))
                    self.assertEqual(exchange.headers[b"www-authenticate"], b"Bearer")
                    self.assertEqual(len(exchange.messages), 9 if headers else 7)

    def test_it_answers_a_body_that_stands_still_with_408_and_ends_the_connection(self):
        with mock.patch.object(bodies, "STALL_SECONDS", 0.01):
            for path in ("/api/v1/auth/token/", "/services/collector/health"):
                exchange = ask(http_scope(path, "POST"), Exchange(part(b"half", more=True)))

                self.assertEqual((exchange.status, exchange.headers[b"connection"]), (408, b"close"))

    def test_it_asks_to_come_again_while_too_much_is_streamed(self):
        with mock.patch.object(gateway, "threaded", side_effect=Busy("Too many downloads are under way.")):
            exchange = ask(http_scope("/api/v1/incidents/export/"), Exchange())

        self.assertEqual((exchange.status, json.loads(exchange.body)["code"]), (503, "busy"))
        self.assertEqual(exchange.headers[b"retry-after"], b"2")

    def test_it_takes_forms_up_to_the_sum_of_their_files(self):
        scope = http_scope("/", "POST", [(b"content-type", b"multipart/form-data; boundary=x")])

        self.assertGreater(gateway._limit(scope), gateway._limit(http_scope("/", "POST")))

    def test_it_shows_no_view_a_body_that_broke_off(self):
        exchange = ask(http_scope("/livez", "POST"), Exchange(part(b"half", more=True), {"type": "http.disconnect"}))

        self.assertEqual(exchange.sent, [])

    def test_it_turns_websockets_away(self):
        exchange = ask({"type": "websocket", "path": "/"}, Exchange({"type": "websocket.connect"}))

        self.assertEqual([message["type"] for message in exchange.sent], ["websocket.close"])
