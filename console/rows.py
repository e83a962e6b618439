"""Incidents as rows of lists: the same for every viewer, so that one rendering serves all."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.template.loader import render_to_string
from django.utils import timezone, translation

from incidents.models import Category, Incident
from incidents.representation import rows_of, service_slugs
from incidents.sla import overdue_targets
from incidents.vocabulary import OPEN_STATUSES, Status
from responders.models import Team
from users.models import User

COLUMNS = (
    *("reference", "status", "team", "assignee", "due", "services", "category", "location", "reporter"),
    *("priority", "source", "created", "updated"),
)
DEFAULT_COLUMNS = ("reference", "status", "team", "assignee", "due", "created")
ROW = "console/incidents/_row.html"


def present(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return rows of `rows_of` with the names that lists show; four queries at most."""
    rows = list(rows)
    teams = _named(Team, {row["team_id"] for row in rows})
    people = _named(User, {row[name] for row in rows for name in ("assignee_id", "reporter_id")})
    categories = (
        dict(Category.objects.values_list("slug", "name")) if any(row["category__slug"] for row in rows) else {}
    )
    slugs = service_slugs([row["id"] for row in rows])
    now = timezone.now()
    return [
        {
            **row,
            "reference": f"INC-{row['id']}",
            "is_open": row["status"] in OPEN_STATUSES,
            "team": teams.get(row["team_id"]),
            "assignee": people.get(row["assignee_id"]),
            "reporter": people.get(row["reporter_id"]),
            "category": categories.get(row["category__slug"], row["category__slug"]),
            "services": slugs[row["id"]],
            **_due(row, now),
        }
        for row in rows
    ]


def incident_rows(ids: Sequence[int], language: str) -> dict[int, str]:
    """Return each incident's rendered row in a language."""
    shown = present(rows_of(Incident.objects.present().filter(pk__in=ids)))
    with translation.override(language):
        return {row["id"]: render_to_string(ROW, {"incident": row}) for row in shown}


def _due(row: Mapping[str, Any], now: Any) -> dict[str, Any]:
    """Return the clock that runs: the time to acknowledge, then the time to resolve."""
    ack_late, resolve_late = overdue_targets(row["status"], row["ack_due_at"], row["resolve_due_at"], now)
    if row["status"] == Status.OPEN and row["ack_due_at"]:
        return {"due_at": row["ack_due_at"], "is_late": bool(row["ack_breached"] or ack_late), "due_for": "ack"}
    is_running = row["status"] in OPEN_STATUSES and row["status"] != Status.ON_HOLD
    return {
        "due_at": row["resolve_due_at"] if is_running else None,
        "is_late": bool(row["resolve_breached"] or resolve_late),
        "due_for": "resolve",
    }


def _named(model: Any, ids: set[int | None]) -> dict[int, str]:
    return dict(model.objects.filter(pk__in=ids - {None}).values_list("pk", "name")) if ids - {None} else {}
