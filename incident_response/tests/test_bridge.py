import asyncio
import io
import threading
from unittest import mock

from django.test import SimpleTestCase

from incident_response import bridge
from incident_response.bridge import ThreadedApplication, build_environ
from incident_response.tests.asgi import Exchange, http_scope


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
