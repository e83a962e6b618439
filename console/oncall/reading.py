"""Who is on call, read for the pages: a bounded walk, so that no schedule makes a page hang."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from console.oncall.drawing import series_of
from responders import oncall
from responders.models import HandoverNote, Membership, Schedule, ScheduleOverride, ShiftSwap, SwapState
from responders.oncall import FeedSpec, Gap, Rendered, ScheduleSpec, Shift, VersionSpec
from responders.permissions import may_cover
from responders.services.handing_over import notes_between
from responders.services.oncall import AROUND, Loaded, OnCall, answers, load, names_of
from users.models import User

MOST = 3000  # changes of a schedule that a page shows
MINE_AHEAD = dt.timedelta(weeks=8)
GAPS_AHEAD = dt.timedelta(days=14)
BESIDE = dt.timedelta(days=14)  # how far beyond a picture the ends of its shifts are looked for
MOST_GAPS, MOST_OFFERS = 8, 20


@dataclass(frozen=True)
class ScheduleNow:
    schedule: Schedule
    now: OnCall
    following: OnCall
    gaps: list[Gap]
    may_cover: bool
    is_mine: bool
    notes: list[HandoverNote]


@dataclass(frozen=True)
class MyShift:
    schedule: Schedule
    starts_at: dt.datetime
    ends_at: dt.datetime
    layer: str
    override: int | None
    is_now: bool
    is_cut: bool  # goes on beyond what is shown
    notes: list[HandoverNote] = field(default_factory=list)


@dataclass(frozen=True)
class Overview:
    schedules: list[ScheduleNow] = field(default_factory=list)
    shifts: list[MyShift] = field(default_factory=list)
    offers: list[ShiftSwap] = field(default_factory=list)
    hidden: int = 0  # schedules of other teams that the filter leaves out

    @property
    def uncovered(self) -> list[ScheduleNow]:
        return [one for one in self.schedules if one.now.gap and one.schedule.announces_gaps]

    @property
    def gaps(self) -> list[tuple[Schedule, Gap]]:
        """The gaps ahead of schedules that announce theirs, the first ones."""
        found = [(one.schedule, gap) for one in self.schedules for gap in one.gaps if one.schedule.announces_gaps]
        return sorted(found, key=lambda pair: pair[1].starts_at)


def overview(viewer: User, now: dt.datetime, *, is_mine_only: bool) -> Overview:
    """Return who is on call everywhere, and when the viewer is."""
    schedules = list(Schedule.objects.active().select_related("team").order_by("name"))
    teams = Membership.objects.team_ids_of(viewer)
    loaded = load([one.pk for one in schedules], now - AROUND, now + MINE_AHEAD)
    shifts = my_shifts(viewer, schedules, loaded, now)
    notes = notes_between([one.pk for one in schedules], now - AROUND, now + MINE_AHEAD) if viewer.is_staff else []
    shifts = [replace(one, notes=_notes_of(one.schedule, notes, one.starts_at, one.ends_at)) for one in shifts]
    ours = {one.pk for one in schedules if one.team_id in teams} | {one.schedule.pk for one in shifts}
    shown = [one for one in schedules if not is_mine_only or one.pk in ours]
    present = answers({one.pk: loaded[one.pk] for one in shown}, now, names_of)
    found = [
        ScheduleNow(
            one,
            *present[one.pk],
            gaps=gaps_ahead(loaded[one.pk].spec, now),
            may_cover=may_cover(viewer, one),
            is_mine=one.pk in ours,
            notes=_notes_of(one, notes, _since(present[one.pk][0], now), now),
        )
        for one in shown
    ]
    return Overview(found, shifts, offers_for(viewer, teams, now), len(schedules) - len(shown))


def _notes_of(
    schedule: Schedule, notes: list[HandoverNote], start: dt.datetime, end: dt.datetime
) -> list[HandoverNote]:
    return [note for note in notes if note.schedule_id == schedule.pk and start <= note.hand_over_at < end]


def _since(present: OnCall, now: dt.datetime) -> dt.datetime:
    return min((one.starts_at for one in present.people if one.starts_at), default=now)


def my_shifts(
    viewer: User, schedules: Sequence[Schedule], loaded: dict[int, Loaded], now: dt.datetime
) -> list[MyShift]:
    """Return somebody's shifts of the coming weeks, in order."""
    found = []
    start, end = now - BESIDE, now + MINE_AHEAD
    for schedule in schedules:
        spec = loaded[schedule.pk].spec
        if not _names(spec, viewer.pk):
            continue
        for shift in oncall.rendered(spec, start, end, MOST).shifts:
            if shift.user_id == viewer.pk and shift.ends_at > now:
                is_now = shift.starts_at <= now
                found.append(MyShift(schedule, *shift[3:5], shift.layer, shift.override, is_now, shift.ends_at == end))
    return sorted(found, key=lambda one: (one.starts_at, one.schedule.name))


def gaps_ahead(spec: ScheduleSpec, now: dt.datetime) -> list[Gap]:
    return oncall.rendered(spec, now, now + GAPS_AHEAD, MOST).gaps


def offers_for(viewer: User, teams: Iterable[int], now: dt.datetime) -> list[ShiftSwap]:
    """Return swaps that wait for somebody to take or approve, as far as they concern the viewer."""
    waiting = ShiftSwap.objects.filter(state__in=[SwapState.OPEN, SwapState.TAKEN], ends_at__gt=now)
    rows = waiting.select_related("schedule", "requester", "taker").order_by("starts_at")
    if not viewer.is_admin:
        rows = rows.filter(schedule__team__in=list(teams)) | rows.filter(requester=viewer)
    return list(rows.distinct()[:MOST_OFFERS])


@dataclass(frozen=True)
class Calendar:
    """What a schedule's calendar shows: the result, and each layer by itself."""

    rendered: Rendered
    spec: ScheduleSpec
    names: dict[int, str]
    end: dt.datetime
    lines: list[tuple[str, Rendered]] = field(default_factory=list)

    @property
    def is_cut(self) -> bool:
        return self.rendered.until < self.end


def calendar_of(schedule: Schedule, start: dt.datetime, end: dt.datetime, *, with_layers: bool = False) -> Calendar:
    """Return a schedule's shifts and gaps within a time, with the ends that they have beyond it."""
    spec = load([schedule.pk], start - BESIDE, end + BESIDE)[schedule.pk].spec
    found = _rendered(spec, start, end)
    lines = [(name, _rendered(alone(spec, name), start, end)) for name in layer_names(spec, end)] if with_layers else []
    people = {shift.user_id for one in (found, *(line for _name, line in lines)) for shift in one.shifts}
    return Calendar(found, spec, names_of(people), end, lines)


def layer_names(spec: ScheduleSpec, end: dt.datetime) -> list[str]:
    """Return the layers' names, the one that wins first."""
    versions = [one for one in spec.versions if one.effective_from < end]
    names = dict.fromkeys(layer.name for version in versions for layer in version.layers)
    return list(reversed(names))


def alone(spec: ScheduleSpec, name: str) -> ScheduleSpec:
    """Return a schedule of which only one layer is left."""
    versions = tuple(
        VersionSpec(version.effective_from, tuple(layer for layer in version.layers if layer.name == name))
        for version in spec.versions
    )
    overrides = tuple(one for one in spec.overrides if one.layer == name)
    return ScheduleSpec(versions, overrides, spec.known_from, spec.known_until)


def _rendered(spec: ScheduleSpec, start: dt.datetime, end: dt.datetime) -> Rendered:
    wide = oncall.rendered(spec, start - BESIDE, end + BESIDE, MOST)
    if wide.until < end:
        return oncall.rendered(spec, start, end, MOST)
    return Rendered(
        [one for one in wide.shifts if one.ends_at > start and one.starts_at < end],
        [one for one in wide.gaps if one.ends_at > start and one.starts_at < end],
        min(wide.until, end),
    )


def overrides_of(schedule: Schedule, now: dt.datetime) -> list[dict[str, Any]]:
    """Return the overrides that run or are to come, with names."""
    rows = list(
        ScheduleOverride.objects.filter(schedule=schedule, ends_at__gt=now)
        .select_related("created_by")
        .order_by("starts_at", "pk")[:100]
    )
    names = names_of({user for row in rows for user in (*row.add, *row.remove)})
    return [
        {
            "row": row,
            "added": [names.get(user, "") for user in row.add],
            "removed": [names.get(user, "") for user in row.remove],
            "is_running": row.starts_at <= now,
        }
        for row in rows
    ]


def entries_of(calendar: Calendar, now: dt.datetime) -> list[dict[str, Any]]:
    """Return shifts and gaps in one order, as rows of a table."""
    found: list[dict[str, Any]] = [_entry(shift, calendar, now) for shift in calendar.rendered.shifts]
    found += [
        {"starts_at": gap.starts_at, "ends_at": gap.ends_at, "unmatched": gap.unmatched, "is_past": gap.ends_at <= now}
        for gap in calendar.rendered.gaps
    ]
    return sorted(found, key=lambda one: (one["starts_at"], one.get("name", "")))


def _entry(shift: Shift, calendar: Calendar, now: dt.datetime) -> dict[str, Any]:
    return {
        "user_id": shift.user_id,
        "name": calendar.names.get(shift.user_id, ""),
        "starts_at": shift.starts_at,
        "ends_at": shift.ends_at,
        "layer": shift.layer,
        "override": shift.override,
        "series": series_of(shift.user_id),
        "is_past": shift.ends_at <= now,
        "is_now": shift.starts_at <= now < shift.ends_at,
    }


def _names(spec: ScheduleSpec, user_id: int) -> bool:
    if any(user_id in one.add for one in spec.overrides):
        return True
    for version in spec.versions:
        for layer in version.layers:
            if isinstance(layer, FeedSpec):
                if any(user_id in shift.people for shift in layer.shifts):
                    return True
            elif any(user_id in turn for turn in layer.turns):
                return True
    return False
