"""How much of the last 90 days a component was up, day by day in the page's time zone."""

import datetime as dt
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from status_page.rendering.snapshot import Component, Span, worst
from status_page.vocabulary import RANK, Impact

DAYS = 90
# How much of the time with an impact counts as down; degraded performance and maintenance do not.
WEIGHTS = {Impact.PARTIAL_OUTAGE: 0.3, Impact.MAJOR_OUTAGE: 1.0}


@dataclass(frozen=True)
class Day:
    """A day and its worst impact; None before the component existed."""

    date: dt.date
    impact: Impact | None


@dataclass(frozen=True)
class Uptime:
    """The days, oldest first, and the share of time that was up, 0 to 100; None without data.

    The share is cut after two digits, so that no fault is rounded away.
    """

    days: tuple[Day, ...]
    percent: float | None


@lru_cache(maxsize=4096)
def uptime_of(component: Component, zone: ZoneInfo, now: dt.datetime) -> Uptime:
    """Return the uptime of the last days, today included."""
    today = now.astimezone(zone).date()
    dates = [today - dt.timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    starts = [_midnight(date, zone) for date in [*dates, today + dt.timedelta(days=1)]]
    born = min([component.created_at, *(span.began_at for span in component.spans)])
    pieces = timeline(component.spans, max(born, starts[0]), now)
    days = tuple(
        Day(date, _impact_within(pieces, start, end) if end > born else None)
        for date, (start, end) in zip(dates, pairwise(starts), strict=True)
    )
    return Uptime(days, _percent(pieces, max(born, starts[0]), now))


def timeline(spans: Iterable[Span], start: dt.datetime, end: dt.datetime) -> list[Span]:
    """Return spans that do not overlap, cut to a time; where several did, the worst holds."""
    cut = [
        Span(span.impact, max(span.began_at, start), min(span.ended_at or end, end))
        for span in spans
        if span.impact != Impact.OPERATIONAL
    ]
    changes = [(span.began_at, 1, span.impact) for span in cut if span.began_at < (span.ended_at or end)]
    changes += [(span.ended_at or end, -1, span.impact) for span in cut if span.began_at < (span.ended_at or end)]
    return list(_swept(sorted(changes, key=lambda change: change[0])))


def _swept(changes: Sequence[tuple[dt.datetime, int, Impact]]) -> Iterator[Span]:
    """Yield the worst of what holds between two changes."""
    held: Counter[Impact] = Counter()
    for (moment, step, impact), (following, *_rest) in pairwise(changes):
        held[impact] += step
        present = [one for one, count in held.items() if count > 0]
        if present and moment < following:
            yield Span(worst(present), moment, following)


def _impact_within(pieces: Sequence[Span], start: dt.datetime, end: dt.datetime) -> Impact:
    return worst(
        piece.impact
        for piece in pieces
        if piece.began_at < end and piece.ended_at is not None and piece.ended_at > start
    )


def _percent(pieces: Sequence[Span], start: dt.datetime, end: dt.datetime) -> float | None:
    total = (end - start).total_seconds()
    if total <= 0:
        return None
    down = sum(
        (piece.ended_at - piece.began_at).total_seconds() * WEIGHTS.get(piece.impact, 0.0)
        for piece in pieces
        if piece.ended_at is not None
    )
    return math.floor(10_000 * (1 - down / total)) / 100


def _midnight(date: dt.date, zone: ZoneInfo) -> dt.datetime:
    return dt.datetime.combine(date, dt.time.min, tzinfo=zone).astimezone(dt.UTC)


def is_problem(day: Day) -> bool:
    return day.impact is not None and RANK[day.impact] > RANK[Impact.OPERATIONAL]
