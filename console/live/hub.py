"""The streams of this process: one tailer for all, a bounded queue for each."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

import structlog
from django.db import Error as DatabaseError

from console.live.reading import BATCH, Asked, Found, Joined, Reader
from console.live.streams import BYE, PING, SIGNED_OUT, Stream, inbox_frame, resync_frame
from console.live.viewers import Viewer
from core.db.outages import outages, unavailable
from core.errors import Busy, DatabaseUnavailable, DomainError, NotSignedIn, TooManyRequests

P = ParamSpec("P")
R = TypeVar("R")

log = structlog.get_logger(__name__)

LOOK_SECONDS = 0.08  # between looks at the feed
PING_SECONDS = 15.0
FAILED_SECONDS = 1.0
PER_PERSON = 12
MOST_STREAMS = 5000
RETRY_MS = (500, 4000)  # so that those who lost a server do not come back at once


@dataclass(eq=False)
class Waiting:
    key: str
    place: int | None
    person: int | None
    future: "asyncio.Future[Stream]"


class Hub:
    """Admits, feeds and ends streams; belongs to one event loop."""

    def __init__(self, reader: Reader | None = None) -> None:
        self.reader = reader or Reader()
        self.thread = ThreadPoolExecutor(1, thread_name_prefix="live")
        self.streams: dict[Stream, None] = {}
        self.waiting: list[Waiting] = []
        self.is_stopping = False
        self._of_person: Counter[int] = Counter()
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._pinged = 0.0

    async def join(self, key: str, place: int | None, person: int | None = None) -> Stream:
        """Return a stream from a place of the feed on, for a certain person if named.

        Raises NotSignedIn, TooManyRequests, Busy.
        """
        if self.is_stopping:
            raise Busy("The server is stopping; connect again shortly.", code="stopping")
        if len(self.streams) + len(self.waiting) >= MOST_STREAMS:
            raise Busy("Too many pages are connected; try again shortly.", code="too_many_streams")
        waiting = Waiting(key, place, person, asyncio.get_running_loop().create_future())
        self.waiting.append(waiting)
        self._woken.set()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
        return await waiting.future

    def leave(self, stream: Stream) -> None:
        if stream in self.streams:
            del self.streams[stream]
            self._of_person[stream.viewer.user.pk] -= 1
            self._of_person += Counter()  # drops those at zero

    def stop(self) -> None:
        """Say good-bye to all streams."""
        self.is_stopping = True
        for stream in self.streams:
            retry = random.randint(*RETRY_MS)  # noqa: S311 (spreading, not a secret)
            stream.end(BYE % (retry, retry))
        self._woken.set()

    async def _run(self) -> None:
        while (self.streams or self.waiting) and not self.is_stopping:
            rest = LOOK_SECONDS
            try:
                if await self._round():
                    rest = 0.0
            except DatabaseUnavailable:
                rest = FAILED_SECONDS
            except Exception as error:  # nobody else would see that all streams stand still
                log.error("live_failed", exc_info=error)
                rest = FAILED_SECONDS
            await self._rest(rest)
        self._refuse(self._take(), Busy("The server is stopping; connect again shortly.", code="stopping"))
        await self._in_thread(self.reader.close)

    async def _rest(self, seconds: float) -> None:
        if self.waiting and seconds < FAILED_SECONDS:
            return
        self._woken.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            return

    async def _round(self) -> bool:
        """Look once; return whether there is more at once."""
        joining = self._take()
        present = [stream.viewer for stream in self.streams]
        asked = Asked([(one.key, one.place) for one in joining], present)
        try:
            found = await self._in_thread(self._look, asked)
        except Exception as error:
            self._refuse(joining, error if isinstance(error, DomainError) else Busy("Try again shortly."))
            raise
        self._apply(found, joining)
        return len(found.entries) >= BATCH

    def _look(self, asked: Asked) -> Found:
        try:
            return self.reader.look(asked)
        except DatabaseError as error:
            if (trouble := outages.note(error)) is None:
                raise
            raise unavailable(trouble) from error

    def _apply(self, found: Found, joining: list[Waiting]) -> None:
        for stream in list(self.streams):
            if found.current is not None:
                self._check(stream, found.current)
            for entry in found.entries:
                stream.offer(entry)
        for one, joined in zip(joining, found.joined, strict=True):
            self._admit(one, joined, found.position)
        self._tell_unread(found.unread)
        self._ping(found.position)

    def _check(self, stream: Stream, current: dict[str, Viewer]) -> None:
        viewer = current.get(stream.viewer.session_key)
        if viewer is not None and viewer.user.pk == stream.viewer.user.pk:
            stream.viewer = viewer
        else:
            stream.end(SIGNED_OUT)

    def _admit(self, one: Waiting, joined: Joined, position: int) -> None:
        if one.future.done():
            return
        if joined.viewer is None or one.person not in (None, joined.viewer.user.pk):
            one.future.set_exception(NotSignedIn("Sign in first: this is a stream of what you may see."))
            return
        person = joined.viewer.user.pk
        if self._of_person[person] >= PER_PERSON:
            message = f"You have {PER_PERSON} open streams; close another window or device first."
            one.future.set_exception(TooManyRequests(message, retry_after=60, code="too_many_streams"))
            return
        stream = Stream(joined.viewer, random.randint(*RETRY_MS))  # noqa: S311 (spreading, not a secret)
        self.streams[stream] = None
        self._of_person[person] += 1
        if joined.is_too_far:
            stream.push(resync_frame(position))
        for entry in joined.entries:
            stream.offer(entry)
        one.future.set_result(stream)

    def _tell_unread(self, unread: dict[int, int]) -> None:
        if not unread:
            return
        for stream in self.streams:
            if (count := unread.get(stream.viewer.user.pk)) is not None:
                stream.push(inbox_frame(count))

    def _ping(self, position: int) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._pinged < PING_SECONDS:
            return
        self._pinged = now
        frame = PING % position
        for stream in self.streams:
            stream.push(frame)
            stream.abandon_if_stalled(now)

    def _take(self) -> list[Waiting]:
        taken, self.waiting = self.waiting, []
        return taken

    def _refuse(self, joining: list[Waiting], error: DomainError) -> None:
        for one in joining:
            if not one.future.done():
                one.future.set_exception(error)

    async def _in_thread(self, function: Callable[P, R], *arguments: P.args, **_none: P.kwargs) -> R:
        return await asyncio.get_running_loop().run_in_executor(self.thread, function, *arguments)
