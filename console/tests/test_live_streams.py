import asyncio
import datetime as dt
import json
from contextlib import asynccontextmanager
from unittest import mock

from django.db import OperationalError
from django.test import TestCase

from console.live import asgi, hub, streams
from console.live.entries import Entry
from console.live.hub import Hub
from console.live.reading import Found, Joined
from console.live.viewers import Viewer
from core.errors import Busy, DatabaseUnavailable, NotSignedIn, TooManyRequests
from core.server.entrance import Entrance
from core.server.tests.asgi import Exchange, http_scope
from incidents.permissions import Audience
from incidents.services.feed import FeedEvent
from users.models import Role, User

NOW = dt.datetime(2026, 3, 2, 10, 0, tzinfo=dt.UTC)
SESSION = (b"cookie", b"sessionid=one")


def viewer(pk=1, role=Role.RESPONDER, key="one"):
    return Viewer(key, User(pk=pk, role=role))


def entry(seq, followers=(), is_restricted=False):
    audience = Audience(True, is_restricted, frozenset(followers), frozenset(followers))
    return Entry(
        FeedEvent(seq, 7, "created", "public", NOW), audience, {"feed_seq": seq, "incident": 7}, {"en": "<tr>"}
    )


class FakeReader:
    """Finds what a test says, without a database."""

    def __init__(self, viewers=()):
        self.viewers = {one.session_key: one for one in viewers or [viewer()]}
        self.position = 0
        self.next, self.current, self.unread, self.replay = [], None, {}, Joined(None)
        self.error = None
        self.is_closed = False
        self.asked = []

    def look(self, asked):
        self.asked.append(asked)
        if self.error:
            raise self.error
        entries, self.next = self.next, []
        self.position = entries[-1].seq if entries else self.position
        joined = [
            Joined(self.viewers.get(key), self.replay.entries if place is not None else (), self.replay.is_too_far)
            for key, place in asked.joining
        ]
        current, self.current = self.current, None
        unread, self.unread = self.unread, {}
        return Found(self.position, entries, joined, current, unread)

    def close(self):
        self.is_closed = True


async def until(condition):
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.002)


@asynccontextmanager
async def opened(reader, *headers, query=b""):
    """Open a stream through the application; yields the exchange."""
    exchange = Exchange()
    scope = {**http_scope("/live/", headers=[SESSION, *headers]), "query_string": query}
    task = asyncio.create_task(asgi.find_endpoint("GET", "/live/")(scope, exchange.receive, exchange.send))
    await until(lambda: len(exchange.sent) > 1 or task.done())
    try:
        yield exchange
    finally:
        exchange.gone.set()
        await task


class StreamCase(TestCase):
    def setUp(self):
        self.reader = FakeReader()
        patch = mock.patch.multiple(hub, LOOK_SECONDS=0.002, FAILED_SECONDS=0.01)
        patch.start()
        self.addCleanup(patch.stop)

    def run_with_hub(self, test):
        async def run():
            with mock.patch.object(asgi, "_hub", Hub(self.reader)):
                await test()

        asyncio.run(run())


class StreamTests(StreamCase):
    def test_it_streams_events(self):
        async def test():
            async with opened(self.reader) as exchange:
                self.reader.next = [entry(3), entry(4)]
                await until(lambda: b"id: 4" in exchange.body)

                self.assertEqual(exchange.status, 200)
                self.assertEqual(exchange.headers[b"content-type"], b"text/event-stream; charset=utf-8")
                self.assertEqual(exchange.headers[b"x-accel-buffering"], b"no")
                self.assertIn(b"no-store", exchange.headers[b"cache-control"])
                self.assertRegex(exchange.body, rb"^retry: \d+\n: connected\n\n")
                data = [json.loads(line[6:]) for line in exchange.body.splitlines() if line.startswith(b'data: {"f')]
                self.assertEqual([one["feed_seq"] for one in data], [3, 4])
                self.assertEqual(data[0]["row"], "<tr>")

        self.run_with_hub(test)

    def test_it_streams_only_what_the_person_may_see(self):
        async def test():
            async with opened(self.reader) as exchange:
                self.reader.next = [entry(3, is_restricted=True), entry(4)]
                await until(lambda: b"id: 4" in exchange.body)

                self.assertNotIn(b"id: 3", exchange.body)

        self.run_with_hub(test)

    def test_it_goes_on_where_the_client_was(self):
        self.reader.replay = Joined(None, [entry(8), entry(9)])

        async def test():
            for headers, query in (((b"last-event-id", b"7"),), b""), ((), b"after=7"):
                async with opened(self.reader, *headers, query=query) as exchange:
                    self.assertIn(b"id: 8", exchange.body)
                    self.assertIn(b"id: 9", exchange.body)
            places = [place for asked in self.reader.asked for _, place in asked.joining]
            self.assertEqual(places, [7, 7])

        self.run_with_hub(test)

    def test_it_asks_to_load_again_after_too_long(self):
        self.reader.replay = Joined(None, (), is_too_far=True)
        self.reader.position = 900

        async def test():
            async with opened(self.reader, (b"last-event-id", b"7")) as exchange:
                self.assertIn(b'id: 900\nevent: resync\ndata: {"feed_seq": 900}\n\n', exchange.body)

        self.run_with_hub(test)

    def test_it_asks_to_load_again_where_the_queue_overflows(self):
        async def test():
            stream = streams.Stream(viewer(), 1000)
            for seq in range(1, streams.QUEUE_MOST + 3):
                stream.offer(entry(seq))

            queued = b"".join(stream._queue)
            self.assertEqual(len(stream._queue), 3)
            self.assertIn(b"event: resync", queued)
            self.assertNotIn(b"id: 1\n", queued)
            self.assertIn(b"id: %d\ndata" % (streams.QUEUE_MOST + 2), queued)

        self.run_with_hub(test)

    def test_it_ends_when_the_session_does(self):
        async def test():
            async with opened(self.reader) as exchange:
                self.reader.current = {}
                await until(lambda: exchange.sent[-1].get("more_body") is False)

                self.assertTrue(exchange.body.endswith(b"event: signed_out\ndata: {}\n\n"))
                self.assertEqual(asgi.hub().streams, {})

        self.run_with_hub(test)

    def test_it_follows_a_changed_role(self):
        async def test():
            async with opened(self.reader) as exchange:
                self.reader.current = {"one": viewer(role=Role.REPORTER)}
                await until(lambda: self.reader.current is None)
                self.reader.next = [entry(3), entry(4, followers={1})]
                await until(lambda: b"id: 4" in exchange.body)

                self.assertNotIn(b"id: 3", exchange.body)

        self.run_with_hub(test)

    def test_it_tells_the_number_of_unread_entries(self):
        async def test():
            async with opened(self.reader) as exchange:
                self.reader.unread = {1: 4, 2: 9}
                await until(lambda: b"inbox" in exchange.body)

                self.assertIn(b'event: inbox\ndata: {"unread": 4}\n\n', exchange.body)
                self.assertNotIn(b"9", exchange.body.rpartition(b"inbox")[2])

        self.run_with_hub(test)

    def test_it_pings_with_the_place(self):
        self.reader.position = 31

        async def test():
            with mock.patch.object(hub, "PING_SECONDS", 0.0):
                async with opened(self.reader) as exchange:
                    await until(lambda: b": ping\nid: 31\n\n" in exchange.body)

        self.run_with_hub(test)

    def test_it_says_good_bye_when_the_server_stops(self):
        async def test():
            entrance = Entrance(asgi.serve)
            async with opened(self.reader) as exchange:
                with mock.patch("core.server.endpoints._stoppers", [asgi.stop]):
                    entrance.stop()
                await until(lambda: exchange.sent[-1].get("more_body") is False)

                self.assertRegex(exchange.body, rb'retry: (\d+)\nevent: bye\ndata: \{"retry_ms": \1\}\n\n$')
                with self.assertRaises(Busy):
                    await asgi.hub().join("one", None)
            await until(lambda: self.reader.is_closed)

        self.run_with_hub(test)

    def test_it_holds_no_connection_without_streams(self):
        async def test():
            async with opened(self.reader):
                self.assertFalse(self.reader.is_closed)
            await until(lambda: self.reader.is_closed)

            async with opened(self.reader) as exchange:
                self.assertEqual(exchange.status, 200)

        self.run_with_hub(test)

    def test_it_gives_up_on_who_reads_nothing(self):
        async def test():
            stream = await asgi.hub().join("one", None)
            exchange = Exchange()

            async def stuck(message):
                if message["type"] == "http.response.body":
                    await asyncio.sleep(60)

            with mock.patch.object(streams, "STALL_SECONDS", 0.01), mock.patch.object(hub, "PING_SECONDS", 0.0):
                await asyncio.wait_for(stream.run(exchange.receive, stuck), 5)
            asgi.hub().leave(stream)

        self.run_with_hub(test)

    def test_it_survives_an_outage(self):
        async def test():
            async with opened(self.reader) as exchange:
                self.reader.error = OperationalError(2006, "MySQL server has gone away")
                with self.assertRaises(DatabaseUnavailable):
                    await asgi.hub().join("one", None)
                self.reader.error = None
                self.reader.next = [entry(5)]
                await until(lambda: b"id: 5" in exchange.body)

        self.run_with_hub(test)


class RefusalTests(StreamCase):
    def refusal(self, *headers, reader=None):
        exchange = Exchange()

        async def test():
            await asgi.serve(http_scope("/live/", headers=headers), exchange.receive, exchange.send)

        self.run_with_hub(test)
        return exchange.status, json.loads(exchange.body)["code"]

    def test_it_asks_to_sign_in(self):
        self.assertEqual(self.refusal(), (401, "not_authenticated"))
        self.assertEqual(self.refusal((b"cookie", b"sessionid=other")), (401, "not_authenticated"))

    def test_it_knows_its_hosts(self):
        exchange = Exchange()
        scope = {**http_scope("/live/"), "headers": [(b"host", b"evil.example"), SESSION]}
        asyncio.run(asgi.serve(scope, exchange.receive, exchange.send))

        self.assertEqual((exchange.status, json.loads(exchange.body)["code"]), (400, "unknown_host"))

    def test_it_allows_a_person_so_many_streams(self):
        async def test():
            joined = [await asgi.hub().join("one", None) for _ in range(hub.PER_PERSON)]
            with self.assertRaises(TooManyRequests):
                await asgi.hub().join("one", None)
            asgi.hub().leave(joined[0])
            joined[0] = await asgi.hub().join("one", None)
            for stream in joined:
                asgi.hub().leave(stream)

        self.run_with_hub(test)

    def test_it_allows_a_process_so_many_streams(self):
        async def test():
            with mock.patch.object(hub, "MOST_STREAMS", 0), self.assertRaises(Busy):
                await asgi.hub().join("one", None)

        self.run_with_hub(test)

    def test_it_refuses_the_unknown_beside_others(self):
        async def test():
            known, unknown = await asyncio.gather(
                asgi.hub().join("one", None), asgi.hub().join("none", None), return_exceptions=True
            )
            self.assertIsInstance(known, streams.Stream)
            self.assertIsInstance(unknown, NotSignedIn)
            asgi.hub().leave(known)

        self.run_with_hub(test)

    def test_it_leaves_other_requests_to_pages(self):
        for method, path in (("POST", "/live/"), ("GET", "/live/poll/"), ("GET", "/livez"), ("HEAD", "/live/")):
            self.assertIsNone(asgi.find_endpoint(method, path))
