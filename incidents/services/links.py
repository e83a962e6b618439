"""Link incidents."""

import datetime as dt

from django.utils.translation import gettext as _

from core.db.transactions import unit_of_work
from core.errors import Conflict, DomainError, NotFound
from incidents.actors import By
from incidents.models import EventKind, Incident, IncidentLink, LinkKind, Origin, Status, Subscription, Visibility
from incidents.permissions import can_grant, require_grant, require_work, users_gaining_access
from incidents.services.lifecycle import move_to
from incidents.services.recording import ChangeContext, IncidentChange, lock, save_all
from users.models import User


@unit_of_work
def link(
    incident: Incident,
    target: Incident,
    kind: str,
    *,
    by: By,
    grants_access: bool = False,
    origin: str = Origin.API,
    at: dt.datetime | None = None,
) -> IncidentLink:
    """Link an incident to another. A duplicate is resolved; its followers follow the original.

    Followers who would gain access stay behind unless `grants_access`. Raises PermissionRefused, and Conflict for an
    existing link or a circle.
    """
    if incident.pk == target.pk:
        raise DomainError(_("An incident cannot be linked to itself."), field="target")
    incident, target = _locked(incident, target)
    require_work(by, incident)
    if kind == LinkKind.DUPLICATE_OF and target.is_restricted:
        require_work(by, target)
    if kind == LinkKind.DUPLICATE_OF and _leads_to(target, incident):
        raise Conflict(
            _("%(target)s is itself a duplicate of %(incident)s.")
            % {"target": target.reference, "incident": incident.reference}
        )
    context = ChangeContext.now(by, origin, at)
    change, mirrored = IncidentChange(incident, context), IncidentChange(target, context)
    created, is_new = IncidentLink.objects.get_or_create(
        incident=incident,
        target=target,
        kind=kind,
        defaults={"created_by": context.by, "created_at": change.context.at},
    )
    if not is_new:
        raise Conflict(
            _("%(incident)s is already linked to %(target)s in this way.")
            % {"incident": incident.reference, "target": target.reference}
        )
    _add_event(change, EventKind.LINKED, kind, target)
    _add_event(mirrored, EventKind.LINKED, kind, incident, is_from_there=True)
    if kind == LinkKind.DUPLICATE_OF:
        _hand_followers_over(change, mirrored, grants_access=grants_access)
        if incident.is_still_open:
            move_to(change, Status.RESOLVED, note_of_duplicate(target))
    save_all([change, mirrored])
    return created


@unit_of_work
def unlink(incident: Incident, link_id: int, *, by: By, origin: str = Origin.API) -> None:
    """Remove a link; what it caused stays."""
    found = IncidentLink.objects.filter(pk=link_id, incident=incident).select_related("target").first()
    if found is None:
        raise NotFound(_("%(incident)s has no such link.") % {"incident": incident.reference})
    targets = [] if found.target.deleted_at else [found.target]
    incident, *targets = _locked(incident, *targets)
    require_work(by, incident)
    removed, _rows = IncidentLink.objects.filter(pk=link_id).delete()
    if not removed:
        raise NotFound(_("%(incident)s no longer has this link.") % {"incident": incident.reference})
    context = ChangeContext.now(by, origin)
    change = IncidentChange(incident, context)
    _add_event(change, EventKind.UNLINKED, found.kind, found.target)
    mirrored = [IncidentChange(target, context) for target in targets]
    for one in mirrored:
        _add_event(one, EventKind.UNLINKED, found.kind, incident, is_from_there=True)
    save_all([change, *mirrored])


def note_of_duplicate(original: Incident) -> str:
    """Return a duplicate's note, without naming a restricted original."""
    return "Duplicate." if original.is_restricted else f"Duplicate of {original.reference}."


def _add_event(change: IncidentChange, event: EventKind, kind: str, other: Incident, **more: object) -> None:
    """Add the event of a link to `other`, internal where that is restricted."""
    visibility = Visibility.INTERNAL if other.is_restricted else Visibility.PUBLIC
    change.add_event(event, data={"link": str(kind), "incident": other.reference, **more}, visibility=visibility)


def _locked(*incidents: Incident) -> list[Incident]:
    """Lock incidents in order, against deadlocks."""
    rows = {row.pk: lock(row) for row in sorted(incidents, key=lambda row: row.pk)}
    return [rows[row.pk] for row in incidents]


def _leads_to(start: Incident, goal: Incident) -> bool:
    """Return whether `duplicate_of` leads to `goal`, locking on the way against a race."""
    seen: set[int] = set()
    frontier = {start.pk}
    while frontier and goal.pk not in frontier:
        seen |= frontier
        list(Incident.objects.select_for_update().filter(pk__in=frontier).order_by("pk").values_list("pk"))
        links = IncidentLink.objects.filter(incident__in=frontier, kind=LinkKind.DUPLICATE_OF)
        frontier = set(links.values_list("target_id", flat=True)) - seen
    return goal.pk in frontier


def _hand_followers_over(duplicate: IncidentChange, mirrored: IncidentChange, *, grants_access: bool) -> None:
    """Subscribe a duplicate's followers to the original, unless they would gain access."""
    original, by = mirrored.incident, mirrored.context.by
    followers = Subscription.objects.filter(incident=duplicate.incident).select_related("user").order_by("pk")
    present = set(Subscription.objects.filter(incident=original).values_list("user_id", flat=True))
    new = [row.user for row in followers if row.user_id not in present]
    strangers = _strangers(original, new)
    if strangers and grants_access:
        require_grant(by, original, _named(strangers), is_said=True)
    is_open = grants_access or (not original.is_restricted and (by is None or can_grant(by, original)))
    left = [] if is_open else strangers
    for user in [user for user in new if user not in left]:
        Subscription.objects.create(incident=original, user=user, created_at=mirrored.context.at)
        mirrored.add_event(EventKind.SUBSCRIBED, data={"user": _person(user)})
    if left:
        facts = {"users": [_person(user) for user in left]}
        for change, other in ((duplicate, original), (mirrored, duplicate.incident)):
            data = {**facts, "original" if other is original else "duplicate": other.reference}
            change.add_event(EventKind.FOLLOWERS_LEFT, data=data, visibility=Visibility.INTERNAL)


def _strangers(incident: Incident, users: list[User]) -> list[User]:
    if incident.is_restricted:
        return users_gaining_access([user.pk for user in users], incident)
    return [user for user in users if not (user.is_admin or user.is_responder)]


def _person(user: User) -> dict[str, object]:
    return {"id": user.pk, "name": user.name}


def _named(users: list[User]) -> str:
    return ", ".join(user.name for user in users[:5]) + (f" and {len(users) - 5} more" if len(users) > 5 else "")
