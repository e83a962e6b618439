import asyncio
import socket
from unittest import mock

from django.test import SimpleTestCase

from incident_response import web
from incident_response.web import Acceptor


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
