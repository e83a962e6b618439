"""Unknown words for levels: shown on the source, and mapped by people."""

import datetime as dt
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from django.db import IntegrityError

from alerts.reading.words import mapped
from alerts.services.words import UnknownWords
from core.db.transactions import unit_of_work
from intake.models import Source
from intake.vocabulary import MappedField
from logs.lines import Line
from logs.vocabulary import Level

SECONDS = 10.0  # within which a process records the same word once
MOST_REMEMBERED = 10_000
# A source's map is about alerts; for lines its words mean these levels.
LEVEL_OF_SEVERITY = {"critical": Level.CRITICAL, "high": Level.ERROR, "medium": Level.WARNING, "low": Level.INFO}

Heard = Counter[tuple[Source, str]]

_told: dict[tuple[int, str], float] = {}


def as_taught(line: Line, source: Source | None) -> Line:
    """Return the line with the level that its source's map gives the sender's word."""
    if not line.unknown_level or source is None:
        return line
    meaning = mapped(source.severity_map, line.unknown_level)
    return replace(line, level=LEVEL_OF_SEVERITY[meaning], unknown_level="") if meaning else line


def news_of(source: Source | None, lines: Iterable[Line]) -> Heard:
    """Return the unknown words of lines with counts, without those recorded just now."""
    heard: Heard = Counter()
    if source is None:
        return heard
    now = time.monotonic()
    for line in lines:
        if line.unknown_level and _told.get((source.pk, line.unknown_level), 0.0) < now:
            heard[source, line.unknown_level] += 1
    return heard


def tell(heard: Heard, at: dt.datetime) -> None:
    """Record unknown words; of two processes that meet a new one at once, one does."""
    if len(_told) > MOST_REMEMBERED:
        _told.clear()
    until = time.monotonic() + SECONDS
    _told.update({(source.pk, word): until for source, word in heard})
    try:
        _write(heard, at)
    except IntegrityError:
        for source, word in heard:
            _told.pop((source.pk, word), None)


@unit_of_work
def _write(heard: Heard, at: dt.datetime) -> None:
    words = UnknownWords()
    for (source, word), count in heard.items():
        words.note(source, MappedField.SEVERITY, word, at, count)
    words.save()
