"""A mail server for tests: real SMTP on 127.0.0.1, which refuses, hangs or drops as it is told."""

import datetime as dt
import email
import ipaddress
import ssl
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default
from functools import cache
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword
from aiosmtpd.smtp import Session as SmtpSession
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

USER, PASSWORD = "incidents", "correct horse"
DROP = "drop"
ANSWER = "250 2.0.0 Ok: queued as 4711"


@dataclass
class Sink:
    """What came in, and what to answer; a script's value may be a function of how many came before."""

    mails: list[Envelope] = field(default_factory=list)
    sender: str = "250 OK"
    recipient: str | Callable[[str], str] = "250 OK"
    data: str | Callable[[int], str] = ANSWER
    connections: int = 0
    release: threading.Event = field(default_factory=threading.Event)

    async def handle_CONNECT(self, *_: Any) -> str:
        return "250 OK"

    async def handle_EHLO(
        self, server: Any, session: SmtpSession, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_MAIL(
        self, server: Any, session: SmtpSession, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.sender.startswith("250"):
            envelope.mail_from = address
        return self.sender

    async def handle_RCPT(
        self, server: Any, session: SmtpSession, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = self.recipient(address) if callable(self.recipient) else self.recipient
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: Any, session: SmtpSession, envelope: Envelope) -> str:
        answer = self.data(len(self.mails)) if callable(self.data) else self.data
        self.mails.append(envelope)
        if answer == DROP:
            server.transport.abort()
            return ANSWER
        return answer

    def read(self, number: int = -1) -> EmailMessage:
        """A mail that arrived, parsed."""
        content = self.mails[number].content
        assert isinstance(content, bytes)
        message = email.message_from_bytes(content, policy=default)
        assert isinstance(message, EmailMessage)
        return message


class AnyPort(Controller):
    """A server on a free port."""

    def _trigger_server(self) -> None:
        assert self.server is not None
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


def _check_password(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    is_known = isinstance(data, LoginPassword) and (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=is_known, handled=is_known)


@contextmanager
def mail_server(sink: Sink, **options: Any) -> Iterator[int]:
    """A server that gives its mails to the sink; yields its port."""
    controller = AnyPort(sink, hostname="127.0.0.1", port=0, **options)
    controller.start()
    try:
        yield controller.port
    finally:
        sink.release.set()
        controller.stop()


def authenticating() -> dict[str, Any]:
    """Options of a server that asks for STARTTLS, then for a password."""
    return {
        "tls_context": server_tls(),
        "require_starttls": True,
        "auth_required": True,
        "authenticator": _check_password,
    }


@cache
def _certificate() -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = Path(tempfile.mkdtemp(prefix="mail-certificate-")) / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path


def server_tls() -> ssl.SSLContext:
    """The server's side of TLS, with a certificate made for this run."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(_certificate())
    return context


def client_tls() -> ssl.SSLContext:
    """The side of a client who trusts that certificate."""
    return ssl.create_default_context(cafile=str(_certificate()))
