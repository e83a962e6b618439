"""The one HTTP client for requests to other servers."""

import datetime as dt
import ssl
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import cached_property
from urllib.parse import urljoin, urlsplit

import httpcore2
import httpx2

from core.outbound.network import AddressRefused, Transport, deadline_at

IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
PASSING = frozenset({429, 502, 503, 504})  # a retry may succeed
FIRST_PAUSE = 0.5  # seconds, doubled each time
REDIRECTS = frozenset({301, 302, 303, 307, 308})
ELSEWHERE = frozenset({"accept", "if-modified-since", "if-none-match"})  # headers that another host may see
LONGEST_WAIT = 86_400.0  # seconds


class OutboundError(Exception):
    """A request failed; the message omits the address, which may hold a secret."""


class Refused(OutboundError):
    """Not sent: the address is not allowed."""


class Unreachable(OutboundError):
    """No whole answer in time; a retry may help."""


class TimedOut(Unreachable):
    """The answer was not whole in time."""


class TooLong(OutboundError):
    """The response exceeds the limit."""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    content: bytes

    def retry_after(self, now: dt.datetime) -> float | None:
        """Return the seconds of Retry-After, at most a day."""
        text = self.headers.get("Retry-After", "").strip()
        if text.isascii() and text.isdigit():
            return float(min(int(text[:9]), LONGEST_WAIT))
        try:
            moment = parsedate_to_datetime(text)
        except ValueError:
            return None
        moment = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
        return min(max((moment - now).total_seconds(), 0.0), LONGEST_WAIT)


@dataclass(frozen=True)
class Stream:
    """An answer whose parts are yet to arrive."""

    status: int
    headers: Mapping[str, str]
    parts: Iterator[bytes]


@dataclass(frozen=True)
class Client:
    """Requests to allowed addresses; threads share its connections.

    Seconds bound each step and the whole; `attempts` is for idempotent methods, `max_redirects` for GET and HEAD.
    `is_trusted`: the operator set the address, which may be on this machine. `cuts_answer`: TooLong is no error.
    `ca_file`: the only authorities trusted, in PEM; the system's where empty.
    """

    step_seconds: float = 5.0
    total_seconds: float = 10.0
    max_bytes: int = 64 * 1024
    attempts: int = 3
    is_trusted: bool = False
    max_redirects: int = 0
    cuts_answer: bool = False
    ca_file: str = ""

    def __post_init__(self) -> None:
        if self.is_trusted and self.max_redirects:
            raise ValueError("A redirect would choose an address that the operator did not.")

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        seconds: float | None = None,
    ) -> Answer:
        """Return the answer; `seconds` may end it sooner. Raises Refused, Unreachable or TooLong."""
        deadline = time.monotonic() + min(self.total_seconds, self.total_seconds if seconds is None else seconds)
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

    @contextmanager
    def stream(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, content: bytes | None = None
    ) -> Iterator[Stream]:
        """Open an answer to be read as it arrives: one attempt, no redirect, no limit of bytes.

        Raises Refused or Unreachable, also while the parts are read; TimedOut when the time is over.
        """
        with (
            _own_errors(),
            deadline_at(time.monotonic() + self.total_seconds),
            closing(self._transport.handle_request(self._request(method, url, headers, content))) as response,
        ):
            yield Stream(response.status_code, response.headers, response.iter_raw())

    @cached_property
    def _transport(self) -> Transport:
        try:
            return Transport(is_trusted=self.is_trusted, ca_file=self.ca_file)
        except OSError as error:  # ssl.SSLError too
            raise Refused("the file of its certificate authority cannot be read") from error

    def _attempt(
        self, method: str, url: str, headers: Mapping[str, str] | None, content: bytes | None, deadline: float
    ) -> Answer:
        answer = self._send(method, url, headers, content, deadline)
        for _hop in range(self.max_redirects if method in ("GET", "HEAD") else 0):
            location = answer.headers.get("Location")
            if answer.status not in REDIRECTS or not location:
                break
            target = _redirected(url, location)
            if urlsplit(target)[:2] != urlsplit(url)[:2]:
                headers = {name: value for name, value in (headers or {}).items() if name.lower() in ELSEWHERE}
            url = target
            answer = self._send(method, url, headers, content, deadline)
        return answer

    def _send(
        self, method: str, url: str, headers: Mapping[str, str] | None, content: bytes | None, deadline: float
    ) -> Answer:
        with (
            _own_errors(),
            deadline_at(deadline),
            closing(self._transport.handle_request(self._request(method, url, headers, content))) as response,
        ):
            return Answer(response.status_code, response.headers, self._bounded(response.iter_raw()))

    def _request(
        self, method: str, url: str, headers: Mapping[str, str] | None, content: bytes | None
    ) -> httpx2.Request:
        # No unpacking: a small response could become endless.
        headers = {"User-Agent": "incident-response", "Accept-Encoding": "identity", **(headers or {})}
        extensions = {"timeout": httpx2.Timeout(self.step_seconds).as_dict()}
        return httpx2.Request(method, url, headers=headers, content=content, extensions=extensions)

    def _bounded(self, parts: Iterable[bytes]) -> bytes:
        content = bytearray()
        for part in parts:
            content += part
            if len(content) > self.max_bytes and self.cuts_answer:
                return bytes(content[: self.max_bytes])
            if len(content) > self.max_bytes:
                raise TooLong("its answer is too long")
        return bytes(content)


def _redirected(url: str, location: str) -> str:
    try:
        target = urljoin(url, location)
        scheme = urlsplit(target).scheme
    except ValueError as error:
        raise Refused("it redirects to no address") from error
    if scheme not in ("http", "https") or (scheme == "http" and urlsplit(url).scheme == "https"):
        raise Refused("it redirects from https to something else")
    return target


@contextmanager
def _own_errors() -> Iterator[None]:
    try:
        yield
    except AddressRefused as error:
        raise Refused(str(error)) from error
    except (httpx2.InvalidURL, httpcore2.UnsupportedProtocol) as error:
        raise Refused("its address is not one of http or https") from error
    except (httpx2.TimeoutException, httpcore2.TimeoutException) as error:
        raise TimedOut(type(error).__name__) from error
    except (*(httpx2.HTTPError, httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.ProxyError),) as error:
        raise Unreachable(_refused_certificate(error) or type(error).__name__) from error


def _refused_certificate(error: BaseException | None) -> str:
    """Return why a certificate was refused, if that is the cause."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return f"its certificate is refused: {error.verify_message}"
        error = error.__cause__ or error.__context__
    return ""
