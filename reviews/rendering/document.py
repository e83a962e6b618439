"""What a document says, apart from how it looks."""

import datetime as dt
from dataclasses import dataclass
from typing import TypeAlias
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Prose:
    """Text that people wrote, in Markdown."""

    text: str


@dataclass(frozen=True)
class Entry:
    """Prose with a heading of its own: a moment with its time, or what somebody said."""

    label: str
    text: str
    url: str = ""


@dataclass(frozen=True)
class Numbered:
    """Texts of equal rank, in order."""

    texts: tuple[str, ...]


@dataclass(frozen=True)
class Cell:
    """Plain text of a table, which may lead somewhere."""

    text: str
    url: str = ""


@dataclass(frozen=True)
class Table:
    """Plain text in rows; `widths` are the columns' shares."""

    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    widths: tuple[int, ...]


Part: TypeAlias = Prose | Entry | Numbered | Table


@dataclass(frozen=True)
class Section:
    """A heading and what is below it."""

    heading: str
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Document:
    """A document in one language. `facts` are label and value; `cut` is what to say where it was too long."""

    title: str
    language: str
    facts: tuple[tuple[str, Cell], ...]
    sections: tuple[Section, ...]
    cut: str
    made_at: dt.datetime


def both_times(moment: dt.datetime, zone: ZoneInfo) -> str:
    """Return a time by the reader's clock, and in UTC where that differs."""
    local, utc = moment.astimezone(zone), moment.astimezone(dt.UTC)
    if local.utcoffset() == dt.timedelta(0):
        return f"{utc:%Y-%m-%d %H:%M} UTC"
    day = "" if local.date() == utc.date() else f"{utc:%Y-%m-%d} "
    return f"{local:%Y-%m-%d %H:%M %Z} ({day}{utc:%H:%M} UTC)"
