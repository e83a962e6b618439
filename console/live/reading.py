"""What the streams of a process need of the database, asked for all of them at once, from one thread."""

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from django.db import close_old_connections, connection

from console.live.entries import Entry, read_entries
from console.live.inbox import InboxWatch
from console.live.viewers import Viewer, load_viewers
from incidents.services import feed

BATCH = 100  # events at a time, so that streams are written between
REPLAY_MOST = 500  # events; who missed more loads the page again
REPLAY_SECONDS = 3.0  # what many ask for after a restart is read once; rights and rows may be this old
RECHECK_SECONDS = 10.0


@dataclass(frozen=True)
class Asked:
    """What a round is about: who joins, from where in the feed, and who is there."""

    joining: Sequence[tuple[str, int | None]] = ()  # session keys, places
    present: Collection[Viewer] = ()


@dataclass(frozen=True)
class Joined:
    """A join: `entries` were missed; with `is_too_far`, more than can be told."""

    viewer: Viewer | None
    entries: Sequence[Entry] = ()
    is_too_far: bool = False


@dataclass(frozen=True)
class Found:
    position: int
    entries: Sequence[Entry] = ()
    joined: Sequence[Joined] = ()
    current: dict[str, Viewer] | None = None  # by session key, after a check
    unread: dict[int, int] = field(default_factory=dict)  # by user, where changed


@dataclass
class Replay:
    """Entries after a place of the feed, kept for a moment."""

    after: int
    entries: list[Entry]
    languages: frozenset[str]
    since: float

    @property
    def is_fresh(self) -> bool:
        return time.monotonic() - self.since < REPLAY_SECONDS

    def covers(self, place: int, languages: frozenset[str]) -> bool:
        return self.after <= place and languages <= self.languages


class Reader:
    """Follows the feed; used by one thread."""

    def __init__(self) -> None:
        self.position: int | None = None
        self._replay: Replay | None = None
        self._checked = time.monotonic()
        self._inbox = InboxWatch()

    def look(self, asked: Asked) -> Found:
        """Return what is new, and the state of those who join."""
        close_old_connections()
        viewers = load_viewers([key for key, _ in asked.joining]) if asked.joining else {}
        languages = frozenset(viewer.language for viewer in (*viewers.values(), *asked.present))
        if self.position is None:
            self.position = feed.head()
        if self._replay is not None and not self._replay.is_fresh:
            self._replay = None
        entries = read_entries(self.position, BATCH, languages)
        self._advance(entries, languages)
        joined = [self._join(viewers.get(key), place, languages) for key, place in asked.joining]
        unread = self._inbox.changes({viewer.user.pk for viewer in (*viewers.values(), *asked.present)})
        return Found(self.position, entries, joined, self._checked_again(asked.present), unread)

    def close(self) -> None:
        """Return the connection; the feed is not followed meanwhile."""
        self.position, self._replay, self._inbox = None, None, InboxWatch()
        connection.close()

    def _advance(self, entries: list[Entry], languages: frozenset[str]) -> None:
        if not entries:
            return
        self.position = entries[-1].seq
        if self._replay is not None and languages <= self._replay.languages:
            self._replay.entries.extend(entries)
        else:
            self._replay = None

    def _join(self, viewer: Viewer | None, place: int | None, languages: frozenset[str]) -> Joined:
        position = self.position or 0
        if viewer is None or place is None or place == position:
            return Joined(viewer)
        if not (0 <= place <= position <= place + REPLAY_MOST):
            return Joined(viewer, is_too_far=True)
        if self._replay is None or not self._replay.covers(place, languages):
            self._replay = Replay(place, _between(place, position, languages), languages, time.monotonic())
        return Joined(viewer, [entry for entry in self._replay.entries if entry.seq > place])

    def _checked_again(self, present: Collection[Viewer]) -> dict[str, Viewer] | None:
        if time.monotonic() - self._checked < RECHECK_SECONDS:
            return None
        self._checked = time.monotonic()
        return load_viewers([viewer.session_key for viewer in present])


def _between(after: int, until: int, languages: frozenset[str]) -> list[Entry]:
    return [entry for entry in read_entries(after, REPLAY_MOST, languages) if entry.seq <= until]
