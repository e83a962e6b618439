import asyncio
import io
import threading
from unittest import mock

from django.test import SimpleTestCase

from core.errors import Busy
from core.server import bridge
from core.server.bridge import ThreadedApplication, build_environ
from core.server.tests.asgi import Exchange, http_scope


class Whole:
    """An answer as Django's ordinary responses are."""

    content = b"hello"
    closed = False

    def __iter__(self):
        return iter([b"hel", b"lo"])

    def close(self):
        self.closed = True


class Stream:
    """An endless streamed answer that notes how far it came."""

    def __init__(self, chunks=None):
        self.given, self.chunks, self.closed = 0, chunks, threading.Event()

    def __iter__(self):
        while self.chunks is None or self.given < self.chunks:
            self.given += 1
            yield b"x"

    def close(self):
        self.closed.set()


def serve(response, exchange, threads=1):
    def application(environ, start_response):
        start_response("201 Created", [("Content-Type", "text/plain")])
        return response

    threaded = ThreadedApplication(application, threads)
    asyncio.run(threaded(http_scope(), exchange.receive, exchange.send, io.BytesIO(), 0))
    threaded.executor.shutdown()
    threaded.streamers.shutdown()


class AnswerTests(SimpleTestCase):
    def test_it_sends_an_ordinary_answer_in_one_piece(self):
        response, exchange = Whole(), Exchange()

        serve(response, exchange)

        self.assertEqual((exchange.status, exchange.body, len(exchange.sent)), (201, b"hello", 2))
        self.assertEqual(exchange.headers, {b"content-type": b"text/plain"})
        self.assertTrue(response.closed)

    def test_it_streams_chunk_by_chunk(self):
        response, exchange = Stream(chunks=3), Exchange()

        serve(response, exchange)

        bodies = [(message["body"], message["more_body"]) for message in exchange.sent[1:]]
        self.assertEqual(bodies, [(b"x", True)] * 3 + [(b"", False)])
        self.assertTrue(response.closed.is_set())

    def test_it_stops_a_stream_when_the_client_is_gone(self):
        response, exchange = Stream(), Exchange(disconnects_after=5)

        serve(response, exchange)

        self.assertLess(response.given, 50)
        self.assertTrue(response.closed.is_set())

    def test_it_gives_up_a_stream_that_nobody_takes(self):
        response, exchange = Stream(), Exchange()

        async def stuck(message):
            await asyncio.Event().wait()

        with mock.patch.object(bridge, "STALL_SECONDS", 1):
            exchange.send = stuck
            serve(response, exchange)

        self.assertLessEqual(response.given, 1)
        self.assertTrue(response.closed.is_set())

    def test_it_hands_on_what_the_application_raises(self):
        def application(environ, start_response):
            raise ZeroDivisionError

        threaded, exchange = ThreadedApplication(application, 1), Exchange()

        with self.assertRaises(ZeroDivisionError):
            asyncio.run(threaded(http_scope(), exchange.receive, exchange.send, io.BytesIO(), 0))

    def test_it_answers_as_many_at_a_time_as_it_has_threads(self):
        meeting = threading.Barrier(3, timeout=5)

        def application(environ, start_response):
            meeting.wait()
            start_response("200 OK", [])
            return Whole()

        async def run():
            threaded = ThreadedApplication(application, 3)
            exchanges = [Exchange() for _ in range(3)]
            await asyncio.gather(*(threaded(http_scope(), e.receive, e.send, io.BytesIO(), 0) for e in exchanges))
            return [exchange.status for exchange in exchanges]

        self.assertEqual(asyncio.run(run()), [200, 200, 200])


class SlowReader(Exchange):
    """Takes the head of an answer at once, and its chunks only when `reads` is set."""

    def __init__(self):
        super().__init__()
        self.reads = asyncio.Event()

    async def send(self, message):
        if message["type"] == "http.response.body":
            await self.reads.wait()
        await super().send(message)


class SlowReaderTests(SimpleTestCase):
    """Two threads, so that one stream is sent at a time."""

    def setUp(self):
        self.streams = []

    def application(self, environ, start_response):
        start_response("200 OK", [])
        if environ["PATH_INFO"] != "/stream":
            return Whole()
        self.streams.append(Stream(chunks=2))
        return self.streams[-1]

    async def start(self, threaded, path, exchange):
        task = asyncio.create_task(threaded(http_scope(path), exchange.receive, exchange.send, io.BytesIO(), 0))
        await asyncio.sleep(0.05)
        return task

    def test_it_answers_others_meanwhile(self):
        async def run():
            threaded, other, readers = (
                ThreadedApplication(self.application, 2),
                Exchange(),
                [SlowReader(), SlowReader()],
            )
            slow = [await self.start(threaded, "/stream", reader) for reader in readers]
            async with asyncio.timeout(5):
                await (await self.start(threaded, "/", other))
                begun = [stream.given for stream in self.streams]
                for reader in readers:
                    reader.reads.set()
                await asyncio.gather(*slow)
            return other.body, begun, [reader.body for reader in readers]

        self.assertEqual(asyncio.run(run()), (b"hello", [1, 0], [b"xx", b"xx"]))

    @mock.patch.object(bridge, "STREAM_WAIT_SECONDS", 0.2)
    def test_it_refuses_a_stream_whose_turn_does_not_come(self):
        async def run():
            threaded, reader = ThreadedApplication(self.application, 1), SlowReader()
            first = await self.start(threaded, "/stream", reader)
            second = await self.start(threaded, "/stream", SlowReader())
            refusal = (await asyncio.gather(second, return_exceptions=True))[0]
            is_closed = [stream.closed.is_set() for stream in self.streams]
            reader.reads.set()
            await first
            return type(refusal), is_closed

        self.assertEqual(asyncio.run(run()), (Busy, [False, True]))

    def test_it_holds_no_thread_for_a_small_file(self):
        response, exchange = Stream(chunks=3), Exchange()

        def application(environ, start_response):
            start_response("200 OK", [("Content-Length", "3")])
            return response

        threaded = ThreadedApplication(application, 1)
        asyncio.run(threaded(http_scope(), exchange.receive, exchange.send, io.BytesIO(), 0))

        self.assertEqual((exchange.body, len(exchange.sent)), (b"xxx", 2))
        self.assertTrue(response.closed.is_set())


class EnvironTests(SimpleTestCase):
    def environ(self, path="/", headers=(), size=0):
        return build_environ(http_scope(path, headers=headers), io.BytesIO(), size)

    def test_it_sets_the_length_that_was_taken_in(self):
        environ = self.environ(headers=[(b"transfer-encoding", b"chunked"), (b"content-length", b"1")], size=7)

        self.assertEqual(environ["CONTENT_LENGTH"], "7")
        self.assertNotIn("HTTP_TRANSFER_ENCODING", environ)

    def test_it_drops_names_that_pass_themselves_off_as_others(self):
        environ = self.environ(headers=[(b"x_forwarded_proto", b"https")])

        self.assertNotIn("HTTP_X_FORWARDED_PROTO", environ)

    def test_it_joins_repeated_headers(self):
        environ = self.environ(headers=[(b"accept", b"a"), (b"accept", b"b"), (b"cookie", b"a=1"), (b"cookie", b"b=2")])

        self.assertEqual((environ["HTTP_ACCEPT"], environ["HTTP_COOKIE"]), ("a,b", "a=1; b=2"))

    def test_it_writes_paths_as_wsgi_wants_them(self):
        environ = self.environ(path="/Zürich")

        self.assertEqual(environ["PATH_INFO"].encode("latin-1").decode(), "/Zürich")
