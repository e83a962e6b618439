"""Who is on call, for everything that asks; docs/oncall.md states the rules."""

import datetime as dt
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import NamedTuple

from responders.oncall.feeds import FeedSpec
from responders.oncall.layers import LayerSegment, LayerSpec
from responders.oncall.walltime import DAWN, DUSK, TICK


class OverrideSpec(NamedTuple):
    """`is_everybody` removes all; higher ids are newer."""

    id: int
    starts_at: dt.datetime
    ends_at: dt.datetime
    layer: str = ""
    add: tuple[int, ...] = ()
    remove: tuple[int, ...] = ()
    is_everybody: bool = False


class VersionSpec(NamedTuple):
    """A line-up and when it takes effect."""

    effective_from: dt.datetime
    layers: tuple[LayerSpec | FeedSpec, ...]


class Reason(NamedTuple):
    """A layer, and the id of the override that added them, if one did."""

    layer: str
    override: int | None = None


class Segment(NamedTuple):
    """People and why, unchanged from `since` until `until`."""

    people: dict[int, Reason]
    since: dt.datetime
    until: dt.datetime
    unmatched: tuple[str, ...] = ()


class Shift(NamedTuple):
    user_id: int
    layer: str
    override: int | None
    starts_at: dt.datetime
    ends_at: dt.datetime


class Gap(NamedTuple):
    starts_at: dt.datetime
    ends_at: dt.datetime
    unmatched: tuple[str, ...] = ()


@dataclass(frozen=True)
class ScheduleSpec:
    """All that decides who is on call; times are UTC, versions in order."""

    versions: tuple[VersionSpec, ...] = ()
    overrides: tuple[OverrideSpec, ...] = ()
    # Overrides are known within these.
    known_from: dt.datetime = field(default=DAWN)
    known_until: dt.datetime = field(default=DUSK)

    @cached_property
    def version_starts(self) -> list[dt.datetime]:
        return [version.effective_from for version in self.versions]

    @cached_property
    def override_edges(self) -> list[dt.datetime]:
        return sorted({edge for one in self.overrides for edge in (one.starts_at, one.ends_at)})

    @cached_property
    def _active_overrides(self) -> dict[int, tuple[OverrideSpec, ...]]:
        return {}

    def overrides_at(self, place: int) -> tuple[OverrideSpec, ...]:
        """Return the overrides that hold after so many edges, oldest first."""
        if not 0 < place < len(self.override_edges):
            return ()
        if place not in self._active_overrides:
            begins = self.override_edges[place - 1]
            active = [one for one in self.overrides if one.starts_at <= begins < one.ends_at]
            self._active_overrides[place] = tuple(sorted(active))
        return self._active_overrides[place]


Known = dict[tuple[int, int], LayerSegment]


def people_at(spec: ScheduleSpec, at: dt.datetime, known: Known | None = None) -> Segment:
    """Return who is on call and why, and while nothing changes.

    A walk passes the same `known` on, so that it asks only layers that have changed.
    """
    number = bisect_right(spec.version_starts, at)
    since = spec.version_starts[number - 1] if number else DAWN
    until = spec.version_starts[number] if number < len(spec.versions) else DUSK
    if not number:
        return Segment({}, since, until)
    place = bisect_right(spec.override_edges, at)
    overrides = spec.overrides_at(place)
    if place:
        since = max(since, spec.override_edges[place - 1])
    if place < len(spec.override_edges):
        until = min(until, spec.override_edges[place])
    people: dict[int, Reason] = {}
    unmatched: tuple[str, ...] = ()
    layers = spec.versions[number - 1].layers
    for place in range(len(layers) - 1, -1, -1):
        segment = _layer_at(layers[place], at, (number, place), known)
        since = segment.since if segment.since > since else since
        until = segment.until if segment.until < until else until
        unmatched += segment.unmatched
        if segment.people or overrides:
            name = layers[place].name
            people = _overridden({user: Reason(name) for user in segment.people}, overrides, name)
            if people:
                break
    return Segment(_overridden(people, overrides, ""), since, until, unmatched)


def _layer_at(layer: LayerSpec | FeedSpec, at: dt.datetime, key: tuple[int, int], known: Known | None) -> LayerSegment:
    if known is None:
        return layer.segment(at)
    held = known.get(key)
    if held is None or not held.since <= at < held.until:
        held = known[key] = layer.segment(at)
    return held


def _overridden(people: dict[int, Reason], overrides: tuple[OverrideSpec, ...], layer: str) -> dict[int, Reason]:
    for one in overrides:
        if one.layer == layer:
            if one.is_everybody:
                people = {}
            people = {user: why for user, why in people.items() if user not in one.remove}
            people |= {user: Reason(layer, one.id) for user in one.add if user not in people}
    return people


def segments(spec: ScheduleSpec, start: dt.datetime, end: dt.datetime) -> Iterator[Segment]:
    known: Known = {}
    while start < end:
        segment = people_at(spec, start, known)
        yield segment._replace(since=start, until=min(segment.until, end))
        start = segment.until


def shifts(spec: ScheduleSpec, start: dt.datetime, end: dt.datetime) -> list[Shift]:
    """Return shifts in order; another reason is another shift."""
    return _shifts_of(segments(spec, start, end), end)


def gaps(spec: ScheduleSpec, start: dt.datetime, end: dt.datetime) -> list[Gap]:
    """Return when nobody is on call, from the first line-up on."""
    if not spec.versions:
        return []
    return _gaps_of(segments(spec, max(start, spec.version_starts[0]), end))


class Rendered(NamedTuple):
    """Shifts and gaps of a time; `until` is earlier than asked if it changes too often to be shown whole."""

    shifts: list[Shift]
    gaps: list[Gap]
    until: dt.datetime


def rendered(spec: ScheduleSpec, start: dt.datetime, end: dt.datetime, most: int) -> Rendered:
    """Return shifts and gaps, by one walk of at most so many segments."""
    walk = list(islice(segments(spec, start, end), most))
    until = walk[-1].until if walk else end
    first = spec.version_starts[0] if spec.versions else end
    late = [one._replace(since=max(one.since, first)) for one in walk if one.until > first]
    return Rendered(_shifts_of(walk, until), _gaps_of(late), until)


def _shifts_of(walk: Iterable[Segment], end: dt.datetime) -> list[Shift]:
    found: list[Shift] = []
    running: dict[int, tuple[Reason, dt.datetime]] = {}
    for segment in walk:
        for user, (why, began) in list(running.items()):
            if segment.people.get(user) != why:
                found.append(Shift(user, *why, began, segment.since))
                del running[user]
        for user, why in segment.people.items():
            running.setdefault(user, (why, segment.since))
    found += [Shift(user, *why, began, end) for user, (why, began) in running.items()]
    return sorted(found, key=lambda shift: (shift.starts_at, shift.user_id, shift.ends_at))


def _gaps_of(walk: Iterable[Segment]) -> list[Gap]:
    found: list[Gap] = []
    for segment in walk:
        if segment.people:
            continue
        if found and found[-1].ends_at == segment.since:
            names = dict.fromkeys((*found[-1].unmatched, *segment.unmatched))
            found[-1] = Gap(found[-1].starts_at, segment.until, tuple(names))
        else:
            found.append(Gap(segment.since, segment.until, segment.unmatched))
    return found


def shift_of(spec: ScheduleSpec, user: int, segment: Segment) -> tuple[dt.datetime | None, dt.datetime | None]:
    """Return the ends of the shift that somebody has in a segment; None beyond the known time."""
    why = segment.people[user]
    first = last = segment
    known: Known = {}
    while first.since > spec.known_from:
        before = people_at(spec, first.since - TICK, known)
        if before.people.get(user) != why:
            break
        first = before
    while last.until < spec.known_until:
        after = people_at(spec, last.until, known)
        if after.people.get(user) != why:
            break
        last = after
    return (
        first.since if first.since > spec.known_from else None,
        last.until if last.until < spec.known_until else None,
    )


def next_people(spec: ScheduleSpec, segment: Segment) -> Segment | None:
    """Return the next segment with other people; None beyond the known time."""
    known: Known = {}
    while segment.until < spec.known_until:
        following = people_at(spec, segment.until, known)
        if following.people and following.people.keys() != segment.people.keys():
            return following
        segment = following._replace(people=segment.people)
    return None


def hand_overs_after(version: VersionSpec, at: dt.datetime, names: Collection[str]) -> list[dt.datetime]:
    """Return the next hand-over of each of the named layers in which people take turns."""
    layers = [one for one in version.layers if isinstance(one, LayerSpec) and one.name in names]
    return [layer.next_hand_over(at) for layer in layers if len(set(layer.turns)) > 1]
