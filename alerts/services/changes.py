"""Store changes to systems, and find those before an incident."""

import datetime as dt
import hashlib
from collections.abc import Collection, Iterable, Sequence

from django.db.models import Q
from django.utils import timezone

from alerts.models import ChangeEvent
from alerts.updates import Change
from core.db import rows
from incidents.models import Incident
from intake.models import Source
from intake.results import IntakeResult
from responders.models import Service

BEFORE = dt.timedelta(hours=1)
MOST = 100
SUMMARY_LENGTH = 500
ORIGIN_LENGTH = 200
MAX_DETAILS = 100
DETAIL_LENGTH = 2000


def store_changes(results: Sequence[IntakeResult]) -> None:
    """Store the changes of several requests."""
    by_source: dict[Source, list[Change]] = {}
    for one in results:
        if one.source is not None:
            by_source.setdefault(one.source, []).extend(one.rows)
    for source, changes in by_source.items():
        take(source, changes)


def take(source: Source, changes: Sequence[Change], *, at: dt.datetime | None = None) -> int:
    """Store changes in the caller's transaction; return how many were new. A repeat with its time counts once."""
    now = at or timezone.now()
    services = _services({name for change in changes for name in change.services})
    events = {_identity(source, change) or number: change for number, change in enumerate(changes)}
    known = ChangeEvent.objects.filter(delivery_key__in=[key for key in events if isinstance(key, str)])
    for key in known.values_list("delivery_key", flat=True):
        events.pop(key or "", None)
    rows.insert(*(_row(source, change, services, key, now) for key, change in events.items()))
    return len(events)


def changes(
    *, since: dt.datetime, until: dt.datetime, services: Iterable[Service] = (), limit: int = MOST
) -> list[ChangeEvent]:
    """Return the latest changes between two moments, newest first."""
    found = ChangeEvent.objects.filter(occurred_at__gte=since, occurred_at__lte=until)
    if named := [service.pk for service in services]:
        found = found.filter(service__in=named)
    return list(found.select_related("source", "service").order_by("-occurred_at", "-id")[: min(limit, MOST)])


def changes_before(incident: Incident, *, within: dt.timedelta = BEFORE, limit: int = MOST) -> list[ChangeEvent]:
    """Return what changed before an incident in its services, or anywhere without any."""
    until = incident.occurred_at
    return changes(since=until - within, until=until, services=incident.services.all(), limit=limit)


def _services(names: Collection[str]) -> dict[str, Service]:
    if not names:
        return {}
    lower = [name.lower() for name in names]
    found = Service.objects.filter(Q(slug__in=lower) | Q(name__in=[*names, *lower])).order_by("-pk")
    return {key.lower(): service for service in found for key in (service.name, service.slug)}


def _identity(source: Source, change: Change) -> str | None:
    if change.occurred_at is None:
        return None
    facts = (str(source.pk), change.occurred_at.isoformat(), change.summary, change.origin)
    return hashlib.sha256("\0".join(facts).encode("utf-8", "surrogatepass")).hexdigest()


def _row(source: Source, change: Change, services: dict[str, Service], key: str | int, now: dt.datetime) -> ChangeEvent:
    service = next((services[name.lower()] for name in change.services if name.lower() in services), None)
    details = list(change.details.items())[:MAX_DETAILS]
    return ChangeEvent(
        source=source,
        service=service,
        delivery_key=key if isinstance(key, str) else None,
        summary=change.summary[:SUMMARY_LENGTH],
        origin=change.origin[:ORIGIN_LENGTH],
        details={name[:ORIGIN_LENGTH]: value[:DETAIL_LENGTH] for name, value in details},
        links=list(change.links)[:MAX_DETAILS],
        occurred_at=change.occurred_at or now,
        received_at=now,
    )
