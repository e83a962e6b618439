"""The client for what we send, against a server on this machine that a hook lets through."""

import datetime as dt
import socket
import ssl
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from unittest import mock

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.test import SimpleTestCase

from core.outbound.client import Client, Refused, TooLong, Unreachable


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.seen.append((self.path, dict(self.headers)))
        getattr(self, f"answer_{self.path.rpartition('/')[2]}")()

    do_POST = do_GET

    def answer(self, status: int, content: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def answer_ok(self) -> None:
        self.answer(200, b"found", **{"Set-Cookie": "a=b"})

    def answer_moved(self) -> None:
        self.answer(302, Location="/ok")

    def answer_large(self) -> None:
        self.answer(200, b"x" * 70_000)

    def answer_endless(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.close_connection = True
        while True:
            self.wfile.write(b"x" * 10_000)

    def answer_trickle(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\n")
        self.close_connection = True
        for number in range(50):
            self.wfile.write(f"X-{number}: a\r\n".encode())
            time.sleep(0.1)

    def answer_silent(self) -> None:
        time.sleep(1)

    def answer_flaky(self) -> None:
        self.answer(200 if len(self.server.seen) > 2 else 503)

    def log_message(self, *args: Any) -> None:
        pass


def start_server(test: SimpleTestCase) -> Any:
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads, server.handle_error, server.seen = True, lambda *args: None, []
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    test.addCleanup(server.server_close)
    test.addCleanup(server.shutdown)
    test.enterContext(mock.patch("core.outbound.network.is_public", lambda address: address == "127.0.0.1"))
    return server


class ClientTests(SimpleTestCase):
    def setUp(self) -> None:
        self.server = start_server(self)
        self.enterContext(mock.patch("core.outbound.client.FIRST_PAUSE", 0.01))
        self.address = f"http://127.0.0.1:{self.server.server_port}"

    def get(self, path: str, method: str = "GET", **options: Any) -> Any:
        return Client(**options).request(method, f"{self.address}{path}")

    def test_it_returns_the_answer(self) -> None:
        client = Client()
        answers = [client.request("POST", f"{self.address}/ok", content=b"{}", headers={"X-A": "b"}) for _ in range(2)]

        self.assertEqual([(answer.status, answer.content) for answer in answers], [(200, b"found")] * 2)
        headers = self.server.seen[1][1]
        self.assertEqual((headers["X-A"], headers["Accept-Encoding"], headers.get("Cookie")), ("b", "identity", None))

    def test_it_follows_no_redirect(self) -> None:
        self.assertEqual((self.get("/moved").status, len(self.server.seen)), (302, 1))

    def test_it_bounds_the_answer(self) -> None:
        for path in ("/large", "/endless"):
            with self.subTest(path), self.assertRaises(TooLong):
                self.get(path)

    def test_it_gives_up_in_time(self) -> None:
        for path, options in (("/silent", {"step_seconds": 0.2}), ("/trickle", {}), ("/silent", {})):
            begun = time.monotonic()
            with self.subTest(path, **options), self.assertRaises(Unreachable):
                self.get(path, attempts=1, total_seconds=0.5, **options)
            self.assertLess(time.monotonic() - begun, 0.9)

    def test_it_repeats_what_is_safe_to_repeat(self) -> None:
        self.assertEqual((self.get("/flaky").status, len(self.server.seen)), (200, 3))
        self.server.seen.clear()
        self.assertEqual((self.get("/flaky", "POST").status, len(self.server.seen)), (503, 1))
        self.server.seen.clear()
        self.assertEqual((self.get("/flaky", attempts=2).status, len(self.server.seen)), (503, 2))

    def test_it_says_who_cannot_be_reached(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        for address in (f"http://127.0.0.1:{port}/", "http://nobody.invalid/"):
            with self.subTest(address), self.assertRaisesMessage(Unreachable, "ConnectError"):
                Client(attempts=2).request("GET", address)

    def test_it_sends_through_the_proxy_that_the_environment_names(self) -> None:
        with mock.patch.dict("os.environ", {"http_proxy": self.address, "no_proxy": ""}):
            answer = Client().request("GET", "http://outside.test/ok")

        self.assertEqual((answer.status, self.server.seen[0][0]), (200, "http://outside.test/ok"))

    def test_it_connects_to_the_address_it_looked_at(self) -> None:
        with mock.patch("core.outbound.network._addresses", side_effect=[["10.0.0.1", "127.0.0.1"]]):
            answer = Client(attempts=1).request("GET", f"http://rebound.test:{self.server.server_port}/ok")

        self.assertEqual((answer.status, self.server.seen[0][1]["Host"][:12]), (200, "rebound.test"))

    def test_it_reaches_networks_that_the_operator_allows(self) -> None:
        with mock.patch("core.outbound.network.is_public", return_value=False):
            with self.settings(OUTBOUND_ALLOW=[ip_network("127.0.0.0/8")]):
                self.assertEqual(self.get("/ok").status, 200)
            with self.settings(OUTBOUND_ALLOW=[ip_network("10.0.0.0/8")]), self.assertRaises(Refused):
                self.get("/ok")

    def test_it_reaches_addresses_that_the_operator_set(self) -> None:
        with mock.patch("core.outbound.network.is_public", return_value=False):
            self.assertEqual(self.get("/ok", is_trusted=True).status, 200)

    def test_it_refuses_what_leads_inside(self) -> None:
        port = self.server.server_port
        with mock.patch("core.outbound.network.is_public", return_value=False):
            for address in (
                self.address,
                f"http://localhost:{port}",
                f"http://[::1]:{port}",
                f"http://2130706433:{port}",
            ):
                with self.subTest(address), self.assertRaisesMessage(Refused, "no public address"):
                    Client().request("GET", address)
        for address in ("file:///etc/passwd", "gopher://127.0.0.1/", "http://a:port/", "/relative"):
            with self.subTest(address), self.assertRaises(Refused):
                Client().request("GET", address)
        self.assertEqual(self.server.seen, [])


class CertificateTests(SimpleTestCase):
    def setUp(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name, now = x509.Name([]), dt.datetime.now(dt.UTC)
        builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        builder = builder.not_valid_before(now - dt.timedelta(days=1)).not_valid_after(now + dt.timedelta(days=1))
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("named.test")]), critical=True)
        pem = builder.sign(key, SHA256()).public_bytes(Encoding.PEM)
        file = Path(self.enterContext(tempfile.TemporaryDirectory())) / "pem"
        file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + pem)
        of_server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        of_server.load_cert_chain(file)
        self.server = start_server(self)
        self.server.socket = of_server.wrap_socket(self.server.socket, server_side=True)
        self.trusting = ssl.create_default_context(cadata=pem.decode())
        self.enterContext(mock.patch("core.outbound.network._addresses", return_value=["127.0.0.1"]))

    def get(self, host: str) -> Any:
        return Client(attempts=1).request("GET", f"https://{host}:{self.server.server_port}/ok")

    def test_it_checks_the_certificate_against_the_name_in_the_address(self) -> None:
        with mock.patch("httpx2.create_ssl_context", return_value=self.trusting):
            self.assertEqual(self.get("named.test").content, b"found")
            with self.assertRaises(Unreachable):
                self.get("other.test")

    def test_it_trusts_no_certificate_that_nobody_vouches_for(self) -> None:
        with self.assertRaises(Unreachable):
            self.get("named.test")
