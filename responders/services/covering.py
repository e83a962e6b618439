"""Overrides: what people arrange on top of a line-up. What has begun is never changed."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _

from core.actor import acting
from core.db.transactions import unit_of_work
from core.errors import Conflict, DomainError, NotFound
from core.text.sentences import Sentence
from responders import oncall
from responders.models import Schedule, ScheduleOverride
from responders.oncall import Difference, OverrideSpec
from responders.permissions import require_cover
from responders.services.lineups import tell_affected, touch
from responders.services.oncall import spec_of
from users.models import User

LEEWAY = dt.timedelta(minutes=5)  # clocks differ
LONGEST = dt.timedelta(days=366)

DEACTIVATED = Sentence("%(name)s was deactivated.")


@unit_of_work
def add_override(
    schedule: Schedule, *, starts_at: dt.datetime, ends_at: dt.datetime, by: User, now: dt.datetime, **fields: Any
) -> ScheduleOverride:
    """Put an override on top and tell those affected. Raises PermissionRefused, Conflict for the past, DomainError."""
    require_cover(by, schedule)
    return store_override(schedule, starts_at=starts_at, ends_at=ends_at, by=by, now=now, **fields)


def store_override(
    schedule: Schedule, *, starts_at: dt.datetime, ends_at: dt.datetime, by: User, now: dt.datetime, **fields: Any
) -> ScheduleOverride:
    """Put an override on top, whoever asked for it."""
    _lock(schedule)
    if now - LEEWAY <= starts_at < now:
        starts_at = now
    _refuse_past(starts_at, now, "from")
    _check(schedule, starts_at, ends_at, fields)
    row = ScheduleOverride(schedule=schedule, starts_at=starts_at, ends_at=ends_at, created_by=by, **fields)
    before = spec_of(schedule.pk, starts_at, ends_at)
    with acting(by):
        row.save()
    _settle(schedule, before, now, by, row)
    return row


@unit_of_work
def edit_override(row: ScheduleOverride, *, by: User, now: dt.datetime, fields: dict[str, Any]) -> ScheduleOverride:
    """Change an override to come, or the end of a running one. Raises as `add_override` does."""
    require_cover(by, row.schedule)
    _lock(row.schedule)
    row = _current(row)
    _refuse_past(row.ends_at, now, "to")
    changed = {name: value for name, value in fields.items() if getattr(row, name) != value}
    if row.starts_at <= now and changed.keys() - {"ends_at", "comment"}:
        raise Conflict(_("This override is running: only its end can change. Put another one on top."), code="running")
    for name in ("starts_at", "ends_at"):
        if name in changed:
            _refuse_past(changed[name], now, {"starts_at": "from", "ends_at": "to"}[name])
    start, end = (
        min(row.starts_at, changed.get("starts_at", row.starts_at)),
        max(row.ends_at, changed.get("ends_at", row.ends_at)),
    )
    before = spec_of(row.schedule_id, start, end)
    for name, value in changed.items():
        setattr(row, name, value)
    _check(row.schedule, row.starts_at, row.ends_at, {name: getattr(row, name) for name in CHECKED})
    if changed:
        with acting(by):
            row.save(update_fields=[*changed])
        _settle(row.schedule, before, now, by, row)
    return row


@unit_of_work
def remove_override(row: ScheduleOverride, *, by: User, now: dt.datetime) -> None:
    """Delete an override to come; a running one ends now. Raises PermissionRefused, Conflict for a past one."""
    require_cover(by, row.schedule)
    _lock(row.schedule)
    row = _current(row)
    _refuse_past(row.ends_at, now, "to")
    before = spec_of(row.schedule_id, row.starts_at, row.ends_at)
    with acting(by):
        if row.starts_at < now:
            row.ends_at = now
            row.save(update_fields=["ends_at"])
            _settle(row.schedule, before, now, by, row)
            return
        key = row.pk
        row.delete()
        row.pk = key
    _settle(row.schedule, before, now, by, row)


CHECKED = ("add", "remove", "layer", "is_everybody")


def _check(schedule: Schedule, starts_at: dt.datetime, ends_at: dt.datetime, fields: dict[str, Any]) -> None:
    if ends_at <= starts_at:
        raise DomainError(_("An override must end after it begins."), field="to")
    if ends_at - starts_at > LONGEST:
        raise DomainError(_("An override is at most a year long; change the line-up instead."), field="to")
    if not (fields.get("add") or fields.get("remove") or fields.get("is_everybody")):
        raise DomainError(_("Name whom to add or remove; `everybody: true` leaves nobody on call."), field="add")
    if both := set(fields.get("add", ())) & set(fields.get("remove", ())):
        raise DomainError(_("%(name)s is both added and removed.") % {"name": min(both)}, field="remove")
    if (layer := fields.get("layer")) and layer not in _layer_names(schedule, ends_at):
        raise DomainError(
            _("%(schedule)s has no layer %(layer)s.") % {"schedule": schedule.name, "layer": layer}, field="layer"
        )


def _layer_names(schedule: Schedule, until: dt.datetime) -> set[str]:
    versions = schedule.versions.filter(effective_from__lt=until).values_list("layers", flat=True)
    return {layer["name"] for layers in versions for layer in layers}


def _refuse_past(moment: dt.datetime, now: dt.datetime, field: str) -> None:
    if moment <= now and (field == "to" or moment < now):
        raise Conflict(
            _("%(moment)s UTC has passed; who was on call is not changed.") % {"moment": f"{moment:%Y-%m-%d %H:%M}"},
            field=field,
            code="in_the_past",
        )


def _current(row: ScheduleOverride) -> ScheduleOverride:
    current = ScheduleOverride.objects.select_related("schedule").filter(pk=row.pk).first()
    if current is None:
        raise NotFound(_("This override was deleted."))
    return current


def _lock(schedule: Schedule) -> None:
    Schedule.objects.select_for_update().get(pk=schedule.pk)


def _settle(schedule: Schedule, before: oncall.ScheduleSpec, now: dt.datetime, by: User, row: ScheduleOverride) -> None:
    """Count the change and tell those affected."""
    touch(schedule, now)
    start, end = max(before.known_from, now), before.known_until
    after = spec_of(schedule.pk, before.known_from, end)
    moved = oncall.differences(before, after, start, end) if start < end else []
    tell_affected(schedule, moved, key=f"override:{row.pk}:{schedule.revision}", by=by)


def without_person(schedule: Schedule, user: User, *, now: dt.datetime, by: User | None) -> bool:
    """Take somebody out of running overrides and those to come, by one on top; return whether any had them."""
    rows = schedule.overrides.filter(ends_at__gt=now).order_by("pk")
    ends = [row.ends_at for row in rows if user.pk in row.add]
    if ends:
        with acting(by):
            ScheduleOverride.objects.create(
                schedule=schedule,
                starts_at=now,
                ends_at=max(ends),
                remove=[user.pk],
                created_by=by,
                comment=DEACTIVATED.say(name=user.name)[:200],
            )
    return bool(ends)


def lost_shifts(spec: oncall.ScheduleSpec, user_id: int, start: dt.datetime, end: dt.datetime) -> Iterable[Difference]:
    """Return when somebody's absence would change who is on call."""
    gone = OverrideSpec(2**63, start, end, remove=(user_id,))
    return oncall.differences(spec, replace(spec, overrides=(*spec.overrides, gone)), start, end)
