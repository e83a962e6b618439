"""What a connection may send before anybody looks at it."""

import asyncio
from typing import Any
from unittest import mock

import uvicorn
from django.test import SimpleTestCase
from uvicorn.server import ServerState

from core.server import protocol
from core.server.protocol import BoundedProtocol

HEAD = b"GET / HTTP/1.1\r\nHost: localhost\r\n"


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Answer at once, as a refusal does, whatever is yet to come; say how many headers there were."""
    if scope["path"] == "/slow":
        await asyncio.sleep(0.2)
    headers = [(b"content-length", b"2"), (b"x-count", str(len(scope["headers"])).encode())]
    if scope["path"] == "/length":
        headers.append((b"x-length", str(await length_of_body(receive)).encode()))
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"ok"})


async def length_of_body(receive: Any) -> int:
    """Once all of it came in."""
    length, more = 0, True
    while more:
        message = await receive()
        length, more = length + len(message["body"]), message["more_body"]
    return length


class Observed(BoundedProtocol):
    """One that remembers how many requests waited at the same time."""

    most = 0

    def on_message_complete(self) -> None:
        super().on_message_complete()
        Observed.most = max(Observed.most, len(self.pipeline))


async def exchange(*parts: bytes) -> bytes:
    """All that is answered to these bytes, sent one after the other, until the connection ends or goes quiet."""
    config = uvicorn.Config(application, ws="none", log_config=None, lifespan="off", timeout_keep_alive=1)
    config.load()
    state = ServerState()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Observed(config=config, server_state=state, app_state={}), "127.0.0.1", 0)
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
        try:
            for one in parts:
                writer.write(one)
                await writer.drain()
                await asyncio.sleep(0.01)
            async with asyncio.timeout(5):
                return await reader.read()
        except ConnectionError:
            return b"reset"
        finally:
            writer.close()


async def received_of_one_who_goes(body: bytes, said: int) -> int | str:
    """What an application that is busy at first receives of a request whose sender does not wait for the answer."""
    received: asyncio.Future[int | str] = asyncio.get_running_loop().create_future()

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(0.1)
        try:
            received.set_result(await length_of_body(receive))
        except KeyError:
            received.set_result("broken off")
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    config = uvicorn.Config(application, ws="none", log_config=None, lifespan="off")
    config.load()
    loop, state = asyncio.get_running_loop(), ServerState()
    new = lambda: BoundedProtocol(config=config, server_state=state, app_state={})  # noqa: E731
    async with await loop.create_server(new, "127.0.0.1", 0) as server:
        _reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
        writer.write(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % said + body)
        await writer.drain()
        writer.close()
        async with asyncio.timeout(5):
            return await received


class Endless(mock.Mock):
    """A connection on which there is always something to read."""

    is_reading, answers = True, 0

    def pause_reading(self) -> None:
        self.is_reading = False

    def resume_reading(self) -> None:
        self.is_reading = True

    def write(self, data: bytes) -> None:
        self.answers += data.count(b"HTTP/1.1 200 ")

    def is_closing(self) -> bool:
        return False

    def get_extra_info(self, name: str) -> None:
        return None


class Careful(BoundedProtocol):
    """One that remembers whether it went on to read while it held something, whatever the event loop does first."""

    was_careless = False

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self.was_careless |= bool(self._held) and not self.flow.read_paused


async def flood(chunk: bytes) -> tuple[bool, int]:
    """Whether more was read than was waited for while these bytes came in as fast as they were read; and how many
    requests were answered."""
    config = uvicorn.Config(application, ws="none", log_config=None, lifespan="off")
    config.load()
    connection = Endless()
    protocol = Careful(config=config, server_state=ServerState(), app_state={})
    protocol.connection_made(connection)
    for _ in range(5_000):
        if connection.is_reading:
            protocol.data_received(chunk)
        await asyncio.sleep(0)
    protocol.connection_lost(None)
    return protocol.was_careless, connection.answers


class BoundedProtocolTests(SimpleTestCase):
    def setUp(self) -> None:
        self.enterContext(mock.patch.object(protocol, "LINGER_SECONDS", 0.05))

    def ask(self, *parts: bytes) -> bytes:
        return asyncio.run(exchange(*parts))

    def status(self, *parts: bytes) -> bytes:
        return self.ask(*parts).partition(b"\r\n")[0]

    def test_it_serves_what_is_usual(self) -> None:
        headers = b"".join(b"X-%d: %s\r\n" % (number, b"v" * 100) for number in range(98))

        answer = self.ask(HEAD + headers + b"Connection: close\r\n\r\n")

        self.assertTrue(answer.startswith(b"HTTP/1.1 200 "), answer)
        self.assertIn(b"x-count: 100\r\n", answer)

    def test_it_refuses_too_many_headers(self) -> None:
        answer = self.ask(HEAD + b"A: b\r\n" * 100 + b"\r\n")

        self.assertTrue(answer.startswith(b"HTTP/1.1 431 "), answer)
        self.assertIn(b"application/problem+json", answer)
        self.assertIn(b"connection: close", answer)

    def test_it_refuses_headers_that_are_too_large_before_they_end(self) -> None:
        block = b"x" * 20_000
        for start in (HEAD + b"A: ", HEAD + b"A", b"GET /?", HEAD + b"A: b\r\nB: "):
            with self.subTest(start=start):
                self.assertEqual(self.status(start, *[block] * 5)[:13], b"HTTP/1.1 431 ")

    def test_it_refuses_a_head_that_ends_but_was_too_large(self) -> None:
        self.assertEqual(self.status(HEAD + b"A: " + b"x" * 66_000 + b"\r\n\r\n")[:13], b"HTTP/1.1 431 ")

    def test_it_answers_all_that_come_at_once_and_makes_few_of_them_requests_at_a_time(self) -> None:
        Observed.most = 0
        post = b"POST / HTTP/1.1\r\nContent-Length: 10000\r\n\r\n" + b"x" * 10_000

        answer = self.ask((b"GET / HTTP/1.1\r\n\r\n" * 1000 + post) * 3 + HEAD + b"Connection: close\r\n\r\n")

        self.assertEqual(answer.count(b"HTTP/1.1 200 "), 3004)
        self.assertLess(Observed.most, 250)

    def test_it_reads_no_more_while_something_read_waits_its_turn(self) -> None:
        post = b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc"

        was_careless, answers = asyncio.run(flood(post * 1_000))

        self.assertFalse(was_careless)
        self.assertGreater(answers, 1_000)

    def test_it_reads_the_body_of_a_request_that_asks_for_another_protocol(self) -> None:
        """Java's client asks for HTTP/2 with its first request, web pages for a socket; proxies may pass that on."""
        body, asks = b"x" * 10_000, b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAE\r\n"
        chunked = b"Transfer-Encoding: chunked\r\n\r\n" + b"1388\r\n" + body[:5000] + b"\r\n1388\r\n" + body[5000:]
        for request in (
            b"Content-Length: 10000\r\n\r\n" + body,
            chunked + b"\r\n0\r\n\r\n",
        ):
            first = b"POST /length HTTP/1.1\r\nHost: localhost\r\n" + asks + request
            socket = b"GET /length HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
            whole = first + socket + HEAD + b"Connection: close\r\n\r\n"
            for parts in ([whole], [whole[at : at + 3000] for at in range(0, len(whole), 3000)]):
                with self.subTest(request=request[:20], parts=len(parts)):
                    answer = self.ask(*parts)

                    self.assertEqual(answer.count(b"HTTP/1.1 200 "), 3, answer)
                    self.assertIn(b"x-length: 10000\r\n", answer)
                    self.assertIn(b"x-length: 0\r\n", answer)

    def test_it_waits_for_the_rest_of_a_head_that_it_did_not_read(self) -> None:
        with mock.patch.object(protocol, "HEAD_SECONDS", 0.1), mock.patch.object(protocol, "STEP_BYTES", 48):
            answer = self.ask((b"GET /slow HTTP/1.1\r\n\r\n" * 3) + HEAD + b"Connection: close\r\n\r\n")

        self.assertEqual(answer.count(b"HTTP/1.1 200 "), 4)

    def test_it_hands_on_what_came_whole_though_its_sender_has_gone(self) -> None:
        for size in (1, 300_000):
            with self.subTest(size):
                self.assertEqual(asyncio.run(received_of_one_who_goes(b"x" * size, size)), size)

    def test_it_hands_on_nothing_that_breaks_off(self) -> None:
        self.assertEqual(asyncio.run(received_of_one_who_goes(b"x" * 10, 11)), "broken off")

    def test_it_keeps_no_trailers(self) -> None:
        start = b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nA: "

        answer = self.ask(start, *[b"x" * 20_000] * 5)

        self.assertEqual(answer.count(b"HTTP/1.1"), 1)  # it was answered before, and the connection has ended

    def test_it_gives_up_on_headers_that_do_not_come(self) -> None:
        with mock.patch.object(protocol, "HEAD_SECONDS", 0.05):
            self.assertEqual(self.status(HEAD)[:13], b"HTTP/1.1 408 ")
            self.assertEqual(self.ask(), b"")
            second = self.ask(HEAD + b"\r\n", HEAD)

        self.assertEqual((second.count(b"HTTP/1.1 200 "), second.count(b"HTTP/1.1 408 ")), (1, 1))

    def test_it_reads_the_rest_of_a_refused_body_but_not_for_ever(self) -> None:
        start = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n"

        with mock.patch.object(protocol, "MAX_DISCARDED_BYTES", 50_000):
            answer = self.ask(start, *[b"x" * 20_000] * 4)  # would wait for more, did the server not end it

        self.assertTrue(answer == b"reset" or answer.startswith(b"HTTP/1.1 200 "), answer)

    def test_it_waits_no_longer_than_between_requests_for_the_rest_of_a_refused_body(self) -> None:
        start = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n"

        answer = self.ask(start, b"x" * 1000)

        self.assertTrue(answer.startswith(b"HTTP/1.1 200 "), answer)
