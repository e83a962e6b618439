"""Unknown words for levels: shown, and mapped by people."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from threading import Lock

from cachetools import TTLCache
from django.db import IntegrityError

from alerts.reading.words import mapped
from alerts.services.words import UnknownWords
from core.db.transactions import unit_of_work
from intake.models import Source
from intake.vocabulary import MappedField
from logs.lines import Line
from logs.vocabulary import Level

SECONDS = 10.0  # between records of a word
MOST_REMEMBERED = 10_000
# A source's map is about alerts; for lines its words mean these.
LEVEL_OF_SEVERITY = {"critical": Level.CRITICAL, "high": Level.ERROR, "medium": Level.WARNING, "low": Level.INFO}

WordCounts = Counter[tuple[Source, str]]

_recorded: TTLCache[tuple[int, str], bool] = TTLCache(MOST_REMEMBERED, SECONDS)
_lock = Lock()


def as_taught(line: Line, source: Source | None) -> Line:
    """Return the line with its source's mapped level."""
    if not line.unknown_level or source is None:
        return line
    meaning = mapped(source.severity_map, line.unknown_level)
    return replace(line, level=LEVEL_OF_SEVERITY[meaning], unknown_level="") if meaning else line


def count_unknown(source: Source | None, lines: Iterable[Line]) -> WordCounts:
    """Count unknown words, without those recorded just now."""
    if source is None:
        return Counter()
    counts = Counter(line.unknown_level for line in lines if line.unknown_level)
    with _lock:
        return Counter({(source, word): count for word, count in counts.items() if (source.pk, word) not in _recorded})


def record(counts: WordCounts, at: dt.datetime) -> None:
    """Record unknown words; safe for two processes at once."""
    with _lock:
        _recorded.update({(source.pk, word): True for source, word in counts})
    try:
        _write(counts, at)
    except IntegrityError:
        with _lock:
            for source, word in counts:
                _recorded.pop((source.pk, word), None)


@unit_of_work
def _write(counts: WordCounts, at: dt.datetime) -> None:
    words = UnknownWords()
    for (source, word), count in counts.items():
        words.add(source, MappedField.SEVERITY, word, at, count)
    words.save()
