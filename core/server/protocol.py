"""uvicorn's HTTP protocol, with bounds on early input."""

import asyncio
from functools import partial
from http import HTTPStatus
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from core.api.jsonio import to_json
from core.api.problems import problem

MAX_HEAD_BYTES = 64 * 1024  # request line and headers
MAX_HEADERS = 100
HEAD_SECONDS = 30  # until the headers end
MAX_DISCARDED_BYTES = 256 * 1024 * 1024  # of a refused body, so that its sender reads the answer
FRAMING = (b"content-length", b"transfer-encoding")
INVALID = "Invalid HTTP request received."
LINGER_SECONDS = 2  # for the client to read the answer
STEP_BYTES = 4 * 1024  # per parser call


class BoundedProtocol(HttpToolsProtocol):
    """Counts bytes as they arrive: the parser keeps incomplete headers.

    Pipelined requests wait unparsed: 18 bytes take kilobytes once parsed.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._unparsed = 0  # since the parser's last progress
        self._head_bytes = self._head_lines = self._discarded = 0
        self._is_in_head = self._is_in_body = self._is_refused = False
        self._head_timer: asyncio.TimerHandle | None = None
        self._held = b""
        self._is_reading_again = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn does
        super().connection_made(transport)
        self._head_timer = self.loop.call_later(HEAD_SECONDS, self._on_late_head)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._is_refused:
            return
        data, at = self._held + data, 0
        while at < len(data) and not self._is_waiting():
            self._parse(data[at : at + STEP_BYTES])
            at += STEP_BYTES
        self._held = b"" if self._is_refused else data[at:]
        if self._held:
            self.flow.pause_reading()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._held:
            self.flow.pause_reading()
            self.loop.call_soon(self._go_on)
        self._is_waiting()

    def _go_on(self) -> None:
        self.data_received(b"")
        if not self._held and not self._is_waiting():
            self.flow.resume_reading()

    def _is_waiting(self) -> bool:
        if self.pipeline:
            self._stop_timer()
            self.flow.pause_reading()
        return bool(self.pipeline) or self._is_refused or self.transport.is_closing()

    def _parse(self, data: bytes) -> None:
        self._unparsed += len(data)
        self._unset_keepalive_if_required()
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._decline_upgrade()
            self._parse(data[upgrade.args[0] :])
        except httptools.HttpParserError:
            self.logger.warning(INVALID)
            self.send_400_response(INVALID)
        if self._unparsed > MAX_HEAD_BYTES:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        elif self._is_in_head and self._head_timer is None:
            self._head_timer = self.loop.call_later(HEAD_SECONDS, self._on_late_head)
        elif self._is_in_body and self.cycle is not None and self.cycle.response_complete:
            self._wait_for_the_rest()

    def _decline_upgrade(self) -> None:
        """Serve the request without upgrading (RFC 9110, 7.8).

        The parser would take its body for the next request, so another one reads on.
        """
        framing = [b"%s: %s\r\n" % pair for pair in self.headers if pair[0] in FRAMING]
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn does
        self._is_reading_again = True
        self.parser.feed_data(b"POST / HTTP/1.1\r\n" + b"".join(framing) + b"\r\n")
        self._is_reading_again = False

    def on_message_begin(self) -> None:
        if self._is_reading_again:
            return
        super().on_message_begin()
        self._head_bytes = self._head_lines = self._discarded = 0
        self._is_in_head, self._is_in_body = True, False

    def on_url(self, url: bytes) -> None:
        if self._is_reading_again:
            return
        self._head_bytes += len(url)
        if self._head_bytes <= MAX_HEAD_BYTES:
            super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._is_in_head or self._is_reading_again:
            return  # a trailer
        self._head_bytes += len(name) + len(value)
        self._head_lines += 1
        if not self._is_head_too_large():
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        if self._is_reading_again:
            return
        self._unparsed = 0
        self._stop_timer()
        if self._is_head_too_large():
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        self._is_in_head, self._is_in_body = False, True
        if not self._is_refused:
            super().on_headers_complete()
            # The application starts later, and asks for the body itself.
            self.cycle.receive = partial(_receive_what_came, self.cycle)  # type: ignore[method-assign]

    def on_body(self, body: bytes) -> None:
        self._unparsed = 0
        if self._is_refused:
            return
        if self.cycle.response_complete:
            self._discarded += len(body)
            if self._discarded > MAX_DISCARDED_BYTES:
                self.transport.close()
        super().on_body(body)

    def on_message_complete(self) -> None:
        if self.parser.should_upgrade():
            return  # body to come
        self._unparsed = 0
        self._is_in_body = False
        if not self._is_refused:
            super().on_message_complete()

    def _is_head_too_large(self) -> bool:
        return self._head_bytes > MAX_HEAD_BYTES or self._head_lines > MAX_HEADERS

    def _on_late_head(self) -> None:
        self._head_timer = None
        if self._is_in_head:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT)
        elif not self.transport.is_closing():
            self.transport.close()  # nothing came

    def _wait_for_the_rest(self) -> None:
        """Close when the rest of an answered body stays away; uvicorn would wait."""
        if self.timeout_keep_alive_task is None and not self.transport.is_closing():
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def _stop_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _refuse(self, status: HTTPStatus) -> None:
        if self._is_refused or self.transport.is_closing():
            return
        self._is_refused = True
        self._stop_timer()
        if not self._is_in_body and (self.cycle is None or self.cycle.response_complete):
            self.transport.write(_answer(status))
        self.loop.call_later(LINGER_SECONDS, self.transport.close)


async def _receive_what_came(cycle: RequestResponseCycle) -> Any:
    message = await RequestResponseCycle.receive(cycle)
    if message["type"] == "http.disconnect" and cycle.body and not cycle.more_body and not cycle.response_complete:
        message = {"type": "http.request", "body": bytes(cycle.body), "more_body": False}
        cycle.body = bytearray()
    return message


def _answer(status: HTTPStatus) -> bytes:
    if status == HTTPStatus.REQUEST_TIMEOUT:
        detail = f"The request's headers did not come within {HEAD_SECONDS} seconds."
    else:
        detail = f"A request may have {MAX_HEADERS} headers of {MAX_HEAD_BYTES:,} bytes in all."
    body = to_json(problem(status, detail, code=status.name.lower()))
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-type: application/problem+json\r\n"
        f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
    )
    return head.encode() + body
