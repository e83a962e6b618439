"""Whose turn it is in a layer."""

import calendar
import datetime as dt
import math
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from responders.oncall.walltime import DAWN, DAY, DUSK, LARGEST_CHANGE, has_day, is_steady, resolve, wall_of

Unit = Literal["hours", "days", "weeks", "months"]
Advance = Literal["calendar", "active"]
HOUR = dt.timedelta(hours=1)
WEEK = 7 * DAY
# A weekly window on a lost day returns after two weeks.
MOST_DAYS = 16
MOST_KEPT = 1000


class Restriction(NamedTuple):
    """Hours since midnight, beyond 24 on the next day; 0 is Monday."""

    weekdays: frozenset[int]
    starts: dt.timedelta
    ends: dt.timedelta


class LayerSegment(NamedTuple):
    """Unchanged from `since` until `until`; `unmatched` are a calendar's names that fit nobody."""

    people: tuple[int, ...]
    since: dt.datetime
    until: dt.datetime
    unmatched: tuple[str, ...] = ()


@dataclass(frozen=True)
class LayerSpec:
    """Turns (lists of user ids) that change on a grid of wall times.

    The first, `first_turn`, begins at `starts_at`, anywhere on the grid.
    """

    name: str
    zone: ZoneInfo
    turns: tuple[tuple[int, ...], ...]
    unit: Unit
    every: int
    starts_at: dt.datetime  # wall time
    hand_over: dt.time
    weekday: int | None = None
    advance: Advance = "calendar"
    restrictions: tuple[Restriction, ...] = ()
    first_turn: int = 0

    def segment(self, at: dt.datetime) -> LayerSegment:
        """Return the layer's people at an instant."""
        if at < self.start:
            return LayerSegment((), DAWN, self.start)
        if not self.turns:
            return LayerSegment((), self.start, DUSK)
        is_active, opens, closes = self._window(at)
        if not is_active:
            return LayerSegment((), max(opens, self.start), closes)
        if self._is_constant:
            return LayerSegment(self.turns[0], max(self.start, opens), closes)
        period = self.period(at)
        since, until = max(self.start, opens, self._hand_over(period)), min(closes, self.next_hand_over(at))
        return LayerSegment(self.turns[self.turn(period)], since, until)

    @cached_property
    def start(self) -> dt.datetime:
        """When the first turn begins."""
        return resolve(self.starts_at, self.zone)

    @cached_property
    def _is_constant(self) -> bool:
        return len(set(self.turns)) == 1

    def period(self, at: dt.datetime) -> int:
        """Return how many hand-overs precede an instant, by the clock."""
        wall = wall_of(at, self.zone)
        if is_steady(at, self.zone):
            return max(0, self._floor(wall) - self._first)
        number = self._floor(wall + LARGEST_CHANGE) - self._first
        while number > 0 and self._hand_over(number) > at:
            number -= 1
        return max(0, number)

    def next_hand_over(self, at: dt.datetime) -> dt.datetime:
        """Return the first hand-over after an instant."""
        if at < self.start:
            return self.start
        number = self.period(at) + 1
        if is_steady(at, self.zone):
            return self._hand_over(number)
        last = self._floor(wall_of(at, self.zone) + LARGEST_CHANGE) - self._first
        return min(self._hand_over(one) for one in range(number, max(number, last) + 1))

    def turn(self, period: int) -> int:
        """Return which turn has a period."""
        passed = self._active_before(period) if self.advance == "active" else period
        return (passed + self.first_turn) % len(self.turns)

    def _hand_over(self, period: int) -> dt.datetime:
        return resolve(self._wall(self._first + period), self.zone) if period else self.start

    # --- The grid of hand-overs, in wall time

    @cached_property
    def _anchor(self) -> dt.datetime:
        start = self.starts_at.replace(fold=0)
        day = start.date()
        if self.weekday is not None:
            day -= DAY * ((day.weekday() - self.weekday) % 7)
        anchor = dt.datetime.combine(day, self.hand_over)
        if anchor <= start:
            return anchor
        if self.unit == "months":
            # only year and month count
            return anchor.replace(day=1) - DAY
        return anchor - (WEEK if self.weekday is not None else DAY)

    @cached_property
    def _first(self) -> int:
        return self._floor(self.starts_at.replace(fold=0))

    @cached_property
    def _step(self) -> dt.timedelta:
        return {"hours": HOUR, "days": DAY, "weeks": WEEK, "months": DAY * 28}[self.unit] * self.every

    def _wall(self, place: int) -> dt.datetime:
        if self.unit != "months":
            return self._anchor + self._step * place
        months = self._anchor.year * 12 + self._anchor.month - 1 + place * self.every
        year, month = divmod(months, 12)
        # The 31st of a shorter month is its last day.
        day = min(self.starts_at.day, calendar.monthrange(year, month + 1)[1])
        return dt.datetime.combine(dt.date(year, month + 1, day), self.hand_over)

    def _floor(self, wall: dt.datetime) -> int:
        wall = wall.replace(fold=0)
        if self.unit != "months":
            return (wall - self._anchor) // self._step
        months = (wall.year - self._anchor.year) * 12 + wall.month - self._anchor.month
        place = months // self.every
        while self._wall(place) > wall:
            place -= 1
        return place

    # --- Turns that advance by active periods only

    def _active_before(self, period: int) -> int:
        if not self.restrictions or not period:
            return period
        cycles, rest = divmod(period - 1, len(self._active_counts) - 1)
        return self._is_active(0) + cycles * self._active_counts[-1] + self._active_counts[rest]

    @cached_property
    def _active_counts(self) -> tuple[int, ...]:
        """How many of the periods 1, 2, … are active, until the pattern repeats."""
        length = 168 if self.unit == "hours" else 7 if self.unit == "days" else 1
        cycle = length // math.gcd(length, self.every)
        return (0, *accumulate(self._is_active(1 + number) for number in range(cycle)))

    def _is_active(self, period: int) -> bool:
        begins = self._wall(self._first + period) if period else self.starts_at.replace(fold=0)
        ends = self._wall(self._first + period + 1)
        if ends - begins >= WEEK:
            return True
        day = begins.date() - 2 * DAY
        while day <= ends.date():
            midnight = dt.datetime.combine(day, dt.time.min)
            for one in self.restrictions:
                if day.weekday() in one.weekdays and midnight + one.starts < ends and midnight + one.ends > begins:
                    return True
            day += DAY
        return False

    # --- Restricted hours

    def _window(self, at: dt.datetime) -> tuple[bool, dt.datetime, dt.datetime]:
        """Return whether the layer is active, and the ends of that window or pause."""
        if not self.restrictions:
            return True, DAWN, DUSK
        today = wall_of(at, self.zone).date()
        for number in (-2, -1, 0, 1):
            opens, closes = self._windows_on(today + DAY * number)
            place = bisect_right(opens, at) - 1
            if place >= 0 and at < closes[place]:
                return True, opens[place], closes[place]
        return False, self._last_closing(today, at), self._next_opening(today, at)

    def _next_opening(self, today: dt.date, at: dt.datetime) -> dt.datetime:
        for number in range(-1, MOST_DAYS):
            opens, _ = self._windows_on(today + DAY * number)
            if (place := bisect_right(opens, at)) < len(opens):
                return opens[place]
        return DUSK

    def _last_closing(self, today: dt.date, at: dt.datetime) -> dt.datetime:
        for number in range(-1, MOST_DAYS):
            # One that began a day earlier may close later.
            both = (self._windows_on(today - DAY * (number + more))[1] for more in (0, 1))
            if found := [closes[place - 1] for closes in both if (place := bisect_right(closes, at))]:
                return max(found)
        return DAWN

    def _windows_on(self, day: dt.date) -> tuple[list[dt.datetime], list[dt.datetime]]:
        """Return when the day's windows open and close, without overlap."""
        if day not in self._windows:
            if len(self._windows) > MOST_KEPT:  # specs are kept long
                self._windows.clear()
            midnight = dt.datetime.combine(day, dt.time.min)
            windows = [
                (resolve(midnight + one.starts, self.zone), resolve(midnight + one.ends, self.zone))
                for one in self.restrictions
                if day.weekday() in one.weekdays
            ]
            exists = not windows or has_day(day, self.zone)
            self._windows[day] = _joined(window for window in windows if exists and window[0] < window[1])
        return self._windows[day]

    @cached_property
    def _windows(self) -> dict[dt.date, tuple[list[dt.datetime], list[dt.datetime]]]:
        return {}


def _joined(windows: Iterable[tuple[dt.datetime, dt.datetime]]) -> tuple[list[dt.datetime], list[dt.datetime]]:
    opens: list[dt.datetime] = []
    closes: list[dt.datetime] = []
    for begins, ends in sorted(windows):
        if closes and begins <= closes[-1]:
            closes[-1] = max(closes[-1], ends)
        else:
            opens.append(begins)
            closes.append(ends)
    return opens, closes
