"""The home page of the back office: what wants work now. Every query walks an index and stops early."""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from core.backoffice.badges import severity_badge
from core.severity import Severity
from incidents.admin.badges import age, due_mark, status_badge
from incidents.admin.sections import home_sections
from incidents.metrics import incident_summary
from incidents.models import Incident, IncidentQuerySet
from incidents.sla import overdue_targets
from incidents.vocabulary import OPEN_STATUSES, Status
from responders.models import Team
from users.models import User

ROWS = 8
# More open work than this, and lists and grid speak of the newest only; the totals stay exact.
MOST_OPEN = 10_000


class OpenRow(NamedTuple):
    """What the home page asks of each open incident."""

    pk: int
    severity: int
    status: str
    created_at: dt.datetime
    assignee_id: int | None
    ack_due_at: dt.datetime | None
    resolve_due_at: dt.datetime | None
    ack_breached: bool
    resolve_breached: bool


@dataclass(frozen=True)
class Panel:
    """A list of the home page: the first of what there is, and a link to all of it."""

    title: str
    rows: list[dict[str, Any]]
    total: int
    url: str
    nothing: str
    is_cut: bool = False

    @property
    def extent(self) -> str:
        """How much of it is shown; empty where that is everything."""
        if self.total <= len(self.rows):
            return ""
        return f"{len(self.rows)} of {self.total:,}{'+' if self.is_cut else ''}"


def home(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add to the context of the home page: totals, the grid of open work, and the lists."""
    user: User = request.user  # type: ignore[assignment]
    visible = Incident.objects.visible_to(user)
    now = timezone.now()
    totals = incident_summary(visible, is_filtered=False, viewer=user)
    work = open_rows(visible)
    return {
        **context,
        "title": "Home",
        "tiles": tiles(totals),
        "grid": grid(work),
        "sections": home_sections(user),
        "statuses": [(status.label, status.value) for status in OPEN_STATUSES],
        "panels": panels(visible, work, user, now),
        "lacks_default_team": user.is_admin and not Team.objects.active().filter(is_default=True).exists(),
    }


def open_rows(visible: IncidentQuerySet) -> list[OpenRow]:
    """The newest open incidents, at most MOST_OPEN."""
    newest = visible.open().order_by("-created_at").values_list(*OpenRow._fields)[:MOST_OPEN]
    return [OpenRow._make(row) for row in newest]


def panels(visible: IncidentQuerySet, work: Sequence[OpenRow], user: User, now: dt.datetime) -> list[Panel]:
    """The lists: the most severe first, and of those alike the one that has waited longest."""
    by_urgency = sorted(work, key=lambda row: (-row.severity, row.created_at))
    worst_first = "&o=-3"
    wanted: list[tuple[str, Callable[[OpenRow], bool], str, str]] = [
        ("Past due", lambda row: is_late(row, now), link(open="yes", breached="any") + worst_first, "Nothing is late."),
        (
            "Nobody has acknowledged",
            lambda row: row.status == Status.OPEN,
            link(status="open") + worst_first,
            "Everything was seen by somebody.",
        ),
        (
            "Mine",
            lambda row: row.assignee_id == user.pk,
            link(open="yes", to="me") + worst_first,
            "Nothing is waiting for you.",
        ),
    ]
    chosen = [[row.pk for row in by_urgency if belongs(row)] for _, belongs, _, _ in wanted]
    newest = list(visible.order_by("-created_at", "-id").values_list("pk", flat=True)[:ROWS])
    rows = shown(visible, {*newest, *(pk for pks in chosen for pk in pks[:ROWS])}, now)
    is_cut = len(work) >= MOST_OPEN
    return [
        *(
            Panel(title, [rows[pk] for pk in pks[:ROWS] if pk in rows], len(pks), url, nothing, is_cut)
            for (title, _, url, nothing), pks in zip(wanted, chosen, strict=True)
        ),
        Panel("Reported last", [rows[pk] for pk in newest if pk in rows], 0, link(open="all"), "No incidents yet."),
    ]


def is_late(row: OpenRow, now: dt.datetime) -> bool:
    """Whether a target that still matters was missed: one that was acknowledged late is no longer late for that."""
    is_ack_late, is_resolve_late = overdue_targets(row.status, row.ack_due_at, row.resolve_due_at, now)
    is_waiting = row.status == Status.OPEN
    return is_ack_late or (is_waiting and row.ack_breached) or is_resolve_late or row.resolve_breached


def link(**filters: str) -> str:
    """The incident list with these filters."""
    query = "&".join(f"{name}={value}" for name, value in filters.items())
    return f"{reverse('admin:incidents_incident_changelist')}{'?' if query else ''}{query}"


def tiles(totals: dict[str, Any]) -> list[tuple[str, int, str]]:
    """The numbers at the top: label, count, link."""
    by_status = totals["by_status"]
    return [
        ("Open work", totals["open"], link(open="yes")),
        *((str(status.label), by_status[status.value], link(status=status.value)) for status in OPEN_STATUSES),
    ]


def grid(work: Sequence[OpenRow]) -> dict[str, Any]:
    """Open work by severity and status."""
    counts = Counter((row.severity, row.status) for row in work)
    rows = [
        (
            severity_badge(severity),
            [(counts[severity, status], link(severity=severity.word, status=status.value)) for status in OPEN_STATUSES],
            sum(counts[severity, status] for status in OPEN_STATUSES),
            link(severity=severity.word, open="yes"),
        )
        for severity in sorted(Severity, reverse=True)
    ]
    return {"rows": rows, "is_cut": len(work) >= MOST_OPEN, "most": MOST_OPEN}


def shown(visible: IncidentQuerySet, pks: Iterable[int], now: dt.datetime) -> dict[int, dict[str, Any]]:
    """The incidents as the lists show them, by their numbers."""
    return {
        incident.pk: {
            "incident": incident,
            "severity": severity_badge(incident.severity),
            "status": status_badge(incident.status),
            "age": age(incident, now),
            "due": due_mark(incident, now),
            "url": reverse("admin:incidents_incident_change", args=[incident.pk]),
        }
        for incident in visible.filter(pk__in=pks).select_related("team", "assignee")
    }
