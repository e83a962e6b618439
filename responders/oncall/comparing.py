"""What a change of a line-up does to people's shifts."""

import datetime as dt
from typing import NamedTuple

from responders.oncall.rendering import ScheduleSpec, Segment, segments


class Difference(NamedTuple):
    """A time in which other people are on call than before."""

    starts_at: dt.datetime
    ends_at: dt.datetime
    was: tuple[int, ...]
    will_be: tuple[int, ...]

    @property
    def affected(self) -> set[int]:
        return set(self.was) ^ set(self.will_be)


def differences(before: ScheduleSpec, after: ScheduleSpec, start: dt.datetime, end: dt.datetime) -> list[Difference]:
    """Return when and how two specs differ in their people, within a time."""
    found: list[Difference] = []
    old, new = segments(before, start, end), segments(after, start, end)
    was, will_be = next(old, None), next(new, None)
    while was is not None and will_be is not None:
        ends_at = min(was.until, will_be.until)
        _add(found, Difference(max(was.since, will_be.since), ends_at, _people(was), _people(will_be)))
        was = next(old, None) if was.until == ends_at else was
        will_be = next(new, None) if will_be.until == ends_at else will_be
    return found


def _people(segment: Segment) -> tuple[int, ...]:
    return tuple(sorted(segment.people))


def _add(found: list[Difference], one: Difference) -> None:
    if one.was == one.will_be:
        return
    last = found[-1] if found else None
    if last and (last.ends_at, last.was, last.will_be) == (one.starts_at, one.was, one.will_be):
        found[-1] = last._replace(ends_at=one.ends_at)
    else:
        found.append(one)
