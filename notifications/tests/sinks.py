"""An HTTP server on this machine that keeps what it is sent and answers as told."""

import datetime as dt
import ssl
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any
from unittest import TestCase, mock

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.test.utils import override_settings

LOOPBACK = ip_network("127.0.0.0/8")


@dataclass
class Received:
    method: str
    path: str
    headers: Mapping[str, str]
    content: bytes


@dataclass
class Sink:
    """Answers one of `answers` (status, headers) after the other, then 200."""

    url: str = ""
    received: list[Received] = field(default_factory=list)
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    body: bytes = b""


def start_sink(test: TestCase, *, is_tls: bool = False, is_allowed: bool = True) -> Sink:
    """Serve until the test ends; its address is allowed like one that an operator allows."""
    sink = Sink()
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), _handler(sink))
    server.daemon_threads, server.handle_error = True, lambda *args: None
    if is_tls:
        server.socket = _tls(test).wrap_socket(server.socket, server_side=True)
    sink.url = f"{'https' if is_tls else 'http'}://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    test.addCleanup(server.server_close)
    test.addCleanup(server.shutdown)
    if is_allowed:
        test.enterContext(override_settings(OUTBOUND_ALLOW=[LOOPBACK]))
    return sink


def _handler(sink: Sink) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            sink.received.append(Received(self.command, self.path, dict(self.headers), content))
            status, headers = sink.answers.pop(0) if sink.answers else (200, {})
            self.send_response(status)
            for name, value in {"Content-Length": str(len(sink.body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(sink.body)

        do_GET = do_POST

        def log_message(self, *args: Any) -> None:
            pass

    return Handler


def _tls(test: TestCase) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([]), dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - dt.timedelta(days=1)).not_valid_after(now + dt.timedelta(days=1))
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    pem = builder.add_extension(names, critical=True).sign(key, SHA256()).public_bytes(Encoding.PEM)
    file = Path(test.enterContext(tempfile.TemporaryDirectory())) / "pem"
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + pem)
    trusting = ssl.create_default_context(cadata=pem.decode())
    test.enterContext(mock.patch("core.outbound.network._tls_context", return_value=trusting))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context
