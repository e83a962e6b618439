"""Parts of health checks that survive clock changes."""

import datetime as dt
import time
from collections.abc import Callable

import structlog
from django.utils import timezone

log = structlog.get_logger(__name__)

JUMP_SECONDS = 1.0
TOLD_SECONDS = 3600.0  # a jump is reported for
CONTINUOUS_SECONDS = 15.0

# A pseudo-migration until `manage.py carry_over` has finished.
CARRY_OVER = ("carry_over", "unfinished")


class Unhealthy(Exception):
    """A check failed; the message is for anybody."""


class ClockCheck:
    """Reports clock jumps; never fails."""

    def __init__(self, clock: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._monotonic = clock, monotonic
        self._offset = clock() - monotonic()
        self._jump = 0.0
        self._jumped = 0.0

    def __call__(self) -> str:
        now = self._monotonic()
        offset = self._clock() - now
        jump, self._offset = offset - self._offset, offset
        if abs(jump) >= JUMP_SECONDS:
            self._jump, self._jumped = jump, now
            log.warning("clock_jumped", seconds=round(jump, 1))
        if not self._jump or now - self._jumped > TOLD_SECONDS:
            return "in sync"
        direction = "forward" if self._jump > 0 else "back"
        return f"went {direction} by {abs(self._jump):.0f} s, {now - self._jumped:.0f} s ago"


class Aging:
    """The age of stamps, such as heartbeats, by the monotonic clock once seen to change."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._stamp: float | None = None
        self._age_when_seen = 0.0
        self._seen = 0.0
        self._watched = 0.0

    def __call__(self, stamp: float, now: float) -> float:
        """Return the stamp's age in seconds."""
        moment = self._monotonic()
        if stamp != self._stamp:
            is_watched = moment - self._watched <= CONTINUOUS_SECONDS
            has_advanced = self._stamp is not None and stamp > self._stamp
            self._age_when_seen = 0.0 if is_watched and has_advanced else max(0.0, now - stamp)
            self._stamp, self._seen = stamp, moment
        self._watched = moment
        return self._age_when_seen + moment - self._seen


class Waiting:
    """A queue's longest wait: by stamp, and at least as long as observed."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._stamp: float | None = None
        self._seen = 0.0

    def __call__(self, stamp: float, now: float) -> float:
        """Return the wait in seconds."""
        moment = self._monotonic()
        if stamp != self._stamp:
            self._stamp, self._seen = stamp, moment
        return max(now - stamp, moment - self._seen)


class QueueCheck:
    """Fails when the queue waits too long; `sentence` has {} for seconds."""

    def __init__(self, oldest: Callable[[], dt.datetime | None], limit_seconds: int, sentence: str) -> None:
        self._oldest, self._limit, self._sentence = oldest, limit_seconds, sentence
        self._waiting = Waiting()

    def wait(self) -> float:
        """Return the longest wait in seconds."""
        oldest = self._oldest()
        return self._waiting(oldest.timestamp(), timezone.now().timestamp()) if oldest else 0.0

    def __call__(self) -> str:
        waited = int(self.wait())
        if waited > self._limit:
            raise Unhealthy(self._sentence.format(waited))
        return f"oldest event {waited} s old"
