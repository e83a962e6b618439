"""Request bodies, taken in whole before a view sees them: however they are sent, and never more than is allowed."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from typing import IO, Any, NoReturn

from incident_response.exceptions import Busy, StorageUnavailable, TooLarge

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApplication = Callable[[Scope, Receive, Send], Awaitable[None]]

IN_MEMORY_BYTES = 1024 * 1024
STALL_SECONDS = 60


class ClientGone(Exception):
    """The connection ended, or stood still for too long, before the request was complete."""


class Budget:
    """How many bytes of bodies may be in memory at the same time. For one event loop: it locks nothing."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.held = 0

    @contextmanager
    def share(self) -> Iterator[Callable[[int], None]]:
        """One request's part: call it with the size of each chunk. It raises Busy when no more is to be had; what was
        taken is given back at the end of the block."""
        taken = 0

        def take(size: int) -> None:
            nonlocal taken
            if self.held + size > self.limit:
                raise Busy("Too much is waiting; send it again.")
            self.held += size
            taken += size

        try:
            yield take
        finally:
            self.held -= taken


def header(scope: Scope, name: bytes) -> bytes:
    """The first value of a header (its name in lower case), or nothing."""
    return next((value for key, value in scope["headers"] if key == name), b"")


async def take_body(scope: Scope, receive: Receive, limit: int) -> tuple[IO[bytes], int]:
    """The whole body, from its start, and its length; small ones stay in memory, large ones go to a temporary file.

    Raises TooLarge for more than `limit` bytes, ClientGone when it breaks off, StorageUnavailable when there is no
    room on the disk.
    """
    declared = header(scope, b"content-length")
    if declared.isdigit() and int(declared) > limit:
        _refuse(limit)
    spool = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_BYTES)  # noqa: SIM115 (the caller closes it)
    try:
        size = await _copy(receive, spool, limit)
        spool.seek(0)
    except BaseException:
        spool.close()
        raise
    return spool, size


async def read_body(scope: Scope, receive: Receive, limit: int, take: Callable[[int], None]) -> bytes:
    """The whole body of at most `limit` bytes, in memory; `take` is told of each chunk's size, and may raise Busy.

    Raises TooLarge, ClientGone when it breaks off, TimeoutError when it stands still.
    """
    declared = header(scope, b"content-length")
    if declared.isdigit() and int(declared) > limit:
        _refuse(limit)
    body = bytearray()  # many small chunks would each take several times their size
    async with asyncio.timeout(STALL_SECONDS) as patience:
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientGone
            chunk = message.get("body", b"")
            if len(body) + len(chunk) > limit:
                _refuse(limit)
            take(len(chunk))
            body += chunk
            if not message.get("more_body", False):
                return bytes(body)
            patience.reschedule(asyncio.get_running_loop().time() + STALL_SECONDS)


async def _copy(receive: Receive, spool: IO[bytes], limit: int) -> int:
    size = 0
    while True:
        message = await _next(receive)
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            _refuse(limit)
        try:
            spool.write(chunk)
        except OSError as error:
            raise StorageUnavailable("There is no room to take this request in; try again later.") from error
        if not message.get("more_body", False):
            return size


async def _next(receive: Receive) -> Message:
    try:
        async with asyncio.timeout(STALL_SECONDS):
            message = await receive()
    except TimeoutError as error:
        raise ClientGone from error
    if message["type"] == "http.disconnect":
        raise ClientGone
    return message


def _refuse(limit: int) -> NoReturn:
    raise TooLarge(f"The request is larger than the {limit:,} bytes accepted here.")
