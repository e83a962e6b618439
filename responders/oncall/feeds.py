"""A layer that an imported calendar fills."""

import datetime as dt
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import NamedTuple

from responders.oncall.layers import LayerSegment
from responders.oncall.walltime import DAWN, DUSK


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
    def _sorted(self) -> list[FeedShift]:
        return sorted(self.shifts, key=lambda one: one.starts_at)

    @cached_property
    def _starts(self) -> list[dt.datetime]:
        return [one.starts_at for one in self._sorted]

    @cached_property
    def _last_ends(self) -> list[dt.datetime]:
        """The latest end of each shift and all before it."""
        return list(accumulate((one.ends_at for one in self._sorted), max))

    def _holding(self, at: dt.datetime) -> list[FeedShift]:
        """Return the shifts that hold at an instant, without a look at those that all ended before."""
        place = bisect_right(self._starts, at)
        found = []
        while place and self._last_ends[place - 1] > at:
            place -= 1
            if self._sorted[place].ends_at > at:
                found.append(self._sorted[place])
        return found[::-1]
