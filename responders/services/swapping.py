"""Shift swaps: somebody asks, a colleague takes, the asker or an administrator approves; then it is an override."""

import datetime as dt
from functools import partial
from typing import Any

from django.utils.translation import gettext as _

from core.actor import acting
from core.db.transactions import unit_of_work
from core.errors import Conflict, DomainError, NotFound, PermissionRefused
from core.text.languages import later
from core.text.moments import shown_in
from core.text.sentences import Sentence
from responders import oncall
from responders.lineups import zone_of
from responders.models import Membership, Schedule, ShiftSwap, SwapState
from responders.notices import Notice, announce
from responders.permissions import require_cover
from responders.services.covering import LEEWAY, store_override
from responders.services.oncall import load
from users.models import User

ASKED = Sentence("%(name)s asks for cover of %(schedule)s")
TAKEN = Sentence("%(name)s would take your shift of %(schedule)s; approve it")


class NotOnShift(Conflict):
    """The person is not on call for the whole time."""

    code = "not_on_shift"
    title = "Not on shift"


@unit_of_work
def ask(
    schedule: Schedule,
    *,
    requester: User,
    starts_at: dt.datetime,
    ends_at: dt.datetime,
    by: User,
    now: dt.datetime,
    comment: str = "",
) -> ShiftSwap:
    """Offer one's shift, or part of it, to the team. Raises NotOnShift, Conflict for the past, PermissionRefused."""
    if by.pk != requester.pk and not by.is_admin:
        raise PermissionRefused(_("Only administrators can ask in somebody else's name."))
    if now - LEEWAY <= starts_at < now:
        starts_at = now
    _refuse_wrong_time(schedule, requester, starts_at, ends_at, now)
    with acting(by):
        swap = ShiftSwap.objects.create(
            schedule=schedule, requester=requester, starts_at=starts_at, ends_at=ends_at, comment=comment
        )
    _tell(swap, "asked", ASKED.say(name=requester.name, schedule=schedule.name), _team_without(schedule, requester))
    return swap


@unit_of_work
def edit_swap(swap: ShiftSwap, *, by: User, now: dt.datetime, fields: dict[str, Any]) -> ShiftSwap:
    """Change time or comment while nobody has taken it. Raises as `ask` does, and Conflict."""
    swap = _locked(swap)
    _require_owner(swap, by)
    _require_state(swap, SwapState.OPEN)
    for name, value in fields.items():
        setattr(swap, name, value)
    if fields.keys() & {"starts_at", "ends_at"}:
        _refuse_wrong_time(swap.schedule, swap.requester, swap.starts_at, swap.ends_at, now)
    with acting(by):
        swap.save(update_fields=[*fields])
    return swap


@unit_of_work
def take(swap: ShiftSwap, *, by: User, now: dt.datetime) -> ShiftSwap:
    """Promise to take the shift. Raises PermissionRefused unless one is in the team, Conflict, NotOnShift."""
    swap = _locked(swap)
    require_cover(by, swap.schedule)
    _require_state(swap, SwapState.OPEN)
    if by.pk == swap.requester_id:
        raise Conflict(_("You cannot take your own shift; withdraw the request instead."), code="own_shift")
    _refuse_wrong_time(swap.schedule, swap.requester, swap.starts_at, swap.ends_at, now)
    swap.taker, swap.state = by, SwapState.TAKEN
    with acting(by):
        swap.save(update_fields=["taker", "state"])
    _tell(swap, "taken", TAKEN.say(name=by.name, schedule=swap.schedule.name), [swap.requester_id])
    return swap


@unit_of_work
def approve(swap: ShiftSwap, *, by: User, now: dt.datetime) -> ShiftSwap:
    """Make it an override. Raises PermissionRefused unless one asked for it or is an administrator, Conflict."""
    swap = _locked(swap)
    _require_owner(swap, by)
    _require_state(swap, SwapState.TAKEN)
    taker = swap.taker
    if taker is None or not taker.is_active:
        raise Conflict(_("Whoever took this shift is no longer active."), code="taker_gone")
    starts_at = max(swap.starts_at, now) if swap.starts_at < now < swap.ends_at else swap.starts_at
    _refuse_wrong_time(swap.schedule, swap.requester, starts_at, swap.ends_at, now)
    swap.override = store_override(
        swap.schedule,
        starts_at=starts_at,
        ends_at=swap.ends_at,
        by=by,
        now=now,
        add=[taker.pk],
        remove=[swap.requester_id],
        comment=f"{taker.name} for {swap.requester.name}"[:200],
    )
    swap.state, swap.approved_by = SwapState.APPROVED, by
    with acting(by):
        swap.save(update_fields=["override", "state", "approved_by"])
    return swap


@unit_of_work
def withdraw(swap: ShiftSwap, *, by: User) -> None:
    """Take a request back. Raises PermissionRefused, Conflict once it is approved."""
    swap = _locked(swap)
    _require_owner(swap, by)
    if swap.state == SwapState.APPROVED:
        raise Conflict(
            _("This swap is approved; delete its override instead."), code="approved", override=swap.override_id
        )
    with acting(by):
        swap.delete()


def _locked(swap: ShiftSwap) -> ShiftSwap:
    list(ShiftSwap.objects.select_for_update().order_by().filter(pk=swap.pk).values_list("pk"))
    current = ShiftSwap.objects.select_related("schedule", "requester", "taker").filter(pk=swap.pk).first()
    if current is None:
        raise NotFound(_("This request was withdrawn."))
    return current


def _require_owner(swap: ShiftSwap, by: User) -> None:
    if by.pk != swap.requester_id and not by.is_admin:
        raise PermissionRefused(_("Only the person who asked and administrators can do this."))


def _require_state(swap: ShiftSwap, state: SwapState) -> None:
    if swap.state != state:
        raise Conflict(
            _("This swap is %(state)s.") % {"state": swap.get_state_display().lower()},
            code="wrong_state",
            state=swap.state,
        )


def _refuse_wrong_time(
    schedule: Schedule, requester: User, starts_at: dt.datetime, ends_at: dt.datetime, now: dt.datetime
) -> None:
    if ends_at <= starts_at:
        raise DomainError(_("A swap must end after it begins."), field="to")
    if starts_at < now:
        raise Conflict(
            _("%(starts_at)s UTC has passed.") % {"starts_at": f"{starts_at:%Y-%m-%d %H:%M}"},
            field="from",
            code="in_the_past",
        )
    spec = load([schedule.pk], starts_at, ends_at)[schedule.pk].spec
    if any(requester.pk not in segment.people for segment in oncall.segments(spec, starts_at, ends_at)):
        raise NotOnShift(
            _("%(requester)s is not on call for %(schedule)s all this time.")
            % {"requester": requester.name, "schedule": schedule.name},
            field="from",
        )


def _team_without(schedule: Schedule, user: User) -> list[int]:
    members = Membership.objects.filter(team=schedule.team_id, user__is_active=True).exclude(user=user)
    return list(members.order_by("user").values_list("user", flat=True))


def _tell(swap: ShiftSwap, step: str, title: str, users: list[int]) -> None:
    if users:
        announce(
            Notice(
                key=f"swap:{swap.pk}:{step}",
                kind="swap",
                title=title,
                body=later(partial(_body, swap)),
                users=users,
                path="/on-call/swaps/",
            )
        )


def _body(swap: ShiftSwap) -> str:
    zone = zone_of(swap.schedule.time_zone)
    times = {"start": shown_in(swap.starts_at, zone, "full"), "end": shown_in(swap.ends_at, zone, "full")}
    period = _("%(start)s to %(end)s, %(zone)s.") % {**times, "zone": zone}
    return f"{period} {swap.comment}".strip()
