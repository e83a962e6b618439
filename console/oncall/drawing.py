"""Lay shifts out as bars on a time axis; days are as wide as they are long."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from responders.oncall import Gap, Shift
from responders.oncall.walltime import DAY, resolve, wall_of

WIDTH, LANE, HEAD, GUTTER, SPACE = 1050, 28, 22, 120, 6
LETTER = 7.2
SERIES = 6
SATURDAY = 5


@dataclass(frozen=True)
class Bar:
    """A shift, or a gap (`user_id` is None), clipped to the picture; times are those of the whole."""

    x: float
    y: float
    width: float
    height: int
    starts_at: dt.datetime
    ends_at: dt.datetime
    user_id: int | None = None
    name: str = ""
    text: str = ""
    layer: str = ""
    override: int | None = None
    series: int = 1
    unmatched: tuple[str, ...] = ()

    @property
    def text_y(self) -> float:
        return self.y + self.height / 2 + 4

    @property
    def text_x(self) -> float:
        return self.x + 5


@dataclass(frozen=True)
class DayMark:
    x: float
    width: float
    date: dt.date
    is_today: bool
    is_weekend: bool

    @property
    def text_x(self) -> float:
        return self.x + 5


@dataclass(frozen=True)
class Row:
    title: str
    y: float
    height: int
    bars: list[Bar]

    @property
    def text_y(self) -> float:
        return self.y + 18


@dataclass(frozen=True)
class Line:
    """What a row shows."""

    title: str
    shifts: Sequence[Shift]
    gaps: Sequence[Gap] = ()


@dataclass(frozen=True)
class Picture:
    starts_at: dt.datetime
    ends_at: dt.datetime
    height: int
    days: list[DayMark]
    rows: list[Row]
    now_x: float | None
    left: int = 0
    width: int = WIDTH


@dataclass(frozen=True)
class Axis:
    start: dt.datetime
    end: dt.datetime
    left: int

    def x(self, moment: dt.datetime) -> float:
        within = min(max(moment, self.start), self.end)
        return round(self.left + (WIDTH - self.left) * ((within - self.start) / (self.end - self.start)), 1)


def midnight(day: dt.date, zone: ZoneInfo) -> dt.datetime:
    """Return the instant at which a day begins."""
    return resolve(dt.datetime.combine(day, dt.time.min), zone)


def draw(
    first: dt.date,
    days: int,
    zone: ZoneInfo,
    lines: Iterable[Line],
    names: Mapping[int, str],
    now: dt.datetime,
    *,
    gutter: bool = False,
) -> Picture:
    """Return a picture of some days, with a row per line."""
    start, end = midnight(first, zone), midnight(first + DAY * days, zone)
    axis = Axis(start, end, GUTTER if gutter else 0)
    rows: list[Row] = []
    y = float(HEAD)
    for line in lines:
        bars, lanes = _bars(line, axis, y, names)
        height = max(1, lanes) * LANE
        rows.append(Row(line.title, y, height, bars))
        y += height + SPACE
    marks = [_mark(first + DAY * number, zone, axis, now) for number in range(days)]
    now_x = axis.x(now) if start <= now < end else None
    return Picture(start, end, int(y), marks, rows, now_x, axis.left)


def series_of(user_id: int) -> int:
    """Return which of the series' colours somebody has everywhere."""
    return user_id % SERIES + 1


def _mark(day: dt.date, zone: ZoneInfo, axis: Axis, now: dt.datetime) -> DayMark:
    x = axis.x(midnight(day, zone))
    width = round(axis.x(midnight(day + DAY, zone)) - x, 1)
    return DayMark(x, width, day, wall_of(now, zone).date() == day, day.weekday() >= SATURDAY)


def _bars(line: Line, axis: Axis, y: float, names: Mapping[int, str]) -> tuple[list[Bar], int]:
    """Return the bars of a row, people on call together below each other, and how many lanes they take."""
    lanes: list[dt.datetime] = []
    found = []
    for shift in sorted(line.shifts, key=lambda one: (one.starts_at, one.user_id)):
        if shift.ends_at <= axis.start or shift.starts_at >= axis.end:
            continue
        lane = next((number for number, ends_at in enumerate(lanes) if ends_at <= shift.starts_at), len(lanes))
        lanes[lane : lane + 1] = [shift.ends_at]
        found.append(_shift_bar(shift, axis, y + lane * LANE, names.get(shift.user_id, "")))
    found += [
        _gap_bar(gap, axis, y, max(1, len(lanes)))
        for gap in line.gaps
        if gap.ends_at > axis.start and gap.starts_at < axis.end
    ]
    return found, len(lanes)


def _shift_bar(shift: Shift, axis: Axis, y: float, name: str) -> Bar:
    x, width = _extent(shift.starts_at, shift.ends_at, axis)
    return Bar(
        x,
        y + 1,
        width,
        LANE - 3,
        shift.starts_at,
        shift.ends_at,
        shift.user_id,
        name,
        _fitting(name, width),
        shift.layer,
        shift.override,
        series_of(shift.user_id),
    )


def _gap_bar(gap: Gap, axis: Axis, y: float, lanes: int) -> Bar:
    x, width = _extent(gap.starts_at, gap.ends_at, axis)
    return Bar(x, y + 1, width, lanes * LANE - 3, gap.starts_at, gap.ends_at, unmatched=gap.unmatched)


def _extent(starts_at: dt.datetime, ends_at: dt.datetime, axis: Axis) -> tuple[float, float]:
    x = axis.x(starts_at)
    return x, max(2.0, round(axis.x(ends_at) - x - 1, 1))


def _fitting(name: str, width: float) -> str:
    """Return the first words of a name that have room; whole ones, since what is seen is part of what is read out."""
    room, shown = int((width - 10) / LETTER), ""
    for word in name.split():
        longer = f"{shown} {word}".strip()
        if len(longer) > room:
            break
        shown = longer
    return shown
