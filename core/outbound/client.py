"""The one HTTP client for requests to other servers."""

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cached_property

import httpcore2
import httpx2

from core.outbound.network import AddressRefused, Transport, deadline_at

IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
PASSING = frozenset({429, 502, 503, 504})  # a retry may succeed
FIRST_PAUSE = 0.5  # seconds, doubled each time


class OutboundError(Exception):
    """A request failed; the message omits the address, which may hold a secret."""


class Refused(OutboundError):
    """Not sent: the address is not allowed."""


class Unreachable(OutboundError):
    """No whole answer in time; a retry may help."""


class TooLong(OutboundError):
    """The response exceeds the limit."""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    content: bytes


@dataclass(frozen=True)
class Client:
    """Requests to allowed addresses, without redirects.

    Seconds bound each step and the whole, pauses included; `attempts` is for idempotent methods only. `is_trusted`
    is for addresses that the operator set in the environment: they may be on this machine or in its network.
    """

    step_seconds: float = 5.0
    total_seconds: float = 10.0
    max_bytes: int = 64 * 1024
    attempts: int = 3
    is_trusted: bool = False

    def request(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, content: bytes | None = None
    ) -> Answer:
        """Return the answer. Raises Refused, Unreachable or TooLong."""
        deadline = time.monotonic() + self.total_seconds
        attempts = self.attempts if method in IDEMPOTENT else 1
        for pause in (FIRST_PAUSE * 2**number for number in range(attempts - 1)):
            may_wait = time.monotonic() + pause < deadline
            try:
                answer = self._attempt(method, url, headers, content, deadline)
                if answer.status not in PASSING or not may_wait:
                    return answer
            except Unreachable:
                if not may_wait:
                    raise
            time.sleep(pause)
        return self._attempt(method, url, headers, content, deadline)

    @cached_property
    def _transport(self) -> Transport:
        return Transport(is_trusted=self.is_trusted)

    def _attempt(
        self, method: str, url: str, headers: Mapping[str, str] | None, content: bytes | None, deadline: float
    ) -> Answer:
        # No unpacking: a small response could become endless.
        headers = {"User-Agent": "incident-response", "Accept-Encoding": "identity", **(headers or {})}
        extensions = {"timeout": httpx2.Timeout(self.step_seconds).as_dict()}
        with _own_errors(), deadline_at(deadline):
            request = httpx2.Request(method, url, headers=headers, content=content, extensions=extensions)
            with closing(self._transport.handle_request(request)) as response:
                return Answer(response.status_code, response.headers, self._bounded(response.iter_raw()))

    def _bounded(self, parts: Iterable[bytes]) -> bytes:
        content = bytearray()
        for part in parts:
            content += part
            if len(content) > self.max_bytes:
                raise TooLong("its answer is too long")
        return bytes(content)


@contextmanager
def _own_errors() -> Iterator[None]:
    try:
        yield
    except AddressRefused as error:
        raise Refused(str(error)) from error
    except (httpx2.InvalidURL, httpcore2.UnsupportedProtocol) as error:
        raise Refused("its address is not one of http or https") from error
    except (
        *(httpx2.HTTPError, httpcore2.TimeoutException, httpcore2.NetworkError, httpcore2.ProtocolError),
        httpcore2.ProxyError,
    ) as error:
        raise Unreachable(type(error).__name__) from error
