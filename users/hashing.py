"""Bound concurrent password hashing, which is slow on purpose."""

import contextlib
import functools
import os
import threading
from collections.abc import Iterator

from django.conf import settings
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.utils.translation import gettext as _

from core.errors import Busy

WAIT_SECONDS = 3.0


class HashingBusy(Busy):
    def __init__(self) -> None:
        super().__init__(_("Too many people are signing in right now; try again in a few seconds."))


class Line:
    """Bounds callers served and callers waiting."""

    def __init__(self, *, at_once: int, waiting: int) -> None:
        self._served = threading.BoundedSemaphore(at_once)
        self._places = threading.BoundedSemaphore(at_once + waiting)

    @contextlib.contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a place. Raises HashingBusy, also after WAIT_SECONDS."""
        if not self._places.acquire(blocking=False):
            raise HashingBusy
        try:
            if not self._served.acquire(timeout=WAIT_SECONDS):
                raise HashingBusy
            try:
                yield
            finally:
                self._served.release()
        finally:
            self._places.release()


@functools.cache
def line() -> Line:
    """Return the process's line: half of its cores, at most three quarters of its threads."""
    threads = settings.WEB_THREADS
    at_once = max(1, min((os.cpu_count() or 1) // 2, threads // 4))
    return Line(at_once=at_once, waiting=max(1, threads * 3 // 4 - at_once))


class BoundedPBKDF2PasswordHasher(PBKDF2PasswordHasher):
    """Django's PBKDF2 behind the process's line."""

    def encode(self, password: str, salt: str, iterations: int | None = None) -> str:
        with line().turn():
            return super().encode(password, salt, iterations)
