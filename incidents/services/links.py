"""How incidents relate."""

import datetime as dt

from incident_response.exceptions import Conflict, DomainError, NotFound
from incidents.models import EventKind, Incident, IncidentLink, LinkKind, Origin, Status, Subscription
from incidents.permissions import require_work
from incidents.services.lifecycle import move_to
from incidents.services.recording import Act, Entry, lock
from users.models import User
from users.transactions import unit_of_work


@unit_of_work
def link(
    incident: Incident,
    target: Incident,
    kind: str,
    *,
    by: User | None,
    origin: str = Origin.API,
    at: dt.datetime | None = None,
) -> IncidentLink:
    """Say how an incident stands to another. A duplicate is resolved, and its followers follow the original too.

    Followers see what they follow: only those who work on a restricted original may bring it new ones. Raises Conflict
    when the link exists or would close a circle of duplicates.
    """
    if incident.pk == target.pk:
        raise DomainError("An incident cannot be linked to itself.", field="target")
    # Always in the order of their numbers, so that two people linking the same pair cannot block each other.
    rows = {row.pk: row for row in (lock(row) for row in sorted((incident, target), key=lambda row: row.pk))}
    incident, target = rows[incident.pk], rows[target.pk]
    require_work(by, incident)
    if kind == LinkKind.DUPLICATE_OF and target.is_restricted:
        require_work(by, target)
    if kind == LinkKind.DUPLICATE_OF and _leads_to(target, incident):
        raise Conflict(f"{target.reference} is itself a duplicate of {incident.reference}.")
    act = Act.now(by, origin, at)
    created, is_new = IncidentLink.objects.get_or_create(
        incident=incident, target=target, kind=kind, defaults={"created_by": by, "created_at": act.at}
    )
    if not is_new:
        raise Conflict(f"{incident.reference} is already linked to {target.reference} in this way.")
    entry, mirrored = Entry(incident, act), Entry(target, act)
    entry.note(EventKind.LINKED, data=_facts(kind, target))
    mirrored.note(EventKind.LINKED, data={**_facts(kind, incident), "is_from_there": True})
    if kind == LinkKind.DUPLICATE_OF:
        _hand_followers_over(incident, target)
        if incident.is_still_open:
            move_to(entry, Status.RESOLVED, f"Duplicate of {target.reference}.")
    entry.save()
    mirrored.save()
    return created


@unit_of_work
def unlink(incident: Incident, link_id: int, *, by: User | None, origin: str = Origin.API) -> None:
    """Take a link back. What it caused (a resolved duplicate, followers) stays; reopen where it was wrong."""
    incident = lock(incident)
    found = IncidentLink.objects.filter(pk=link_id, incident=incident).select_related("target").first()
    if found is None:
        raise NotFound(f"{incident.reference} has no such link.")
    require_work(by, incident)
    found.delete()
    entry = Entry(incident, Act.now(by, origin))
    entry.note(EventKind.UNLINKED, data=_facts(found.kind, found.target))
    entry.save()


def _facts(kind: str, other: Incident) -> dict[str, object]:
    return {"link": str(kind), "incident": other.reference}


def _leads_to(start: Incident, goal: Incident) -> bool:
    """Whether following `duplicate_of` from `start` comes to `goal`.

    Each incident on the way is locked before its links are read: two people closing a circle from both ends would each
    miss the other's link. They wait for each other crosswise instead, and one of them is tried again.
    """
    seen: set[int] = set()
    frontier = {start.pk}
    while frontier and goal.pk not in frontier:
        seen |= frontier
        list(Incident.objects.select_for_update().filter(pk__in=frontier).order_by("pk").values_list("pk"))
        links = IncidentLink.objects.filter(incident__in=frontier, kind=LinkKind.DUPLICATE_OF)
        frontier = set(links.values_list("target_id", flat=True)) - seen
    return goal.pk in frontier


def _hand_followers_over(duplicate: Incident, original: Incident) -> None:
    followers = Subscription.objects.filter(incident=duplicate).values_list("user_id", flat=True)
    present = set(Subscription.objects.filter(incident=original).values_list("user_id", flat=True))
    Subscription.objects.bulk_create(
        Subscription(incident=original, user_id=user_id) for user_id in followers if user_id not in present
    )
