"""Undo a change of incidents within seconds, unless somebody changed them meanwhile."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.core import signing
from django.utils.translation import gettext as _

from core.errors import Conflict, DomainError, StaleVersion
from core.severity import Priority, Severity
from core.text.sentences import Sentence
from incidents import services
from incidents.models import Incident, Origin
from incidents.permissions import can_work_on
from incidents.vocabulary import Status
from responders.models import Team
from users.models import User

ACCEPTED_SECONDS = 15
SALT = "console.undo"
COLUMNS = ("id", "version", "status", "severity", "priority", "is_priority_given", "team_id", "assignee_id")
OPEN, ACKNOWLEDGED, IN_PROGRESS, ON_HOLD = Status.OPEN, Status.ACKNOWLEDGED, Status.IN_PROGRESS, Status.ON_HOLD
# The lifecycle has no way back from an acknowledgement: it stopped the paging already.
WAYS_BACK: dict[tuple[str, str], tuple[str, ...]] = {
    (Status.RESOLVED, OPEN): (OPEN,),
    (Status.RESOLVED, ACKNOWLEDGED): (OPEN, ACKNOWLEDGED),
    (Status.RESOLVED, IN_PROGRESS): (OPEN, IN_PROGRESS),
    (Status.RESOLVED, ON_HOLD): (OPEN, IN_PROGRESS, ON_HOLD),
    (ON_HOLD, IN_PROGRESS): (IN_PROGRESS,),
    (IN_PROGRESS, ON_HOLD): (ON_HOLD,),
    (OPEN, Status.RESOLVED): (Status.RESOLVED,),
    (OPEN, Status.CLOSED): (Status.RESOLVED, Status.CLOSED),
}

UNDONE = Sentence("Undone by %(name)s.")


@dataclass(frozen=True)
class Snapshot:
    """What can be set back, as it was before a change."""

    incident: int
    version: int
    status: str
    severity: int
    priority: int | None
    team: int | None
    assignee: int | None


@dataclass(frozen=True)
class Change:
    """A change that can be undone: the incident's version after it, and what to set back."""

    incident: int
    version: int
    fields: Mapping[str, int | None] = field(default_factory=dict)
    statuses: Sequence[str] = ()


@dataclass(frozen=True)
class Undone:
    """The result for one incident; `error` says why nothing was undone."""

    incident: int
    error: DomainError | None = None


def snapshots(ids: Collection[int]) -> dict[int, Snapshot]:
    """Return incidents as they stand, by number; one query."""
    rows = Incident.objects.filter(pk__in=ids).order_by().values(*COLUMNS) if ids else ()
    return {row["id"]: _snapshot(row) for row in rows}


def snapshot(incident: Incident) -> Snapshot:
    return _snapshot({name: getattr(incident, name) for name in COLUMNS})


def _snapshot(row: Mapping[str, Any]) -> Snapshot:
    return Snapshot(
        incident=row["id"],
        version=row["version"],
        status=row["status"],
        severity=row["severity"],
        priority=row["priority"] if row["is_priority_given"] else None,
        team=row["team_id"],
        assignee=row["assignee_id"],
    )


def change_between(before: Snapshot, after: Snapshot, user: User) -> Change | None:
    """Return what `user` can undo; None if that is nothing."""
    names = ("severity", "priority", "team", "assignee")
    was = {name: getattr(before, name) for name in names if getattr(before, name) != getattr(after, name)}
    statuses = WAYS_BACK.get((after.status, before.status), ())
    if before.version == after.version or not (was or statuses) or not can_work_on(user, after.team):
        return None
    return Change(after.incident, after.version, was, tuple(map(str, statuses)))


def changes_since(
    before: Mapping[int, Snapshot], user: User, *, versions: Mapping[int, int] | None = None
) -> list[Change]:
    """Return what was changed since and can be undone; one query.

    `versions` are those that the caller's own change left: incidents that have others were changed by somebody else.
    """
    after = snapshots(before)
    own = [one for one in after.values() if versions is None or versions.get(one.incident) == one.version]
    found = (change_between(before[one.incident], one, user) for one in own)
    return [change for change in found if change is not None]


def undo_token(changes: Iterable[Change], user: User) -> str:
    """Return a token with which this person can undo the changes for some seconds; "" without any."""
    rows = [[one.incident, one.version, dict(one.fields), list(one.statuses)] for one in changes]
    return signing.dumps([user.pk, rows], salt=SALT, compress=True) if rows else ""


def apply_undo(token: str, user: User) -> list[Undone]:
    """Undo what the token names, each incident by itself; Conflict for a token that is too old or another's."""
    try:
        number, rows = signing.loads(token, salt=SALT, max_age=ACCEPTED_SECONDS)
    except signing.BadSignature:
        number, rows = None, []
    if number != user.pk:
        raise Conflict(_("It is too late to undo this; change it back instead."), code="undo_expired")
    changes = [Change(*row) for row in rows]
    teams = Team.objects.in_bulk(_named(changes, "team"))
    people = User.objects.in_bulk(_named(changes, "assignee"))
    decoders = {
        "severity": Severity,
        "priority": lambda value: None if value is None else Priority(value),
        "team": partial(_row_of, teams),
        "assignee": partial(_row_of, people),
    }
    return [
        _undo(one, {name: decoders[name](value) for name, value in one.fields.items()}, user)  # type: ignore[operator]
        for one in changes
    ]


def _named(changes: Iterable[Change], name: str) -> set[int]:
    return {number for one in changes if (number := one.fields.get(name)) is not None}


def _row_of(rows: Mapping[int, Any], number: int | None) -> Any:
    return None if number is None else rows.get(number)


def _undo(change: Change, fields: dict[str, Any], user: User) -> Undone:
    reference = f"INC-{change.incident}"
    try:
        services.revert(
            change.incident,
            by=user,
            fields=fields,
            statuses=change.statuses,
            note=UNDONE.say(name=user.name),
            origin=Origin.CONSOLE,
            expected_versions=[change.version],
        )
    except StaleVersion:
        message = _("%(incident)s was changed in the meantime; nothing was undone.") % {"incident": reference}
        return Undone(change.incident, Conflict(message, code="changed_meanwhile"))
    except DomainError as error:
        return Undone(change.incident, error)
    return Undone(change.incident)
