"""An incident as the API shows it. Lists and single incidents go through the same function, from plain rows.

Rows rather than model instances, because a list of fifty is asked for every few seconds by every open page.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cache, partial
from typing import Any

from django.utils import timezone

from core.db.prepared import Parameter, prepared
from core.severity import WORD_OF_PRIORITY, WORD_OF_SEVERITY
from incidents.models import Incident, IncidentQuerySet
from incidents.permissions import can_work_on
from incidents.sla import overdue_targets
from incidents.vocabulary import Status
from incidents.workflow import allowed_transitions
from users.models import User

COLUMNS = (
    "id",
    "uid",
    "title",
    "description",
    "status",
    "severity",
    "priority",
    "category__slug",
    "location",
    "team_id",
    "assignee_id",
    "reporter_id",
    "origin_system",
    "is_restricted",
    "occurred_at",
    "created_at",
    "updated_at",
    "acknowledged_at",
    "resolved_at",
    "closed_at",
    "reopen_count",
    "version",
    "ack_due_at",
    "resolve_due_at",
    "ack_breached",
    "resolve_breached",
)


def rows_of(incidents: IncidentQuerySet) -> Any:
    """Return the incidents as the rows that are serialized."""
    return incidents.values(*COLUMNS)


def row_of(incident: Incident) -> dict[str, Any]:
    """Return the row of an incident that is at hand already."""
    row = {column: getattr(incident, column) for column in COLUMNS if column != "category__slug"}
    return {**row, "category__slug": incident.category.slug if incident.category else None}


def serialize_page(rows: Iterable[Mapping[str, Any]], *, viewer: User, base_url: str) -> list[dict[str, Any]]:
    """Return the rows as the API shows them; `base_url` is where incidents live."""
    rows = list(rows)
    slugs = service_slugs([row["id"] for row in rows])
    now = timezone.now()
    works_on, reachable = cache(partial(can_work_on, viewer)), cache(allowed_transitions)  # most rows are alike
    return [
        serialize_row(
            row, slugs[row["id"]], reachable(row["status"]) if works_on(row["team_id"]) else [], base_url, now
        )
        for row in rows
    ]


def serialize_row(
    row: Mapping[str, Any], services: list[str], transitions: list[str], base_url: str, now: dt.datetime
) -> dict[str, Any]:
    """Return one row as the API shows it to somebody who may take these transitions."""
    # The clocks as they stand at this moment, even where the job that marks breaches has not come by yet.
    ack_late, resolve_late = overdue_targets(row["status"], row["ack_due_at"], row["resolve_due_at"], now)
    return {
        "id": row["id"],
        "uid": row["uid"],
        "reference": f"INC-{row['id']}",
        "title": row["title"],
        "description": row["description"],
        "status": row["status"],
        "severity": WORD_OF_SEVERITY[row["severity"]],
        "priority": WORD_OF_PRIORITY[row["priority"]],
        "category": row["category__slug"],
        "location": row["location"],
        "services": services,
        "team": row["team_id"],
        "assignee": row["assignee_id"],
        "reporter": row["reporter_id"],
        "source": row["origin_system"],
        "is_restricted": row["is_restricted"],
        "occurred_at": row["occurred_at"],
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
        "acknowledged_at": row["acknowledged_at"],
        "resolved_at": row["resolved_at"],
        "closed_at": row["closed_at"],
        "reopen_count": row["reopen_count"],
        "version": row["version"],
        "sla": {
            "ack_due_at": row["ack_due_at"],
            "resolve_due_at": row["resolve_due_at"],
            "ack_breached": bool(row["ack_breached"] or ack_late),
            "resolve_breached": bool(row["resolve_breached"] or resolve_late),
            "paused": row["status"] == Status.ON_HOLD,
        },
        "allowed_transitions": transitions,
        "url": f"{base_url}{row['id']}/",
    }


def service_slugs(incident_ids: list[int]) -> defaultdict[int, list[str]]:
    """Return the slugs of each incident's services, in order; one query."""
    slugs: defaultdict[int, list[str]] = defaultdict(list)
    if not incident_ids:
        return slugs
    # Filled up to the next power of two with the last id, so that a dozen queries serve all numbers of incidents.
    places = [f"id {number}" for number in range(1 << (len(incident_ids) - 1).bit_length())]
    query = prepared(("slugs of incidents", len(places)), lambda: _service_slugs(places))
    padded = incident_ids + [incident_ids[-1]] * (len(places) - len(incident_ids))
    for incident_id, slug in query.rows(**dict(zip(places, padded, strict=True))):
        slugs[incident_id].append(slug)
    return slugs


def _service_slugs(places: list[str]) -> Any:
    through = Incident.services.through.objects.filter(incident__id__in=[Parameter(place) for place in places])
    return through.order_by("service__slug").values_list("incident_id", "service__slug")
