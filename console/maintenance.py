"""Lay silences out on a calendar. Pure."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from alerts.routing import SilenceSpec

DAY_MINUTES = 24 * 60
COLUMN = 140
HOUR = 20
HEAD = 24
LANE = 22
MOST_LANES = 6
MOST_SPANS = 1000


@dataclass(frozen=True)
class Span:
    """A time when a silence is active, on the wall clock of the calendar's zone."""

    silence: int
    since: dt.datetime
    until: dt.datetime


@dataclass(frozen=True)
class Bar:
    """A piece of a span as drawn."""

    span: Span
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Week:
    """A row of a month: its days and bars; `hidden` spans found no lane."""

    days: tuple[dt.date, ...]
    y: float
    height: float
    bars: tuple[Bar, ...]
    hidden: int


def week_of(day: dt.date) -> list[dt.date]:
    """Return Monday to Sunday."""
    monday = day - dt.timedelta(days=day.weekday())
    return [monday + dt.timedelta(days=number) for number in range(7)]


def month_of(day: dt.date) -> list[dt.date]:
    """Return the days of all weeks that the month touches."""
    first = week_of(day.replace(day=1))[0]
    following = (day.replace(day=1) + dt.timedelta(days=32)).replace(day=1)
    last = week_of(following - dt.timedelta(days=1))[-1]
    return [first + dt.timedelta(days=number) for number in range((last - first).days + 1)]


def spans_of(specs: Iterable[SilenceSpec], days: Sequence[dt.date], zone: dt.tzinfo) -> list[Span]:
    """Return when silences are active within the days, in order."""
    since, until = start_of(days[0], zone), start_of(days[-1] + dt.timedelta(days=1), zone)
    found = [
        Span(spec.id, start.astimezone(zone), end.astimezone(zone))
        for spec in specs
        for start, end in spec.spans(since, until)
    ]
    return sorted(found, key=lambda span: (span.since, -span.until.timestamp(), span.silence))[:MOST_SPANS]


def start_of(day: dt.date, zone: dt.tzinfo) -> dt.datetime:
    return dt.datetime.combine(day, dt.time.min, zone)


def week_bars(spans: Sequence[Span], days: Sequence[dt.date]) -> list[Bar]:
    """Return each day's pieces, by the hour, side by side where they overlap."""
    bars: list[Bar] = []
    for number, day in enumerate(days):
        pieces = [(span, *_minutes_on(span, day)) for span in spans if span.since.date() <= day <= _last_day(span)]
        lanes = _lanes([(start, end) for _span, start, end in pieces])
        share = COLUMN / (max(lanes, default=0) + 1)
        bars += [
            Bar(
                span,
                number * COLUMN + lane * share,
                HEAD + start * HOUR / 60,
                share - 2,
                max((end - start) * HOUR / 60, 4),
            )
            for (span, start, end), lane in zip(pieces, lanes, strict=True)
        ]
    return bars


def month_weeks(spans: Sequence[Span], days: Sequence[dt.date]) -> list[Week]:
    """Return the weeks, each with its bars below its days."""
    weeks: list[Week] = []
    for first in range(0, len(days), 7):
        week = tuple(days[first : first + 7])
        y = weeks[-1].y + weeks[-1].height if weeks else 0
        pieces = [
            (span, *_across(span, week))
            for span in spans
            if span.since.date() <= week[-1] and _last_day(span) >= week[0]
        ]
        lanes = _lanes([(start, end) for _span, start, end in pieces])
        bars = tuple(
            Bar(span, start, y + HEAD + lane * LANE, end - start, LANE - 3)
            for (span, start, end), lane in zip(pieces, lanes, strict=True)
            if lane < MOST_LANES
        )
        height = HEAD + LANE * min(max(lanes, default=1) + 2, MOST_LANES + 1)
        weeks.append(Week(week, y, height, bars, sum(lane >= MOST_LANES for lane in lanes)))
    return weeks


def _last_day(span: Span) -> dt.date:
    return (span.until - dt.timedelta(microseconds=1)).date()


def _minutes_on(span: Span, day: dt.date) -> tuple[int, int]:
    start = _minute(span.since) if span.since.date() == day else 0
    end = _minute(span.until) if span.until.date() == day else DAY_MINUTES
    return start, max(end, start + 1)


def _minute(moment: dt.datetime) -> int:
    return moment.hour * 60 + moment.minute


def _across(span: Span, week: Sequence[dt.date]) -> tuple[float, float]:
    """Return where whole days begin and end, so that names fit."""
    first, last = max(span.since.date(), week[0]), min(_last_day(span), week[-1])
    return (first - week[0]).days * COLUMN + 2, ((last - week[0]).days + 1) * COLUMN - 2


def _lanes(pieces: Sequence[tuple[float, float]]) -> list[int]:
    """Return each piece's lane, the first that is free at its start."""
    free: list[float] = []
    lanes = []
    for start, end in pieces:
        lane = next((number for number, at in enumerate(free) if at <= start), len(free))
        free[lane:] = [end, *free[lane + 1 :]]
        lanes.append(lane)
    return lanes
