"""Answer probes, and refuse requests while stopping, without a thread."""

import asyncio
import uuid
from dataclasses import dataclass

from django.conf import settings
from django.http.request import split_domain_port, validate_host

from core.errors import Busy
from core.server import checks, health
from core.server.bodies import ASGIApplication, Message, Receive, Scope, Send, header
from core.server.endpoints import stop_endpoints
from core.server.responses import send_problem, send_response


@dataclass(eq=False)
class Exchange:
    send: Send
    is_answered: bool = False
    is_last: bool = False

    async def answer(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.is_answered = True
            if self.is_last:
                message = {**message, "headers": [*message.get("headers", []), (b"connection", b"close")]}
        await self.send(message)


class Entrance:
    """The outermost application."""

    linger_seconds = 2.0  # for senders to finish and read our answer

    def __init__(self, application: ASGIApplication) -> None:
        self.application = application
        self.is_stopping = False
        self.pending: set[Exchange] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or 503 if stopping cuts it short."""
        if scope["type"] != "http":
            await self.application(scope, receive, send)
            return
        if scope["method"] in ("GET", "HEAD") and (known := _known(scope)) is not None:
            await _send_known(send, *known)
            return
        exchange = Exchange(send, is_last=self.is_stopping)
        self.pending.add(exchange)
        try:
            await self.application(scope, receive, exchange.answer)
        except asyncio.CancelledError:
            if not self.is_stopping or exchange.is_answered:
                raise
            await _reject(receive, exchange, self.linger_seconds)
        finally:
            self.pending.discard(exchange)

    def stop(self) -> None:
        """Make each answer the last of its connection, and have endless ones end."""
        self.is_stopping = True
        for exchange in self.pending:
            exchange.is_last = True
        stop_endpoints()


def _known(scope: Scope) -> tuple[int, bytes, bytes] | None:
    path = scope["path"].rstrip("/")
    if path == "/livez":
        return 200, b"text/plain", b"ok\n"
    if path not in ("/readyz", "/health") or (outcomes := checks.watch.outcomes()) is None:
        return None
    domain, _port = split_domain_port(header(scope, b"host").decode("latin-1"))
    if not validate_host(domain, settings.ALLOWED_HOSTS):
        return None
    status = 200 if checks.is_well(outcomes) else 503
    if path == "/readyz":
        return status, b"text/plain", health.in_lines(outcomes)
    formatted = health.in_summary if scope["path"] == "/health" else health.in_json
    return status, b"application/json", formatted(outcomes)


async def _send_known(send: Send, status: int, media_type: bytes, body: bytes) -> None:
    headers = [
        (b"content-type", media_type),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"max-age=0, no-cache, no-store, must-revalidate, private"),
        (b"x-content-type-options", b"nosniff"),
        (b"x-request-id", uuid.uuid4().hex.encode()),
    ]
    await send_response(send, status, headers, body)


async def _reject(receive: Receive, exchange: Exchange, linger_seconds: float) -> None:
    """Answer 503, draining the body: a connection cut meanwhile may lose the answer."""

    async def send_all_but_the_end(message: Message) -> None:
        await exchange.answer({**message, "more_body": message["type"] == "http.response.body"})

    await send_problem(send_all_but_the_end, Busy("The server is stopping; send it again shortly.", code="stopping"))
    try:
        async with asyncio.timeout(linger_seconds):
            while (message := await receive())["type"] != "http.disconnect" and message.get("more_body", False):
                pass
    except TimeoutError:
        return
    finally:
        await exchange.send({"type": "http.response.body", "body": b""})
