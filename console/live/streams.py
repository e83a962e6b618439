"""One person's stream: frames on their way, as server-sent events."""

import asyncio
from collections import deque

from console.live.entries import Entry
from console.live.viewers import Viewer
from core.server.bodies import Receive, Send

QUEUE_MOST = 500  # frames
PIECE_BYTES = 64 * 1024
STALL_SECONDS = 60  # for a client that reads nothing

PING = b": ping\nid: %d\n\n"
BYE = b'retry: %d\nevent: bye\ndata: {"retry_ms": %d}\n\n'
SIGNED_OUT = b"event: signed_out\ndata: {}\n\n"

HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store, no-transform"),
    (b"x-accel-buffering", b"no"),
    (b"x-content-type-options", b"nosniff"),
]


def resync_frame(position: int) -> bytes:
    """Return what tells a page to load again: it missed too much."""
    return b'id: %d\nevent: resync\ndata: {"feed_seq": %d}\n\n' % (position, position)


def inbox_frame(unread: int) -> bytes:
    return b'event: inbox\ndata: {"unread": %d}\n\n' % unread


class Stream:
    """A bounded queue; one that overflows is emptied, and its page told to load again."""

    def __init__(self, viewer: Viewer, retry_ms: int) -> None:
        self.viewer = viewer
        self.is_ended = False
        self._queue: deque[bytes] = deque([b"retry: %d\n: connected\n\n" % retry_ms])
        self._loop = asyncio.get_running_loop()
        self._task: asyncio.Task[object] | None = None
        self._sending_since = 0.0
        self._is_abandoned = False
        self._woken = asyncio.Event()
        self._woken.set()

    def offer(self, entry: Entry) -> None:
        """Queue an event, if it is this person's to see."""
        if (frame := entry.frame(self.viewer)) is None or self.is_ended:
            return
        if len(self._queue) >= QUEUE_MOST:
            self._queue.clear()
            frame = resync_frame(entry.seq)
        self.push(frame)

    def push(self, frame: bytes) -> None:
        if not self.is_ended:
            self._queue.append(frame)
            self._woken.set()

    def end(self, frame: bytes = b"") -> None:
        """Send what is queued and this, then end."""
        self.push(frame)
        self.is_ended = True
        self._woken.set()

    async def run(self, receive: Receive, send: Send) -> None:
        """Send until the client or the stream ends."""
        await send({"type": "http.response.start", "status": 200, "headers": list(HEADERS)})
        self._task = asyncio.current_task()
        listening = asyncio.create_task(self._listen(receive))
        try:
            while not listening.done():
                await self._woken.wait()
                await self._send_queued(send)
                if self.is_ended and not self._queue:
                    break
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except asyncio.CancelledError:
            if not self._is_abandoned:
                raise
        finally:
            listening.cancel()

    def abandon_if_stalled(self, now: float) -> None:
        """Give up on a client that has read nothing for long."""
        if self._sending_since and now - self._sending_since > STALL_SECONDS and self._task is not None:
            self._is_abandoned = True
            self._task.cancel()

    async def _send_queued(self, send: Send) -> None:
        self._woken.clear()
        while self._queue:
            piece = self._queue.popleft()
            if self._queue:
                piece = self._joined(piece)
            self._sending_since = self._loop.time()
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        self._sending_since = 0.0

    def _joined(self, first: bytes) -> bytes:
        joined = bytearray(first)
        while self._queue and len(joined) < PIECE_BYTES:
            joined += self._queue.popleft()
        return bytes(joined)

    async def _listen(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._queue.clear()
        self.end()
