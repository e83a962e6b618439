"""The client for what we send, against a server on this machine that a hook lets through."""

import contextlib
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

from core.outbound.addresses import is_public
from core.outbound.client import Answer, Client, Refused, TimedOut, TooLong, Unreachable


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.seen.append((self.path, dict(self.headers)))
        self.server.ports.add(self.client_address[1])
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

    def answer_inside(self) -> None:
        self.answer(302, Location="http://10.0.0.1/ok")

    def answer_loop(self) -> None:
        self.answer(302, Location="loop")

    def answer_file(self) -> None:
        self.answer(301, Location="file:///etc/passwd")

    def answer_elsewhere(self) -> None:
        self.answer(307, Location=f"http://elsewhere.test:{self.server.server_port}/ok")

    def answer_limited(self) -> None:
        self.answer(429, **{"Retry-After": "7"})

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

    def answer_broken(self) -> None:
        self.answer(200, b"begun", **{"Content-Length": "100"})
        self.close_connection = True

    def answer_silent(self) -> None:
        time.sleep(1)

    def answer_flaky(self) -> None:
        self.answer(200 if len(self.server.seen) > 2 else 503)

    def log_message(self, *args: Any) -> None:
        pass


def start_server(test: SimpleTestCase) -> Any:
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads, server.handle_error, server.seen = True, lambda *args: None, []
    server.ports = set()
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

    def test_it_follows_redirects_that_it_may(self) -> None:
        for path, method, status in (("/moved", "GET", 200), ("/moved", "POST", 302), ("/loop", "GET", 302)):
            with self.subTest(path, method=method):
                self.assertEqual(self.get(path, method, max_redirects=3).status, status)
        for path in ("/inside", "/file"):
            with self.subTest(path), self.assertRaises(Refused):
                self.get(path, max_redirects=3)

    def test_it_keeps_credentials_from_other_hosts(self) -> None:
        headers = {"Authorization": "Bearer secret", "X-Key": "secret", "If-None-Match": '"1"'}
        with mock.patch("core.outbound.network._addresses", return_value=["127.0.0.1"]):
            Client(max_redirects=1).request("GET", f"{self.address}/elsewhere", headers=headers)

        (_path, first), (_path, second) = self.server.seen
        self.assertEqual((first["Authorization"], second["If-None-Match"]), ("Bearer secret", '"1"'))
        self.assertNotIn("secret", str(second))

    def test_it_lets_no_redirect_choose_a_trusted_address(self) -> None:
        with self.assertRaises(ValueError):
            Client(is_trusted=True, max_redirects=1)

    def test_it_cuts_an_answer_that_nobody_needs(self) -> None:
        for path in ("/large", "/endless"):
            with self.subTest(path):
                self.assertEqual(len(self.get(path, cuts_answer=True, max_bytes=100).content), 100)

    def test_it_reads_how_long_to_wait(self) -> None:
        now = dt.datetime(2026, 11, 30, 12, tzinfo=dt.UTC)
        for text, seconds in (
            *(("7", 7.0), ("0", 0.0), ("99999999999999999999", 86_400.0), ("Mon, 30 Nov 2026 12:01:00 GMT", 60.0)),
            *(("Mon, 30 Nov 2026 11:00:00 GMT", 0.0), ("Mon, 30 Nov 2026 12:01:00 -0000", 60.0)),
            *(("", None), ("-1", None), ("1e9", None), ("soon", None), ("١", None)),
        ):
            with self.subTest(text):
                self.assertEqual(Answer(429, {"Retry-After": text}, b"").retry_after(now), seconds)
        self.assertEqual(self.get("/limited", attempts=1).retry_after(now), 7.0)

    def test_it_waits_for_a_resolver_no_longer_than_for_other_steps(self) -> None:
        with mock.patch("socket.getaddrinfo", side_effect=lambda *args, **options: time.sleep(2) or []):
            begun = time.monotonic()
            with self.assertRaisesMessage(Unreachable, "ConnectTimeout"):
                Client(attempts=1, step_seconds=0.1).request("GET", "http://slow.test/")

        self.assertLess(time.monotonic() - begun, 0.6)

    def test_it_keeps_connections(self) -> None:
        client = Client()
        for _number in range(5):
            client.request("POST", f"{self.address}/ok", content=b"{}")

        self.assertEqual((len(self.server.seen), len(self.server.ports)), (5, 1))

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

    def test_it_reads_an_answer_as_it_arrives(self) -> None:
        with Client(total_seconds=5).stream("POST", f"{self.address}/endless") as answer:
            first = next(answer.parts)

        self.assertEqual((answer.status, set(first)), (200, {ord("x")}))

    def test_it_tells_an_answer_that_broke_off_from_one_out_of_time(self) -> None:
        for path, error in (("/broken", Unreachable), ("/silent", TimedOut)):
            client = Client(step_seconds=0.2)
            with (
                self.subTest(path),
                self.assertRaises(Unreachable) as caught,
                client.stream("GET", f"{self.address}{path}") as answer,
            ):
                list(answer.parts)
            self.assertIs(type(caught.exception), error)

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

    def test_it_is_not_led_inside_by_a_name_that_changes(self) -> None:
        answers = iter([["10.0.0.1"], ["127.0.0.1"], ["10.0.0.1"]])
        with mock.patch("core.outbound.network._addresses", side_effect=lambda *args: next(answers)) as resolve:
            for expected in (Refused, None, Refused):
                client = Client(attempts=1)
                with self.subTest(expected), contextlib.ExitStack() as stack:
                    if expected is not None:
                        stack.enter_context(self.assertRaises(expected))
                    client.request("GET", f"http://rebound.test:{self.server.server_port}/ok")

        # One look a connection: there is no moment between the check and its use.
        self.assertEqual((resolve.call_count, len(self.server.seen)), (3, 1))

    def test_it_is_not_led_inside_by_spelling(self) -> None:
        port = self.server.server_port
        with mock.patch("core.outbound.network.is_public", side_effect=is_public):
            for address in (
                *(f"http://①②⑦.⓪.⓪.①:{port}/ok", f"http://127。0。0。1:{port}/ok", f"http://127.0.0.1.:{port}/ok"),
                *(f"http://LOCALHOST:{port}/ok", f"http://localhost.:{port}/ok", f"http://[::ffff:7f00:1]:{port}/ok"),
                *(f"http://[::]:{port}/ok", f"http://0:{port}/ok", f"http://[::ffff:127.0.0.1]:{port}/ok"),
                *(f"http://a@127.0.0.1:{port}/ok", f"http://1.1.1.1@127.0.0.1:{port}/ok"),
                *(f"http://127.0.0.1:{port}\\@a.test/ok", f"http://127.0.0.1:{port}#@a.test/ok"),
                *(f"http:\\\\127.0.0.1:{port}/ok", f"http:///127.0.0.1:{port}/ok", f" http://127.0.0.1:{port}/ok"),
                *(f"HTTP://127.0.0.1:{port}/ok", f"http://127.0.0.1:0{port}/ok", f"http://%31%32%37.0.0.1:{port}/ok"),
                *(f"http://[fe80::1%25lo]:{port}/ok", f"http://[64:ff9b::7f00:1]:{port}/ok", f"http://①27.1:{port}/ok"),
            ):
                with self.subTest(address), self.assertRaises((Refused, Unreachable)):
                    Client(attempts=1, step_seconds=0.3).request("GET", address)
        self.assertEqual(self.server.seen, [])

    def test_it_refuses_what_leads_inside(self) -> None:
        port = self.server.server_port
        with mock.patch("core.outbound.network.is_public", return_value=False):
            for address in (
                self.address,
                f"http://localhost:{port}",
                f"http://[::1]:{port}",
                *(f"http://{host}:{port}" for host in ("2130706433", "0x7f.1", "127.1", "a.localhost")),
                *("http://134744072/", "http://0x8080808/", "http://1.1/"),
            ):
                with self.subTest(address), self.assertRaisesMessage(Refused, "no public address"):
                    Client().request("GET", address)
            with mock.patch.dict("os.environ", {"http_proxy": self.address, "no_proxy": ""}):
                for address in ("http://10.0.0.1/ok", "http://[::ffff:10.0.0.1]/ok", "http://localhost/ok"):
                    with self.subTest(proxied=address), self.assertRaises(Refused):
                        Client().request("GET", address)
        for address in (
            "http://0177.0.0.1/",
            "file:///etc/passwd",
            "gopher://127.0.0.1/",
            "http://a:port/",
            "/relative",
        ):
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
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        file, self.authority = folder / "pem", folder / "authority"
        self.authority.write_bytes(pem)
        file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + pem)
        of_server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        of_server.load_cert_chain(file)
        self.server = start_server(self)
        self.server.socket = of_server.wrap_socket(self.server.socket, server_side=True)
        self.trusting = ssl.create_default_context(cadata=pem.decode())
        self.enterContext(mock.patch("core.outbound.network._addresses", return_value=["127.0.0.1"]))

    def get(self, host: str, **options: Any) -> Any:
        return Client(attempts=1, **options).request("GET", f"https://{host}:{self.server.server_port}/ok")

    def test_it_checks_the_certificate_against_the_name_in_the_address(self) -> None:
        with mock.patch("core.outbound.network._tls_context", return_value=self.trusting):
            self.assertEqual(self.get("named.test").content, b"found")
            with self.assertRaises(Unreachable):
                self.get("other.test")

    def test_it_trusts_no_certificate_that_nobody_vouches_for(self) -> None:
        with self.assertRaises(Unreachable):
            self.get("named.test")

    def test_it_trusts_a_file_of_authorities_and_still_checks_the_name(self) -> None:
        found = self.get("named.test", is_trusted=True, ca_file=str(self.authority))

        self.assertEqual(found.content, b"found")
        with self.assertRaises(Unreachable):
            self.get("other.test", is_trusted=True, ca_file=str(self.authority))

    def test_it_says_that_a_file_of_authorities_cannot_be_read(self) -> None:
        empty = self.authority.with_name("empty")
        empty.touch()

        for file in (self.authority.with_name("missing"), empty):
            with self.subTest(file.name), self.assertRaisesMessage(Refused, "certificate authority cannot be read"):
                self.get("named.test", is_trusted=True, ca_file=str(file))
