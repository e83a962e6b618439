import asyncio
import http.client
import socket
import subprocess
import sys
import tempfile
from unittest import mock

import uvicorn
from django.conf import settings
from django.test import SimpleTestCase

from core.server import web
from core.server.entrance import Entrance
from core.server.web import Acceptor, Server


class Remembering(asyncio.Protocol):
    """Remembers the connections it was made for."""

    def __init__(self, connections):
        self.connections = connections

    def connection_made(self, transport):
        self.connections.append(transport)


def acceptor_on(listener, connections):
    return Acceptor(listener, lambda: Remembering(connections), lambda: len(connections))


async def until(condition):
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)


class AcceptorTests(SimpleTestCase):
    def test_it_shares_connections_out(self):
        async def run():
            with socket.create_server(("127.0.0.1", 0)) as listener, listener.dup() as same:
                parts = [], []
                acceptors = [acceptor_on(listener, parts[0]), acceptor_on(same, parts[1])]
                clients = [socket.create_connection(listener.getsockname()) for _ in range(8)]
                await until(lambda: sum(map(len, parts)) == 8)
                for acceptor in acceptors:
                    acceptor.close()
                for open_one in [*clients, *parts[0], *parts[1]]:
                    open_one.close()
                return [len(part) for part in parts]

        counts = asyncio.run(run())

        self.assertGreaterEqual(min(counts), 2, counts)

    def test_it_accepts_no_more_when_closed(self):
        async def run():
            with socket.create_server(("127.0.0.1", 0)) as listener:
                connections = []
                acceptor_on(listener, connections).close()
                with socket.create_connection(listener.getsockname()):
                    await asyncio.sleep(0.05)
                return connections

        self.assertEqual(asyncio.run(run()), [])

    def test_it_takes_those_that_wait_already_before_it_closes(self):
        async def run():
            with socket.create_server(("127.0.0.1", 0)) as listener:
                connections = []
                acceptor = acceptor_on(listener, connections)
                clients = [socket.create_connection(listener.getsockname()) for _ in range(5)]
                await acceptor.drain()
                for open_one in [*clients, *connections]:
                    open_one.close()
                return len(connections)

        self.assertEqual(asyncio.run(run()), 5)

    def test_it_goes_on_when_files_run_out(self):
        async def run():
            listener = mock.MagicMock(wraps=socket.create_server(("127.0.0.1", 0)))
            real = listener._mock_wraps
            listener.fileno.side_effect = real.fileno
            listener.accept.side_effect = [OSError(24, "Too many open files"), real.accept]
            connections = []
            acceptor = acceptor_on(listener, connections)
            with socket.create_connection(real.getsockname()):
                await until(lambda: listener.accept.called)
                listener.accept.side_effect = real.accept
                await until(lambda: connections)
            acceptor.close()
            connections[0].close()
            real.close()
            return len(connections)

        with mock.patch.object(web, "OUT_OF_FILES_SECONDS", 0.01), mock.patch.object(web.log, "error") as logged:
            count = asyncio.run(run())

        self.assertEqual((count, logged.call_count), (1, 1))


class ServerTests(SimpleTestCase):
    """A server that is told to stop while requests are in hand."""

    def stop_during(self, application, grace_seconds):
        """What each of two clients reads: one whose request is in hand, and one who came just before."""

        async def run():
            entrance = Entrance(application)
            entrance.linger_seconds = 0.05
            config = uvicorn.Config(entrance, lifespan="off", ws="none", log_config=None)
            config.load()
            server = Server(config, entrance, grace_seconds)
            listener = socket.create_server(("127.0.0.1", 0))
            address = listener.getsockname()
            serving = asyncio.create_task(server._serve([listener]))
            await until(lambda: server.started)
            first = await self.ask(address)
            await until(lambda: entrance.pending)
            late = await self.ask(address)
            server._stop()
            answers = [await asyncio.wait_for(reader.read(), 30) for reader, _writer in (first, late)]
            await asyncio.wait_for(serving, 30)
            with self.assertRaises(OSError):
                await asyncio.open_connection(*address)
            return answers, server.has_cut

        with mock.patch.object(web, "log"):
            return asyncio.run(run())

    async def ask(self, address):
        reader, writer = await asyncio.open_connection(*address)
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await writer.drain()
        return reader, writer

    def test_it_answers_what_is_in_hand(self):
        async def slow(scope, receive, send):
            await asyncio.sleep(0.3)
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"done"})

        answers, has_cut = self.stop_during(slow, grace_seconds=30)

        self.assertFalse(has_cut)
        for answer in answers:
            self.assertIn(b"200 OK", answer)
            self.assertIn(b"connection: close", answer)

    def test_it_refuses_what_does_not_end_in_time(self):
        async def hanging(scope, receive, send):
            await asyncio.Event().wait()

        answers, has_cut = self.stop_during(hanging, grace_seconds=0.2)

        self.assertTrue(has_cut)
        for answer in answers:
            self.assertIn(b"503 Service Unavailable", answer)
            self.assertIn(b"retry-after: 2", answer)


class ProcessTests(SimpleTestCase):
    def test_it_starts_by_itself_and_answers(self):
        with socket.create_server(("127.0.0.1", 0)) as listener, tempfile.TemporaryFile() as log:
            command = [sys.executable, "-m", "core.server.web", str(listener.fileno())]
            pipes = {"stdin": subprocess.PIPE, "stdout": log, "stderr": log, "pass_fds": [listener.fileno()]}
            with subprocess.Popen(command, cwd=settings.BASE_DIR, **pipes) as process:
                try:
                    client = http.client.HTTPConnection(*listener.getsockname(), timeout=30)
                    client.request("GET", "/livez")
                    status = client.getresponse().status
                    client.close()
                finally:
                    process.terminate()

        self.assertEqual(status, 200)
