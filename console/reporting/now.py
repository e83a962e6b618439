"""What the dashboard says of this moment: what nobody has acknowledged, what is due, who is on call."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, Count, F, IntegerField, Q, Sum, Value, When
from django.utils import timezone

from console.reporting.scope import MINE, NONE, Scope
from core.severity import Severity
from incidents.filters import ack_breached, resolve_breached
from incidents.models import Incident, Status
from responders.models import Schedule
from responders.services.oncall import OnCallPerson, on_call
from reviews.models import ActionItem

SOON_MINUTES = 30
MOST_SCHEDULES = 12


@dataclass(frozen=True)
class Tile:
    """A number and the list behind it."""

    count: int
    url: str
    severity: str = ""


@dataclass(frozen=True)
class OnCallNow:
    """A schedule and who is on call for it; nobody in a gap."""

    schedule: Schedule
    people: tuple[OnCallPerson, ...]


@dataclass(frozen=True)
class MyItems:
    """Action items of the viewer that are not finished."""

    count: int
    overdue: int


@dataclass(frozen=True)
class Now:
    """The strip on top of the dashboard."""

    unacknowledged: list[Tile]
    waiting: Tile
    due: Tile
    overdue: Tile
    open: Tile
    on_call: list[OnCallNow]
    has_more_schedules: bool
    at: dt.datetime
    my_items: MyItems | None = None


def now_of(scope: Scope, now: dt.datetime) -> Now:
    """Return the strip; nothing in it is kept from before."""
    counts = _open_counts(scope, now)
    waiting = {severity: counts.get((severity, Status.OPEN), (0, 0, 0))[0] for severity in Severity}
    number, due, overdue = (sum(column) for column in zip(*counts.values(), strict=True)) if counts else (0, 0, 0)
    schedules = list(_schedules(scope)[: MOST_SCHEDULES + 1])
    people = on_call([schedule.pk for schedule in schedules[:MOST_SCHEDULES]], now)
    worst_first = {"ordering": "-severity"}
    return Now(
        [
            Tile(waiting[one], scope.list_url(status="open", severity=one.word), one.word)
            for one in sorted(Severity, reverse=True)
        ],
        Tile(sum(waiting.values()), scope.list_url(status="open", **worst_first)),
        Tile(due, scope.list_url(due_within=str(SOON_MINUTES), **worst_first)),
        Tile(overdue, scope.list_url(is_open="true", breached="any", **worst_first)),
        Tile(number, scope.list_url(is_open="true", **worst_first)),
        [OnCallNow(one, people[one.pk].people) for one in schedules[:MOST_SCHEDULES]],
        len(schedules) > MOST_SCHEDULES,
        now,
        _my_items(scope, now),
    )


def _my_items(scope: Scope, now: dt.datetime) -> MyItems | None:
    """Return what the viewer has agreed to do; None for nothing."""
    mine = ActionItem.objects.visible_to(scope.viewer).filter(owner=scope.viewer).unfinished().order_by()
    late = _count_of(Q(due_on__lt=timezone.localdate(now)))
    found = mine.aggregate(number=Count("pk"), overdue=late)
    return MyItems(found["number"], found["overdue"]) if found["number"] else None


def _open_counts(scope: Scope, now: dt.datetime) -> dict[tuple[int, str], tuple[int, int, int]]:
    """Return how many are open, soon due and overdue, by severity and status."""
    visible = scope.narrowed(Incident.objects.visible_to(scope.viewer)).open().order_by()
    soon = Q(next_breach_at__lte=now + dt.timedelta(minutes=SOON_MINUTES))
    missed = ack_breached(now) | resolve_breached(now)
    found: Any = visible.values_list("severity", "status").annotate(
        number=Count("pk"), due=_count_of(soon), overdue=_count_of(missed)
    )
    return {(severity, status): (number, due, overdue) for severity, status, number, due, overdue in found}


def _count_of(condition: Q) -> Sum:
    return Sum(Case(When(condition, then=Value(1)), default=Value(0), output_field=IntegerField()))


def _schedules(scope: Scope) -> Any:
    schedules = Schedule.objects.active().select_related("team")
    if scope.team == MINE:
        return schedules.filter(team_id__in=scope.my_teams)
    if scope.team == NONE:
        return schedules.filter(team__isnull=True)
    if scope.team:
        return schedules.filter(team_id=int(scope.team))
    return schedules.order_by(F("team__name").asc(nulls_last=True), "name")
