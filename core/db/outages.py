"""Track outages of the database, and log their beginning and end.

Whoever meets one notes it and answers 503; one caller at a time retries, others are refused at once.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

import structlog
from django.db import Error, InterfaceError, OperationalError, connection

from core.db.faults import CORRUPT_WORDS, LOST_CODES, RETRIED_CODES, code_of
from core.errors import Busy, DatabaseUnavailable

log = structlog.get_logger(__name__)

ASK_EVERY_SECONDS = 1.0
DOUBT_SECONDS = 1.0  # while one caller retries
EPISODE_SECONDS = 60.0  # silence that ends an outage

# too many connections; refused hosts, users or databases
REFUSED_CODES = frozenset({1040, 1044, 1045, 1049, 1129, 1130, 1203, 1226, 1698, 2005})
READ_ONLY_CODES = frozenset({1290, 1792, 1836, 1874})
FULL_CODES = frozenset({1021, 1026, 1114, 1598})
CORRUPT_CODES = frozenset({1033, 1034, 1035, 1194, 1195, 1712, 1877})
BUSY_CODES = RETRIED_CODES | {1015, 1020, 1969, 3024}
STORAGE_ENGINE = 1030  # its text has the system's errno
NO_SPACE = ("error 28", "No space")


class Trouble(StrEnum):
    UNREACHABLE = "unreachable"
    READ_ONLY = "read-only"
    FULL = "full"
    CORRUPT = "corrupt"
    BUSY = "busy"


SENTENCES = {
    Trouble.UNREACHABLE: "The database is not responding; try again shortly.",
    Trouble.READ_ONLY: "The database does not accept writes: it is read-only.",
    Trouble.FULL: "The database does not accept writes: its disk is full.",
    Trouble.CORRUPT: "The database's files are damaged.",
    Trouble.BUSY: "The database is busy; try again shortly.",
}
CODES = {
    Trouble.UNREACHABLE: "database_unavailable",
    Trouble.READ_ONLY: "database_read_only",
    Trouble.FULL: "database_full",
    Trouble.CORRUPT: "database_corrupt",
    Trouble.BUSY: "database_busy",
}
OF_CODE = {
    **dict.fromkeys(LOST_CODES | REFUSED_CODES, Trouble.UNREACHABLE),
    **dict.fromkeys(READ_ONLY_CODES, Trouble.READ_ONLY),
    **dict.fromkeys(FULL_CODES, Trouble.FULL),
    **dict.fromkeys(CORRUPT_CODES, Trouble.CORRUPT),
    **dict.fromkeys(BUSY_CODES, Trouble.BUSY),
}
OF_WORDS = {  # SQLite's and Django's
    "already closed": Trouble.UNREACHABLE,
    "readonly database": Trouble.READ_ONLY,
    "is full": Trouble.FULL,
    **dict.fromkeys(CORRUPT_WORDS, Trouble.CORRUPT),
    "is locked": Trouble.BUSY,
    "unable to open": Trouble.UNREACHABLE,
    "disk I/O error": Trouble.UNREACHABLE,
}


def trouble_of(error: BaseException | None) -> Trouble | None:
    """Return what an error or its cause says, if anything."""
    while isinstance(error, Error):
        if isinstance(error, Busy):
            return Trouble.BUSY
        if (found := _said_by(error)) is not None:
            return found
        error = error.__cause__ or error.__context__
    return None


def unavailable(trouble: Trouble) -> DatabaseUnavailable:
    return DatabaseUnavailable(SENTENCES[trouble], code=CODES[trouble])


@dataclass
class Episode:
    """An outage; times are monotonic."""

    since: float
    last: float
    count: int = 1


class Outages:
    """This process's outages; `spares_many` for many threads."""

    spares_many = False

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked_one = threading.Condition(self._lock)
        self._episodes: dict[Trouble, Episode] = {}
        self._asked = -ASK_EVERY_SECONDS
        self._is_asking = False

    def note(self, error: BaseException | None) -> Trouble | None:
        """Note an error; return the trouble, if any, logging only its start."""
        trouble = trouble_of(error)
        if trouble is None:
            return None
        now = time.monotonic()
        with self._lock:
            episode = self._episodes.get(trouble)
            is_first = episode is None or now - episode.last > EPISODE_SECONDS
            if episode is None or is_first:
                self._episodes[trouble] = Episode(now, now)
            else:
                episode.last, episode.count = now, episode.count + 1
        if is_first:
            # the only line for this outage
            log.error("database_trouble", trouble=trouble.value, error=str(error) or type(error).__name__)
        _open_anew(trouble)
        return trouble

    def over(self, *troubles: Trouble) -> None:
        with self._lock:
            ended = {trouble: self._episodes.pop(trouble) for trouble in troubles if trouble in self._episodes}
        for trouble, episode in ended.items():
            seconds = round(time.monotonic() - episode.since, 1)
            log.warning("database_trouble_over", trouble=trouble.value, seconds=seconds, errors=episode.count)

    def present(self, *, within: float = EPISODE_SECONDS) -> list[Trouble]:
        """Return recent troubles that have not ended."""
        now = time.monotonic()
        with self._lock:
            return [trouble for trouble, episode in self._episodes.items() if now - episode.last <= within]

    @property
    def is_unreachable(self) -> bool:
        """Return whether the last attempt failed to connect."""
        return Trouble.UNREACHABLE in self._episodes

    @contextmanager
    def connecting(self, refusal: type[Exception]) -> Iterator[None]:
        """Guard a connection attempt. Raises `refusal` at once while another tries."""
        is_asking = self._admit(refusal)
        try:
            yield
        except Exception as error:
            self.note(OperationalError(*error.args))
            raise
        else:
            self.over(Trouble.UNREACHABLE)
        finally:
            if is_asking:
                with self._asked_one:
                    self._is_asking, self._asked = False, time.monotonic()
                    self._asked_one.notify_all()

    def _admit(self, refusal: type[Exception]) -> bool:
        with self._asked_one:
            if self.spares_many and self._is_asking and (episode := self._episodes.get(Trouble.UNREACHABLE)):
                # One lost connection may be all: the retry then returns at once.
                self._asked_one.wait(max(0.0, episode.since + DOUBT_SECONDS - time.monotonic()))
            if not self.spares_many or not self.is_unreachable:
                return False
            if self._is_asking or time.monotonic() - self._asked < ASK_EVERY_SECONDS:
                raise refusal(2003, "The database could not be reached a moment ago.")
            self._is_asking = True
            return True


outages = Outages()


def _open_anew(trouble: Trouble) -> None:
    """Reopen SQLite's file: as opened, it stays read-only or gone."""
    if trouble is not Trouble.BUSY and connection.vendor == "sqlite" and not connection.in_atomic_block:
        connection.close()


def _said_by(error: Error) -> Trouble | None:
    code, text = code_of(error), str(error)
    if code == STORAGE_ENGINE:
        return Trouble.FULL if any(words in text for words in NO_SPACE) else Trouble.CORRUPT
    if code is not None:
        return Trouble.UNREACHABLE if isinstance(error, InterfaceError) else OF_CODE.get(code)
    return next((trouble for words, trouble in OF_WORDS.items() if words in text), None)
