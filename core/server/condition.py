"""What checks of the system's condition have in common, and how they tell time when clocks go forward or back."""

import datetime as dt
import time
from collections.abc import Callable

import structlog
from django.utils import timezone

log = structlog.get_logger(__name__)

JUMP_SECONDS = 1.0
TOLD_SECONDS = 3600.0  # a jump is told of for so long
CONTINUOUS_SECONDS = 15.0

# Stands among the applied migrations until `manage.py carry_over` has filled the database.
CARRY_OVER = ("carry_over", "unfinished")


class Unhealthy(Exception):
    """A check failed; the message is one sentence, fit for anybody to read."""


class ClockCheck:
    """Notices when the clock is put forward or back, against one that nobody sets. It never fails."""

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
            return "steady"
        direction = "forward" if self._jump > 0 else "back"
        return f"went {direction} by {abs(self._jump):.0f} s, {now - self._jumped:.0f} s ago"


class Aging:
    """How old something is that others stamp by the clock, such as a sign of life.

    What was seen to change while we watched is as old as we have known it, by a clock that nobody sets. The rest is as
    old as its stamp says, and then as much older as we have known it; a stamp in the future says nothing.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._stamp: float | None = None
        self._age_when_seen = 0.0
        self._seen = 0.0
        self._watched = 0.0

    def __call__(self, stamp: float, now: float) -> float:
        """The age in seconds of what bears this stamp, seen now; both by the clock."""
        moment = self._monotonic()
        if stamp != self._stamp:
            is_watched = moment - self._watched <= CONTINUOUS_SECONDS
            has_advanced = self._stamp is not None and stamp > self._stamp
            self._age_when_seen = 0.0 if is_watched and has_advanced else max(0.0, now - stamp)
            self._stamp, self._seen = stamp, moment
        self._watched = moment
        return self._age_when_seen + moment - self._seen


class Waiting:
    """How long the oldest of a queue has waited: as long as its stamp says, and no less than we have known it."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._stamp: float | None = None
        self._seen = 0.0

    def __call__(self, stamp: float, now: float) -> float:
        """The wait in seconds of what bears this stamp, seen now; both by the clock."""
        moment = self._monotonic()
        if stamp != self._stamp:
            self._stamp, self._seen = stamp, moment
        return max(now - stamp, moment - self._seen)


class QueueCheck:
    """Fails where the oldest of a queue waits too long; `sentence` says so, with {} for the seconds."""

    def __init__(self, oldest: Callable[[], dt.datetime | None], limit_seconds: int, sentence: str) -> None:
        self._oldest, self._limit, self._sentence = oldest, limit_seconds, sentence
        self._waiting = Waiting()

    def wait(self) -> float:
        """Return for how many seconds the oldest has waited; 0 where none does."""
        oldest = self._oldest()
        return self._waiting(oldest.timestamp(), timezone.now().timestamp()) if oldest else 0.0

    def __call__(self) -> str:
        waited = int(self.wait())
        if waited > self._limit:
            raise Unhealthy(self._sentence.format(waited))
        return f"oldest waits {waited} s"
