"""A layer that an imported calendar fills."""

import datetime as dt
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from responders.oncall.layers import LayerSegment
from responders.oncall.walltime import DAWN, DUSK

PART = 64


class FeedShift(NamedTuple):
    """An event: whom it names, and the names that fit nobody."""

    starts_at: dt.datetime
    ends_at: dt.datetime
    people: tuple[int, ...]
    unmatched: tuple[str, ...] = ()


@dataclass(frozen=True)
class FeedSpec:
    """People of all events that hold at an instant."""

    name: str
    shifts: tuple[FeedShift, ...]
    calendar: int = 0

    @cached_property
    def _edges(self) -> list[dt.datetime]:
        return sorted({edge for one in self.shifts for edge in (one.starts_at, one.ends_at)})

    def segment(self, at: dt.datetime) -> LayerSegment:
        """Return the layer's people at an instant."""
        place = bisect_right(self._edges, at)
        since = self._edges[place - 1] if place else DAWN
        until = self._edges[place] if place < len(self._edges) else DUSK
        holding = self._holding(at)
        people = dict.fromkeys(user for one in holding for user in one.people)
        unmatched = dict.fromkeys(name for one in holding for name in one.unmatched)
        return LayerSegment(tuple(people), since, until, tuple(unmatched))

    @cached_property
    def _parts(self) -> list[tuple[dt.datetime, list[FeedShift]]]:
        """Shifts by their start in parts, each with its latest end."""
        ordered = sorted(self.shifts, key=lambda one: one.starts_at)
        parts = [ordered[number : number + PART] for number in range(0, len(ordered), PART)]
        return [(max(one.ends_at for one in part), part) for part in parts]

    def _holding(self, at: dt.datetime) -> list[FeedShift]:
        parts = [part for ends_at, part in self._parts if part[0].starts_at <= at < ends_at]
        return [one for part in parts for one in part if one.starts_at <= at < one.ends_at]
