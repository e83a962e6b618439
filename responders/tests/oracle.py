"""A second reckoning of who is on call, minute by minute; it shares no code with responders.oncall.

It reads layers as the API writes them, and knows of a zone only what its clocks show at each minute.
"""

import datetime as dt
from array import array
from calendar import monthrange
from functools import lru_cache
from itertools import groupby
from zoneinfo import ZoneInfo

MINUTE = dt.timedelta(minutes=1)
EPOCH = dt.datetime.fromisoformat("1970-01-01")
MINUTES_OF_WEEK = 7 * 24 * 60
MARGIN = 200  # days before the time asked for, so that turns that began earlier are seen


class Clock:
    """What a zone's clocks show at each minute from a moment on."""

    def __init__(self, zone: str, first: dt.datetime, days: int) -> None:
        self.first, self.days = first, days
        self.shown = array("q")
        tz, moment = ZoneInfo(zone), first.replace(tzinfo=dt.UTC)
        for _ in range(days * 24 * 60):
            self.shown.append((moment.astimezone(tz).replace(tzinfo=None) - EPOCH) // MINUTE)
            moment += MINUTE
        start = (first - EPOCH) // MINUTE
        self.offsets = sorted({shown - start - number for number, shown in enumerate(self.shown)})

    def minute_of(self, wall: dt.datetime) -> int | None:
        """The first minute that shows a time, or as much later as the clock was put forward."""
        wanted = (wall - EPOCH) // MINUTE
        found = self._showing(wanted)
        if found is None and (jump := self._jump_over(wanted)):
            found = self._showing(wanted + jump)
        return found

    def _showing(self, wanted: int) -> int | None:
        start = (self.first - EPOCH) // MINUTE
        places = [wanted - start - offset for offset in self.offsets]
        return min((one for one in places if 0 <= one < len(self.shown) and self.shown[one] == wanted), default=None)

    def _jump_over(self, wanted: int) -> int:
        start = (self.first - EPOCH) // MINUTE
        low, high = wanted - start - self.offsets[-1] - 3000, wanted - start - self.offsets[0] + 3000
        for one in range(max(1, low), min(len(self.shown), high)):
            before, after = self.shown[one - 1], self.shown[one]
            if before < wanted < after and after - before > 1:
                return after - before - 1
        return 0


@lru_cache(maxsize=12)
def clock_of(zone: str, first: dt.datetime, days: int) -> Clock:
    return Clock(zone, first, days)


def people_by_minute(
    zone: str, layers: list[dict], overrides: list[dict], first: dt.datetime, days: int
) -> list[tuple[int, frozenset[int]]]:
    """Runs of minutes (how many, who) over some days from a moment in UTC on.

    Overrides are dicts of the minutes `from` and `to` from that moment on, `layer`, `add`, `remove`, `everybody`.
    """
    begins = first - dt.timedelta(days=MARGIN)
    clock = clock_of(zone, begins, days + MARGIN + 3)
    codes: dict[frozenset[int], int] = {frozenset(): 0}
    shift = MARGIN * 24 * 60
    result = bytearray(days * 24 * 60)
    for layer in layers:
        line = _line_of(layer, clock, codes)[shift : shift + len(result)]
        for one in overrides:
            if one["layer"] == layer["name"]:
                _override(line, one, codes)
        result = bytearray(above or below for below, above in zip(result, line, strict=True))
    for one in overrides:
        if not one["layer"]:
            _override(result, one, codes)
    people = {code: who for who, code in codes.items()}
    return [(sum(1 for _ in run), people[code]) for code, run in groupby(result)]


def _code(codes: dict[frozenset[int], int], who: frozenset[int]) -> int:
    return codes.setdefault(who, len(codes))


def _override(line: bytearray, one: dict, codes: dict[frozenset[int], int]) -> None:
    for minute in range(max(0, one["from"]), min(len(line), one["to"])):
        who = next(known for known, code in codes.items() if code == line[minute])
        who = frozenset() if one["everybody"] else who - set(one["remove"])
        line[minute] = _code(codes, who | set(one["add"]))


def _line_of(layer: dict, clock: Clock, codes: dict[frozenset[int], int]) -> bytearray:
    """The layer's people at each minute of the clock."""
    line = bytearray(len(clock.shown))
    turns = [_code(codes, frozenset(turn)) for turn in layer["users"]]
    if not turns:
        return line
    start = dt.datetime.fromisoformat(layer["starts_at"])
    edges = _hand_overs(layer, start, clock.first + dt.timedelta(days=clock.days + 2))
    week = _active_week(layer["restrictions"])
    changes: dict[int, int] = {}  # minute → turns passed, the last of several
    passed = layer["first_turn"]
    for number, edge in enumerate(edges[:-1]):
        minute = clock.minute_of(edge)
        if minute is not None:
            changes[minute] = passed
        elif edge < clock.first:
            changes[0] = passed
        counts = layer["advance"] == "calendar" or _has_active_minute(week, edge, edges[number + 1])
        passed += 1 if counts else 0
    is_active = _active_minutes(layer["restrictions"], clock)
    begins = clock.minute_of(start) or 0
    changes = {minute: passed for minute, passed in changes.items() if minute >= begins}
    now = None
    highest = -1
    for minute in range(len(line)):
        if minute in changes and changes[minute] >= highest:
            highest = changes[minute]
            now = turns[highest % len(turns)]
        if now is not None and is_active[minute]:
            line[minute] = now
    return line


def _hand_overs(layer: dict, start: dt.datetime, until: dt.datetime) -> list[dt.datetime]:
    """The start, and each hand-over after it, found by going from one to the next."""
    unit, every = layer["rotation"]["unit"], layer["rotation"]["every"]
    hour, minute = (int(part) for part in layer["hand_over"]["time"].split(":"))
    weekday = layer["hand_over"]["weekday"]
    if unit == "months":
        found = _monthly(start, hour, minute, every, until)
    else:
        one = start.replace(hour=hour, minute=minute)
        while one > start or (weekday is not None and one.weekday() != weekday):
            one -= dt.timedelta(days=1)
        step = dt.timedelta(**{unit: every})
        found = []
        while one <= until + step:
            found.append(one)
            one += step
    later = [one for one in found if one > start]
    return [start, *later]


def _monthly(start: dt.datetime, hour: int, minute: int, every: int, until: dt.datetime) -> list[dt.datetime]:
    def on(year: int, month: int) -> dt.datetime:
        return start.replace(year, month, min(start.day, monthrange(year, month)[1]), hour, minute)

    year, month = start.year, start.month
    if on(year, month) > start:
        year, month = (year, month - 1) if month > 1 else (year - 1, 12)
    found = []
    while not found or found[-1] <= until:
        found.append(on(year, month))
        for _ in range(every):
            year, month = (year, month + 1) if month < 12 else (year + 1, 1)
    return found


def _span(restriction: dict) -> tuple[int, int]:
    begins, ends = (60 * int(text[:2]) + int(text[3:5]) for text in (restriction["from"], restriction["to"]))
    return begins, ends if ends > begins else ends + 24 * 60


def _active_week(restrictions: list[dict]) -> bytearray:
    """Which minutes of a week, from Monday on, the wall clock allows."""
    week = bytearray(MINUTES_OF_WEEK)
    for one in restrictions:
        begins, ends = _span(one)
        for day in one["weekdays"]:
            for minute in range(begins, ends):
                week[(day * 24 * 60 + minute) % MINUTES_OF_WEEK] = 1
    return week if restrictions else bytearray([1]) * MINUTES_OF_WEEK


def _has_active_minute(week: bytearray, begins: dt.datetime, ends: dt.datetime) -> bool:
    minutes = (ends - begins) // MINUTE
    if minutes >= MINUTES_OF_WEEK:
        return any(week)
    first = begins.weekday() * 24 * 60 + begins.hour * 60 + begins.minute
    return any(week[(first + number) % MINUTES_OF_WEEK] for number in range(minutes))


def _active_minutes(restrictions: list[dict], clock: Clock) -> bytearray:
    if not restrictions:
        return bytearray([1]) * len(clock.shown)
    active = bytearray(len(clock.shown))
    day = (clock.first - dt.timedelta(days=3)).replace(hour=0, minute=0)
    for _ in range(clock.days + 6):
        noon = day + dt.timedelta(hours=12)
        exists = clock._showing((noon - EPOCH) // MINUTE) is not None
        for one in restrictions:
            if day.weekday() in one["weekdays"] and exists:
                begins, ends = _span(one)
                opens, closes = (clock.minute_of(day + MINUTE * minute) for minute in (begins, ends))
                past_end = 0 if day < clock.first else len(active)
                for minute in range(past_end if opens is None else opens, past_end if closes is None else closes):
                    active[minute] = 1
        day += dt.timedelta(days=1)
    return active
