"""SMTP (RFC 5321): reused connections, and errors by what they mean for the recipient."""

import re
import smtplib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from notifications.channels.email.addresses import mask_all
from notifications.channels.email.composing import Mail
from notifications.channels.port import Failed

IDLE_SECONDS = 20.0  # servers hang up after 30 s or more
MAILS_PER_CONNECTION = 100
MAX_IDLE = 16
READY = 354
DONE = range(200, 300)
SECONDS = 30.0  # for one mail, however slowly each command is answered

# RFC 3463, and the words of servers without its codes
NO_MAILBOX = re.compile(r"\b5\.1\.(?:1|6|10)\b|\b5\.2\.1\b")
ENHANCED = re.compile(r"\b[245]\.\d{1,3}\.\d{1,3}\b")
NO_MAILBOX_WORDS = re.compile(
    r"user unknown|unknown user|no such (?:user|recipient|mailbox|person)|does(?: not|n't) exist|"
    r"(?:mailbox|user|recipient) not found|no mailbox|invalid recipient|account (?:is )?disabled",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Server:
    """`security` is "", starttls or tls."""

    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)
    security: str = ""
    timeout: float = 10.0
    name: str = "localhost"  # how we introduce ourselves
    tls: ssl.SSLContext | None = field(default=None, compare=False)


@dataclass
class Connection:
    server: Server
    smtp: smtplib.SMTP
    used_at: float
    mails: int = 0


class Client:
    """Sends mails over pooled connections; thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._idle: list[Connection] = []
        self._lock = threading.Lock()

    def send(self, server: Server, mail: Mail) -> str:
        """Return the server's answer. Raises Failed."""
        content, ends_at = mail.message.as_bytes(), time.monotonic() + SECONDS
        reused = self._take(server)
        if reused is not None:
            try:
                return self._deliver(reused, mail, content, ends_at)
            except Lapsed:
                pass
        return self._deliver(self._open(server, ends_at), mail, content, ends_at)

    def close(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.smtp.close()

    def _take(self, server: Server) -> Connection | None:
        oldest = self._clock() - IDLE_SECONDS
        with self._lock:
            stale = [one for one in self._idle if one.used_at < oldest or one.server != server]
            self._idle = [one for one in self._idle if one not in stale]
            found = self._idle.pop() if self._idle else None
        for connection in stale:
            connection.smtp.close()
        return found

    def _give_back(self, connection: Connection) -> None:
        connection.mails += 1
        connection.used_at = self._clock()
        with self._lock:
            if connection.mails < MAILS_PER_CONNECTION and len(self._idle) < MAX_IDLE:
                self._idle.append(connection)
                return
        quit_politely(connection.smtp)

    def _deliver(self, connection: Connection, mail: Mail, content: bytes, ends_at: float) -> str:
        try:
            answer = converse(connection.smtp, mail, content, ends_at, is_reused=connection.mails > 0)
        except BaseException:
            connection.smtp.close()
            raise
        self._give_back(connection)
        return answer

    def _open(self, server: Server, ends_at: float) -> Connection:
        with failures_named(server):
            smtp = connect(server, ends_at)
        return Connection(server, smtp, self._clock())


class Lapsed(Exception):
    """A reused connection has gone before anything was sent."""


def connect(server: Server, ends_at: float) -> smtplib.SMTP:
    """Open a secured, signed-in connection. Raises OSError."""
    tls = server.tls or (ssl.create_default_context() if server.security else None)
    smtp: smtplib.SMTP
    if server.security == "tls":
        smtp = smtplib.SMTP_SSL(server.host, server.port, server.name, timeout=server.timeout, context=tls)
    else:
        smtp = smtplib.SMTP(server.host, server.port, server.name, timeout=server.timeout)
    try:
        hurry(smtp, ends_at)
        smtp.ehlo_or_helo_if_needed()
        if server.security == "starttls":
            hurry(smtp, ends_at)
            smtp.starttls(context=tls)
            smtp.ehlo()
        if server.user:
            hurry(smtp, ends_at)
            smtp.login(server.user, server.password)
    except BaseException:
        smtp.close()
        raise
    return smtp


def converse(smtp: smtplib.SMTP, mail: Mail, content: bytes, ends_at: float, *, is_reused: bool = False) -> str:
    """Return the server's answer. Raises Failed and Lapsed."""
    try:
        hurry(smtp, ends_at)
        code, answer = smtp.mail(mail.sender)
    except OSError as error:
        if is_reused:
            raise Lapsed from error
        raise lost(error) from error
    if code == 421 and is_reused:
        raise Lapsed
    if code not in DONE:  # not the recipient's fault
        raise Failed(f"The mail server refused our sender address: {said(code, answer)}")
    with losses(smtp, ends_at):
        code, answer = smtp.rcpt(mail.recipient)
    if code not in DONE:
        raise refused(code, answer)
    with losses(smtp, ends_at):
        smtp.putcmd("data")
        code, answer = smtp.getreply()
    if code != READY:
        raise refused(code, answer, is_recipients=False)
    body = smtplib._quote_periods(content)  # type: ignore[attr-defined]  # as smtplib's own `data` does
    with losses(smtp, ends_at):
        smtp.send(body + (b"" if body.endswith(b"\r\n") else b"\r\n") + b".\r\n")
    with losses(smtp, ends_at, may_have_arrived=True):
        code, answer = smtp.getreply()
    if code not in DONE:
        raise refused(code, answer, is_recipients=False)
    return said(code, answer)


def hurry(smtp: smtplib.SMTP, ends_at: float) -> None:
    """Give the next step no more than what is left. Raises TimeoutError."""
    left = ends_at - time.monotonic()
    if left <= 0:
        raise TimeoutError
    if smtp.sock is not None:
        smtp.sock.settimeout(min(float(smtp.timeout), left))


@contextmanager
def losses(smtp: smtplib.SMTP, ends_at: float, *, may_have_arrived: bool = False) -> Iterator[None]:
    try:
        hurry(smtp, ends_at)
        yield
    except OSError as error:
        raise lost(error, may_have_arrived=may_have_arrived) from error


def lost(error: OSError, *, may_have_arrived: bool = False) -> Failed:
    kind = "did not answer in time" if is_timeout(error) else "closed the connection"
    after = " after it had received the mail" if may_have_arrived else ""
    return Failed(f"The mail server {kind}{after}.", may_have_arrived=may_have_arrived)


def is_timeout(error: OSError) -> bool:
    """Return whether nothing came in time; smtplib wraps it."""
    return isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError)


def refused(code: int, answer: bytes, *, is_recipients: bool = True) -> Failed:
    words = answer.decode("utf-8", "replace")
    whose = "the address" if is_recipients else "the mail"
    return Failed(
        f"The mail server refused {whose}: {said(code, answer)}",
        is_permanent=code >= 500,
        disables=code >= 500 and is_recipients and is_about_mailbox(words),
    )


def is_about_mailbox(words: str) -> bool:
    """Return whether the mailbox does not exist."""
    if ENHANCED.search(words):
        return bool(NO_MAILBOX.search(words))
    return bool(NO_MAILBOX_WORDS.search(words))


@contextmanager
def failures_named(server: Server) -> Iterator[None]:
    """Turn errors that the operator has to mend into Failed."""
    where = f"The mail server {server.host}:{server.port}"
    try:
        yield
    except smtplib.SMTPAuthenticationError as error:
        raise Failed(f"{where} refused our user name or password ({error.smtp_code}).") from error
    except smtplib.SMTPNotSupportedError as error:
        raise Failed(f"{where} does not offer what EMAIL_URL asks for: {error}") from error
    except smtplib.SMTPResponseException as error:
        answer = error.smtp_error if isinstance(error.smtp_error, bytes) else str(error.smtp_error).encode()
        raise Failed(f"{where} does not talk to us: {said(error.smtp_code, answer)}") from error
    except ssl.SSLError as error:
        raise Failed(f"{where} cannot be trusted or speaks no TLS: {error.reason or error}") from error
    except socket.gaierror as error:
        raise Failed(f"{where} is not known to the name servers.") from error
    except OSError as error:
        if is_timeout(error):
            raise Failed(f"{where} did not answer in time.") from error
        raise Failed(f"{where} cannot be reached: {error.strerror or type(error).__name__}") from error


def said(code: int, answer: bytes) -> str:
    """Return the answer in one line, without addresses."""
    return mask_all(f"{code} {' '.join(answer.decode('utf-8', 'replace').split())}"[:300])


def quit_politely(smtp: smtplib.SMTP) -> None:
    try:
        smtp.quit()
    except OSError:
        smtp.close()
