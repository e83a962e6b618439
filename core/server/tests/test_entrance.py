import asyncio
import json
from unittest import mock

from django.test import SimpleTestCase

from core.server import checks
from core.server.entrance import Entrance
from core.server.tests.asgi import Exchange, http_scope, part


async def hanging(scope, receive, send):
    await asyncio.Event().wait()


async def answering(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"x", b"y")]})
    await send({"type": "http.response.body", "body": b"done"})


def refuse_to_serve(scope, receive, send):
    raise AssertionError("it went to the application")


def ask(application, scope, exchange):
    entrance = Entrance(application)
    asyncio.run(entrance(scope, exchange.receive, exchange.send))


class EntranceTests(SimpleTestCase):
    def test_it_says_by_itself_that_it_lives(self):
        for method in ("GET", "HEAD"):
            exchange = Exchange()

            ask(refuse_to_serve, http_scope("/livez", method), exchange)

            self.assertEqual((exchange.status, exchange.body), (200, b"ok\n"))

    def test_it_says_by_itself_how_it_is(self):
        watch = checks.Watch(lambda begin: {"worker": {"status": "failed", "detail": "Gone."}})
        watch.look()
        for path, expected in (
            ("/readyz", b"worker: failed (Gone.)\n"),
            ("/health/", b'{"status":"failed"'),
            ("/health", b'{"status":"degraded"'),
        ):
            exchange = Exchange()

            with mock.patch.object(checks, "watch", watch):
                ask(refuse_to_serve, http_scope(path), exchange)

            self.assertEqual(exchange.status, 503)
            self.assertIn(expected, exchange.body)

    def test_it_leaves_a_host_that_is_not_ours_to_django(self):
        watch = checks.Watch(lambda begin: {})
        watch.look()
        foreign = {**http_scope("/readyz"), "headers": [(b"host", b"elsewhere.example")]}
        for scope in (foreign, {**foreign, "headers": []}, {**foreign, "path": "/metrics"}):
            exchange = Exchange()

            with mock.patch.object(checks, "watch", watch):
                ask(answering, scope, exchange)

            self.assertEqual(exchange.body, b"done")

    def test_it_hands_everything_else_on(self):
        exchange = Exchange()

        ask(answering, http_scope("/livez", "POST"), exchange)

        self.assertEqual((exchange.body, exchange.headers), (b"done", {b"x": b"y"}))

    def test_it_closes_connections_once_it_stops(self):
        exchange = Exchange()

        async def run():
            entrance = Entrance(answering)
            entrance.stop()
            await entrance(http_scope(), exchange.receive, exchange.send)

        asyncio.run(run())

        self.assertEqual(exchange.headers[b"connection"], b"close")

    def test_it_answers_what_is_cut_short(self):
        still_sending = [part(b"more", more=True), part(b"last", more=False)]
        exchange = Exchange(*still_sending)

        asyncio.run(self.cut(hanging, exchange))

        self.assertEqual((exchange.status, exchange.headers[b"retry-after"]), (503, b"2"))
        self.assertEqual((exchange.headers[b"connection"], json.loads(exchange.body)["code"]), (b"close", "stopping"))
        self.assertEqual((exchange.messages, exchange.sent[-1]), ([], {"type": "http.response.body", "body": b""}))

    def test_it_waits_for_a_sender_no_longer_than_it_may(self):
        exchange = Exchange(part(b"half", more=True))

        asyncio.run(self.cut(hanging, exchange))

        self.assertEqual((exchange.status, exchange.sent[-1]["body"]), (503, b""))

    async def cut(self, application, exchange):
        entrance = Entrance(application)
        entrance.linger_seconds = 0.05
        task = asyncio.create_task(entrance(http_scope("/", "POST"), exchange.receive, exchange.send))
        await asyncio.sleep(0.01)
        entrance.stop()
        task.cancel()
        await task
