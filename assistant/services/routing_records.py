"""Store what was suggested for the incidents that people report, and compare it with what they became."""

import datetime as dt
from collections.abc import Collection

from django.utils import timezone

from assistant.models import RoutingSuggestion, week_of
from assistant.services.learning import FINISHED, Current, Opening, current
from assistant.services.routing import Told, tell
from assistant.vocabulary import LearntField, RoutingOutcome
from core.db import rows
from incidents.models import EventKind, Incident, IncidentEvent, Origin
from incidents.services import feed

READER = "learnt_suggestions"
BATCH = 20  # events; each new incident takes some milliseconds of the transaction
LATE = dt.timedelta(days=1)  # older news are not suggested for any more
JUDGING = frozenset(
    {
        *(EventKind.RESOLVED, EventKind.CLOSED, EventKind.REOPENED),
        *(EventKind.TEAM_CHANGED, EventKind.SEVERITY_CHANGED, EventKind.FIELD_CHANGED),
    }
)
NOT_PEOPLES = frozenset({Origin.ALERT, Origin.JOB, Origin.IMPORT})


def follow(limit: int = BATCH) -> int:
    """Take in the feed's next events; return how many."""
    current()  # read outside of the transaction
    return feed.consume(READER, _handle, limit=limit)


def _handle(events: list[IncidentEvent]) -> None:
    training, now = current(), timezone.now()
    new = [one for one in events if one.kind == EventKind.CREATED and _is_persons(one) and one.received_at > now - LATE]
    if training is not None and new:
        _suggest(new, training, now)
    _judge({one.incident_id for one in events if one.kind in JUDGING}, now)


def _is_persons(event: IncidentEvent) -> bool:
    return event.actor_id is not None and not event.machine_kind and event.origin not in NOT_PEOPLES


def _suggest(events: Collection[IncidentEvent], training: Current, now: dt.datetime) -> None:
    ids = [one.incident_id for one in events]
    incidents = Incident.objects.counted().open().in_bulk(ids)
    present = set(RoutingSuggestion.objects.filter(incident__in=ids).values_list("incident_id", flat=True))
    made = []
    for event in events:
        incident = incidents.get(event.incident_id)
        if incident is not None and incident.pk not in present:
            told = tell(training, Opening.of_event(event.data, event.actor_id))
            made += [_row(incident, event, name, told.get(name), training) for name in LearntField.values]
    rows.insert(*made)


def _row(
    incident: Incident, event: IncidentEvent, name: str, told: Told | None, training: Current
) -> RoutingSuggestion:
    first = told.ranked[0] if told is not None and told.is_sure else None
    return RoutingSuggestion(
        incident=incident,
        field=name,
        suggested=first.label if first is not None else None,
        ranked=[[one.label, round(one.confidence, 4)] for one in told.ranked] if told is not None else [],
        confidence=first.confidence if first is not None else 0,
        band=min(9, int(10 * first.confidence)) if first is not None else 0,
        model_version=training.version,
        opened_with=value_of(incident, name),
        origin=event.origin,
        at=event.received_at,
        week=week_of(event.received_at),
    )


def _judge(ids: Collection[int], now: dt.datetime) -> None:
    found = list(RoutingSuggestion.objects.select_for_update().filter(incident__in=ids).order_by("pk")) if ids else []
    incidents = Incident.objects.in_bulk({one.incident_id for one in found}) if found else {}
    changed = []
    for one in found:
        incident = incidents[one.incident_id]
        before = (one.outcome, one.became)
        is_over = incident.status in FINISHED
        one.became = value_of(incident, one.field) if is_over else None
        one.outcome = outcome_of(one) if is_over else RoutingOutcome.WAITING
        one.judged_at = now if is_over else None
        if before != (one.outcome, one.became):
            changed.append(one)
    rows.update_many(changed, ("became", "outcome", "judged_at"))


def outcome_of(row: RoutingSuggestion) -> str:
    """Return how a suggestion compares with what the incident became."""
    if row.suggested is None:
        return RoutingOutcome.SILENT
    if row.became is None:
        return RoutingOutcome.UNKNOWN
    if row.suggested == row.became:
        return RoutingOutcome.RIGHT
    is_near = any(value == row.became for value, _confidence in row.ranked)
    return RoutingOutcome.IN_THREE if is_near else RoutingOutcome.WRONG


def value_of(incident: Incident, name: str) -> int | None:
    """Return an incident's value as suggestions hold it."""
    values = {"team": incident.team_id, "category": incident.category_id, "severity": incident.severity}
    return values[name]
