"""Whom the HTTP client connects to, and until when."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import Any
from urllib.request import getproxies, proxy_bypass

import httpcore2
import httpx2
from django.conf import settings

from core.outbound.addresses import is_public, is_within, literal

MOST_CONNECTIONS = 100  # of a client: those to hosts that hang leave room for others

_deadline: ContextVar[float] = ContextVar("deadline")


class AddressRefused(Exception):
    """A host has no public address."""


@contextmanager
def deadline_at(moment: float) -> Iterator[None]:
    """Limit network steps in this context to a moment of `time.monotonic`."""
    token = _deadline.set(moment)
    try:
        yield
    finally:
        _deadline.reset(token)


def _time_left(timeout: float | None, expired: type[Exception]) -> float:
    left = _deadline.get() - time.monotonic()
    if left <= 0:
        raise expired("the time for the whole request is over")
    return left if timeout is None else min(timeout, left)


class _Stream(httpcore2.NetworkStream):
    def __init__(self, stream: httpcore2.NetworkStream) -> None:
        self._stream = stream
        self.close = stream.close  # type: ignore[method-assign]
        self.get_extra_info = stream.get_extra_info  # type: ignore[method-assign]

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _time_left(timeout, httpcore2.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _time_left(timeout, httpcore2.WriteTimeout))

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        left = _time_left(timeout, httpcore2.ConnectTimeout)
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, left))


class Network(httpcore2.SyncBackend):
    """Connects to the addresses checked: names cannot change between."""

    def __init__(self, is_allowed: Callable[[str], bool]) -> None:
        self._is_allowed = is_allowed

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, *args: Any, **options: Any
    ) -> httpcore2.NetworkStream:
        """Connect to the host's first allowed address that answers."""
        failure: Exception = AddressRefused(f"{host} has no public address")
        found = _addresses(host, port, _time_left(timeout, httpcore2.ConnectTimeout))
        for address in filter(self._is_allowed, found):
            try:
                left = _time_left(timeout, httpcore2.ConnectTimeout)
                return _Stream(super().connect_tcp(address, port, left, *args, **options))
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
        raise failure


def _addresses(host: str, port: int, seconds: float) -> list[str]:
    """Resolve in a thread: the resolver has no time-out."""
    results: list[list[str] | OSError | UnicodeError] = []

    def resolve() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            results.append(list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found)))
        except (OSError, UnicodeError) as error:
            results.append(error)

    thread = threading.Thread(target=resolve, name="resolve", daemon=True)
    thread.start()
    thread.join(seconds)
    if not results:
        raise httpcore2.ConnectTimeout(f"{host} was not resolved in time")
    if isinstance(results[0], list):
        return results[0]
    raise httpcore2.ConnectError(f"{host} cannot be resolved") from results[0]


class _Body(httpx2.SyncByteStream):
    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.close = stream.close  # type: ignore[method-assign]

    def __iter__(self) -> Iterator[bytes]:
        yield from self._stream


def is_allowed(address: str) -> bool:
    """Return whether a user may send us there."""
    return is_public(address) or is_within(address, settings.OUTBOUND_ALLOW)


def check_host(host: str) -> None:
    """Raise AddressRefused for addresses that a proxy would not check."""
    try:
        address = literal(host)
    except ValueError as error:
        raise AddressRefused(f"{host} has no public address") from error
    if address is None and f".{host.lower().rstrip('.')}".endswith(".localhost"):
        address = "127.0.0.1"
    if address is not None and not is_allowed(address):
        raise AddressRefused(f"{host} has no public address")


class Transport(httpx2.BaseTransport):
    """Carries requests to allowed addresses, or to HTTPS_PROXY's.

    httpx2's own transport takes no custom network.
    """

    def __init__(self, *, is_trusted: bool = False, ca_file: str = "") -> None:
        self._is_trusted = is_trusted
        self._tls = ssl.create_default_context(cafile=ca_file) if ca_file else _tls_context()
        self._direct = httpcore2.ConnectionPool(
            self._tls,
            network_backend=Network(lambda address: is_trusted or is_allowed(address)),
            max_connections=MOST_CONNECTIONS,
            keepalive_expiry=5,
        )

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        url = request.url
        if not self._is_trusted:
            check_host(url.host)
        response = self._pool(url).handle_request(
            httpcore2.Request(
                method=request.method,
                url=httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )
        return httpx2.Response(response.status, headers=response.headers, stream=_Body(response.stream))

    def _pool(self, url: httpx2.URL) -> httpcore2.ConnectionPool:
        address = "" if proxy_bypass(url.host) else getproxies().get(url.scheme, "")
        return self._proxied(address) if address else self._direct

    @lru_cache(maxsize=4)  # noqa: B019 (a transport lives as long as its process)
    def _proxied(self, address: str) -> httpcore2.ConnectionPool:
        proxy = httpx2.Proxy(address)
        return httpcore2.HTTPProxy(
            str(proxy.url),
            proxy.raw_auth,
            ssl_context=self._tls,
            network_backend=Network(lambda _address: True),
            max_connections=MOST_CONNECTIONS,
        )


@lru_cache(maxsize=1)
def _tls_context() -> ssl.SSLContext:
    return httpx2.create_ssl_context()  # 30 ms: once a process
