"""Whom the HTTP client connects to, and until when."""

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from ipaddress import ip_address
from typing import Any
from urllib.request import getproxies, proxy_bypass

import httpcore2
import httpx2
from django.conf import settings

from core.outbound.addresses import is_public

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
        for address in filter(self._is_allowed, _addresses(host, port)):
            try:
                left = _time_left(timeout, httpcore2.ConnectTimeout)
                return _Stream(super().connect_tcp(address, port, left, *args, **options))
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
        raise failure


def _addresses(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise httpcore2.ConnectError(f"{host} cannot be resolved") from error
    return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))


class _Body(httpx2.SyncByteStream):
    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.close = stream.close  # type: ignore[method-assign]

    def __iter__(self) -> Iterator[bytes]:
        yield from self._stream


def is_allowed(address: str) -> bool:
    """Return whether a user may send us there: it is public, or in a network that OUTBOUND_ALLOW names."""
    return is_public(address) or any(ip_address(address) in network for network in settings.OUTBOUND_ALLOW)


class Transport(httpx2.BaseTransport):
    """Carries requests to allowed addresses, or to HTTPS_PROXY's.

    httpx2's own transport takes no custom network.
    """

    def __init__(self, *, is_trusted: bool = False) -> None:
        self._tls = httpx2.create_ssl_context()
        network = Network(lambda address: is_trusted or is_allowed(address))
        self._direct = httpcore2.ConnectionPool(self._tls, network_backend=network, keepalive_expiry=5)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        url = request.url
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
            str(proxy.url), proxy.raw_auth, ssl_context=self._tls, network_backend=Network(lambda _address: True)
        )
