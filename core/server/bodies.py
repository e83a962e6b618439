"""Receive whole, bounded request bodies before any view."""

import asyncio
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable, Hashable, Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any, NoReturn

from core.errors import Busy, RequestTimeout, StorageUnavailable, TooLarge

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApplication = Callable[[Scope, Receive, Send], Awaitable[None]]

MEGABYTE = 1024 * 1024
SMALL_BYTES = 64 * 1024  # in memory, from anybody
STALL_SECONDS = 60


class ClientGone(Exception):
    """The connection ended before the request was complete."""


@dataclass(eq=False)
class Share:
    """One request's part of a budget; calling it raises Busy when none is left."""

    budget: "Budget"
    owner: Hashable
    taken: int = 0
    patience: asyncio.Timeout | None = None  # while its body is being received
    is_cut_off: bool = False

    def __call__(self, size: int) -> None:
        self.budget.take(self, size)

    def give_back(self) -> None:
        self.budget.held -= self.taken
        self.budget.held_by[self.owner] -= self.taken
        if self.budget.held_by[self.owner] <= 0:
            del self.budget.held_by[self.owner]
        self.taken = 0

    def cut_off(self) -> None:
        """Return it all and refuse the request."""
        self.give_back()
        self.is_cut_off = True
        if self.patience is not None:
            self.patience.reschedule(asyncio.get_running_loop().time())


class Budget:
    """A bound on body bytes held at once; one event loop, so no locks.

    An owner may hold a quarter, or more while less than half is taken. With `cuts_off`, the longest-stalled bodies
    make room.
    """

    def __init__(self, limit: int, *, cuts_off: bool = False) -> None:
        self.limit, self.cuts_off = limit, cuts_off
        self.held = 0
        self.held_by: Counter[Hashable] = Counter()
        self._shares: dict[Share, None] = {}  # by latest chunk

    @contextmanager
    def share(self, owner: Hashable = None) -> Iterator[Share]:
        """Yield one request's part; release it at the end."""
        share = Share(self, owner)
        self._shares[share] = None
        try:
            yield share
        finally:
            share.give_back()
            del self._shares[share]

    def take(self, share: Share, size: int) -> None:
        while not share.is_cut_off and not (
            self.held + size <= self.limit // 2
            or (self.held + size <= self.limit and self._is_within_part(share.owner, size))
        ):
            stalled = self._stalled(share, size) if self.cuts_off else None
            if stalled is None:
                raise Busy("The server is overloaded; send it again.")
            stalled.cut_off()
        if share.is_cut_off:
            raise Busy("The server is overloaded; send it again.")
        self.held += size
        self.held_by[share.owner] += size
        share.taken += size
        self._shares[share] = self._shares.pop(share)

    def _is_within_part(self, owner: Hashable, size: int) -> bool:
        return owner is None or self.held_by[owner] + size <= self.limit // 4

    def _stalled(self, asking: Share, size: int) -> Share | None:
        """Return the longest-stalled share; an owner past its part frees only its own."""
        is_anybody = self._is_within_part(asking.owner, size)
        for one in self._shares:
            is_candidate = one is not asking and one.taken and one.patience is not None
            if is_candidate and (is_anybody or one.owner == asking.owner):
                return one
        return None


def header(scope: Scope, name: bytes) -> bytes:
    """Return a header's first value (lower-case name), or nothing."""
    return next((value for key, value in scope["headers"] if key == name), b"")


async def take_body(
    scope: Scope,
    receive: Receive,
    limit: int,
    share: Share,
    admit: Callable[[], Awaitable[Share]] | None = None,
) -> tuple[IO[bytes], int]:
    """Return the body and its length; large ones in a temporary file.

    `admit` returns the share for bodies over SMALL_BYTES, or raises. Raises TooLarge, ClientGone, RequestTimeout,
    Busy, and StorageUnavailable on a full disk.
    """
    declared = _declared(scope, limit)
    if admit is not None and declared > SMALL_BYTES:
        share, admit = await admit(), None
    spool = tempfile.SpooledTemporaryFile(max_size=SMALL_BYTES)  # noqa: SIM115 (the caller closes it)
    try:
        size, more = await _fill(receive, spool, share, limit, 0, SMALL_BYTES if admit else limit)
        if admit is not None and size > SMALL_BYTES:
            larger = await admit()
            larger(size)
            share.give_back()
            share = larger
        if more:
            size, _more = await _fill(receive, spool, share, limit, size, limit)
        spool.seek(0)
    except BaseException:
        spool.close()
        raise
    return spool, size


async def read_body(scope: Scope, receive: Receive, limit: int, share: Share) -> bytes:
    """Return at most `limit` bytes; raises as `take_body` does."""
    _declared(scope, limit)
    body = bytearray()  # small chunks would each take several times their size
    more = True
    while more:
        chunk, more = await _next(receive, share, limit - len(body), limit)
        body += chunk
    return bytes(body)


async def _fill(
    receive: Receive, spool: IO[bytes], share: Share, limit: int, size: int, until: int
) -> tuple[int, bool]:
    """Copy up to `until` bytes; return the size, and whether more follows."""
    more = True
    while more and size <= until:
        chunk, more = await _next(receive, share, limit - size, limit)
        size += len(chunk)
        try:
            spool.write(chunk)
        except OSError as error:
            raise StorageUnavailable("The server has no space for this request; try again later.") from error
    return size, more


async def _next(receive: Receive, share: Share, left: int, limit: int) -> tuple[bytes, bool]:
    try:
        async with asyncio.timeout(STALL_SECONDS) as share.patience:
            message = await receive()
    except TimeoutError as error:
        if share.is_cut_off:
            raise Busy("The server is overloaded; send it again.") from error
        raise RequestTimeout(f"Nothing of the request's body came for {STALL_SECONDS} seconds.") from error
    finally:
        share.patience = None
    if message["type"] == "http.disconnect":
        raise ClientGone
    chunk: bytes = message.get("body", b"")
    if len(chunk) > left:
        _refuse(limit)
    share.budget.take(share, len(chunk))
    return chunk, bool(message.get("more_body", False))


def _declared(scope: Scope, limit: int) -> int:
    declared = header(scope, b"content-length")
    size = int(declared) if declared.isdigit() and len(declared) < 20 else 0
    if size > limit or len(declared) >= 20:
        _refuse(limit)
    return size


def _refuse(limit: int) -> NoReturn:
    raise TooLarge(f"The request is larger than the {limit:,} bytes accepted here.")
