"""Schedules and the versions of their line-ups: what has begun never changes."""

import datetime as dt
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from core.actor import acting
from core.db.transactions import unit_of_work
from core.errors import Conflict, DomainError, StaleVersion
from core.text.languages import later
from core.text.moments import shown_in
from core.text.sentences import Sentence
from responders import oncall
from responders.lineups import continued, layer_spec, zone_of
from responders.models import Schedule, ScheduleVersion, Team
from responders.notices import Notice, announce
from responders.oncall import Difference, FeedSpec, LayerSpec, ScheduleSpec, VersionSpec
from responders.services.oncall import HORIZON, names_of, spec_of
from users.models import User

Layers = list[dict[str, Any]]
MOST_TOLD = 5  # shifts of a person

CHANGED = Sentence("Your shifts of %(schedule)s change")


@dataclass(frozen=True)
class LineUpChange:
    """When a change takes effect, with which layers, and whose shifts it moves."""

    effective_from: dt.datetime
    layers: Layers
    difference: list[Difference]


@unit_of_work
def create_schedule(
    *,
    name: str,
    now: dt.datetime,
    by: User | None,
    team: Team | None = None,
    time_zone: str = "UTC",
    layers: Sequence[Mapping[str, Any]] = (),
    **fields: Any,
) -> Schedule:
    """Create a schedule; `layers` are as the API's LayerSerializer returns them."""
    schedule = Schedule(name=name, team=team, time_zone=time_zone, **fields)
    schedule.clean()
    with acting(by):
        schedule.save()
    plain: Layers = [{**layer, "first_turn": layer.get("first_turn") or 0} for layer in layers]
    starts = [_start(layer, time_zone) for layer in plain if not layer.get("calendar")]
    default = min(starts, default=now)
    for moment, line_up in _by_moment(plain, {}, default):
        insert_version(schedule, moment, time_zone, line_up, by)
    link_versions(schedule)
    return schedule


def preview_line_up(
    schedule: Schedule, layers: Sequence[Mapping[str, Any]], *, time_zone: str, now: dt.datetime
) -> LineUpChange:
    """Return what a change would do. Raises Conflict for a time that has passed."""
    change, _ = _planned(schedule, layers, time_zone, now)
    return change


@unit_of_work
def change_line_up(
    schedule: Schedule,
    layers: Sequence[Mapping[str, Any]],
    *,
    time_zone: str,
    now: dt.datetime,
    by: User | None,
    expected: str | None = None,
) -> LineUpChange:
    """Store a new version and tell those whose shifts it moves.

    Raises Conflict for a time that has passed, StaleVersion if `fingerprint` is not the `expected` one any more.
    """
    Schedule.objects.select_for_update().get(pk=schedule.pk)
    if expected is not None and fingerprint(schedule) != expected:
        raise StaleVersion(_("Somebody else changed these layers in the meantime."))
    change, line_ups = _planned(schedule, layers, time_zone, now)
    for moment, line_up in line_ups:
        schedule.versions.filter(effective_from__gte=moment).delete()  # what was planned from then on
        version = insert_version(schedule, moment, time_zone, line_up, by)
    link_versions(schedule)
    touch(schedule, now)
    tell_affected(schedule, change.difference, key=f"line-up:{version.pk}", by=by)
    return change


def current_version(schedule: Schedule, at: dt.datetime) -> ScheduleVersion | None:
    return schedule.versions.filter(effective_from__lte=at).order_by("-effective_from").first()


def newest_version(schedule: Schedule) -> ScheduleVersion | None:
    return schedule.versions.order_by("-effective_from").first()


def fingerprint(schedule: Schedule) -> str:
    """Return what tells the newest line-up from every other."""
    newest = newest_version(schedule)
    if newest is None:
        return "none"
    text = json.dumps([newest.effective_from.isoformat(), newest.time_zone, newest.layers], sort_keys=True)
    return f"{newest.pk}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def planned_spec(
    schedule: Schedule, change: LineUpChange, *, time_zone: str, start: dt.datetime, end: dt.datetime
) -> ScheduleSpec:
    """Return what would decide who is on call after a change."""
    return _with_line_ups(spec_of(schedule.pk, start, end), [(change.effective_from, change.layers)], time_zone)


def touch(schedule: Schedule, now: dt.datetime) -> None:
    """Count a change of who is on call."""
    schedule.refresh_from_db(fields=["revision"])
    schedule.revision += 1
    schedule.changed_at = now
    Schedule.objects.filter(pk=schedule.pk).update(revision=schedule.revision, changed_at=now)


def tell_affected(schedule: Schedule, difference: Sequence[Difference], *, key: str, by: User | None) -> None:
    """Announce to each person which of their shifts moved, by the schedule's clocks."""
    moved: dict[int, list[Difference]] = {}
    for one in difference:
        for user in one.affected - {by.pk if by is not None else None}:
            moved.setdefault(user, []).append(one)
    told = {user: some[:MOST_TOLD] for user, some in moved.items()}
    names = names_of({user for some in told.values() for one in some for user in (*one.was, *one.will_be)})
    zone = zone_of(schedule.time_zone)
    for user, some in told.items():
        more = len(moved[user]) - len(some)
        announce(
            Notice(
                key=f"{key}:{user}",
                kind="line_up",
                title=CHANGED.say(schedule=schedule.name),
                body=later(partial(_moves, some, more, names, zone)),
                users=(user,),
                path=f"/on-call/{schedule.pk}/",
            )
        )


def _moves(some: Sequence[Difference], more: int, names: Mapping[int, str], zone: ZoneInfo) -> str:
    lines = [_moved(one, names, zone) for one in some]
    if more:
        lines.append(_("… and %(count)d more.") % {"count": more})
    return "\n".join([*lines, _("Times are in %(zone)s.") % {"zone": zone}])


def _moved(one: Difference, names: Mapping[int, str], zone: ZoneInfo) -> str:
    was, will_be = (", ".join(names.get(key, "") for key in keys) or _("nobody") for keys in (one.was, one.will_be))
    times = {"start": shown_in(one.starts_at, zone, "full"), "end": shown_in(one.ends_at, zone, "full")}
    return _("%(start)s to %(end)s: was %(was)s, will be %(will_be)s.") % {**times, "was": was, "will_be": will_be}


def _planned(
    schedule: Schedule, layers: Sequence[Mapping[str, Any]], time_zone: str, now: dt.datetime
) -> tuple[LineUpChange, list[tuple[dt.datetime, Layers]]]:
    present = current_version(schedule, now)
    given = [_without_echo(layer, present) for layer in layers]
    default = _default_moment(schedule, present, given, now)
    chosen = min((layer["effective_from"] for layer in given if layer.get("effective_from")), default=default)
    if chosen < now:
        raise Conflict(
            _("%(chosen)s UTC has passed; a line-up changes from a hand-over to come.")
            % {"chosen": f"{chosen:%Y-%m-%d %H:%M}"},
            field="effective_from",
            code="in_the_past",
        )
    base = current_version(schedule, chosen)
    old = {layer["name"]: layer for layer in base.layers} if base else {}
    plain = [continued(dict(layer), old.get(layer["name"]), time_zone, chosen) for layer in given]
    line_ups = _by_moment(plain, old, default)
    difference = _difference(schedule, line_ups, time_zone)
    return LineUpChange(line_ups[0][0], line_ups[-1][1], difference), line_ups


def _without_echo(layer: Mapping[str, Any], present: ScheduleVersion | None) -> Mapping[str, Any]:
    """Take the time of the version in force, as it was read, for none."""
    is_echo = present is not None and layer.get("effective_from") == present.effective_from
    return {**layer, "effective_from": None} if is_echo else layer


def _default_moment(
    schedule: Schedule, present: ScheduleVersion | None, layers: Sequence[Mapping[str, Any]], now: dt.datetime
) -> dt.datetime:
    """Return when a planned version begins, else the next hand-over of what changes, else of any layer, else now."""
    newest = newest_version(schedule)
    if newest is not None and newest.effective_from > now:
        return newest.effective_from
    if present is None:
        return now
    new = {layer["name"]: layer for layer in layers}
    changed = [layer["name"] for layer in present.layers if not _is_same(layer, new.get(layer["name"]))]
    specs = tuple(layer_spec(one, present.time_zone, {}) for one in present.layers)
    version = VersionSpec(present.effective_from, specs)
    for names in (changed, [layer["name"] for layer in present.layers]):
        if found := oncall.hand_overs_after(version, now, names):
            return min(found)
    return now


def _is_same(old: Mapping[str, Any], new: Mapping[str, Any] | None) -> bool:
    return new is not None and all(new.get(name) == value for name, value in old.items() if name != "first_turn")


def _by_moment(
    layers: Layers, old: Mapping[str, Mapping[str, Any]], default: dt.datetime
) -> list[tuple[dt.datetime, Layers]]:
    """Return a line-up for each time at which layers take effect; until then, their predecessors stay."""
    moments = [layer.pop("effective_from", None) or default for layer in layers]
    found = []
    for moment in sorted(set(moments)) or [default]:
        line_up = [
            layer if since <= moment else dict(old[layer["name"]])
            for layer, since in zip(layers, moments, strict=True)
            if since <= moment or layer["name"] in old
        ]
        found.append((moment, line_up))
    return found


def _difference(schedule: Schedule, line_ups: Sequence[tuple[dt.datetime, Layers]], time_zone: str) -> list[Difference]:
    start = line_ups[0][0]
    end = start + HORIZON
    before = spec_of(schedule.pk, start, end)
    return oncall.differences(before, _with_line_ups(before, line_ups, time_zone), start, end)


def _with_line_ups(
    before: ScheduleSpec, line_ups: Sequence[tuple[dt.datetime, Layers]], time_zone: str
) -> ScheduleSpec:
    feeds = _feeds(before)
    new = {
        moment: VersionSpec(moment, tuple(layer_spec(one, time_zone, feeds) for one in some))
        for moment, some in line_ups
    }
    versions = {one.effective_from: one for one in before.versions if one.effective_from < line_ups[0][0]} | new
    return replace(before, versions=tuple(versions[moment] for moment in sorted(versions)))


def _feeds(spec: ScheduleSpec) -> dict[int, Any]:
    layers = (layer for version in spec.versions for layer in version.layers)
    return {layer.calendar: layer.shifts for layer in layers if isinstance(layer, FeedSpec)}


def _start(layer: Mapping[str, Any], time_zone: str) -> dt.datetime:
    spec = layer_spec(layer, time_zone, {})
    assert isinstance(spec, LayerSpec)  # noqa: S101 (a calendar has no start)
    return spec.start


def insert_version(
    schedule: Schedule, moment: dt.datetime, time_zone: str, layers: Layers, by: User | None
) -> ScheduleVersion:
    with acting(by):
        return ScheduleVersion.objects.create(
            schedule=schedule, effective_from=moment, time_zone=time_zone, layers=layers, created_by=by
        )


def link_versions(schedule: Schedule) -> None:
    """Have each version end where the next begins."""
    following: dt.datetime | None = None
    for version in schedule.versions.order_by("-effective_from"):
        if version.superseded_at != following:
            ScheduleVersion.objects.filter(pk=version.pk).update(superseded_at=following)
        following = version.effective_from


def refuse_repeated_names(layers: Sequence[Mapping[str, Any]]) -> None:
    """Raise DomainError if two layers have one name: overrides could not tell them apart."""
    names = [layer["name"].casefold() for layer in layers]
    if repeated := next((name for name in names if names.count(name) > 1), None):
        raise DomainError(
            _("Two layers are called %(repeated)s; give each its own name.") % {"repeated": repeated},
            field="layers",
            code="unique",
        )
