"""The home page of the back office: what wants work now. Every query walks an index and stops early."""

from collections import Counter
from typing import Any

from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from incidents.admin.badges import age, due_mark, severity_badge, status_badge
from incidents.admin.sections import home_sections
from incidents.filters import ack_breached, resolve_breached
from incidents.metrics import summary
from incidents.models import Incident, IncidentQuerySet
from incidents.vocabulary import OPEN_STATUSES, Severity, Status
from users.models import User

ROWS = 8
# More open work than this, and the grid by severity speaks of the newest only; the totals stay exact.
MOST_OPEN = 10_000


def home(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add to the context of the home page: totals, the grid of open work, and the lists."""
    user: User = request.user  # type: ignore[assignment]
    visible = Incident.objects.visible_to(user)
    now = timezone.now()
    totals = summary(visible, is_filtered=False, viewer=user)
    late = ack_breached(now) & Q(status=Status.OPEN) | resolve_breached(now)
    oldest = visible.open().order_by("created_at", "id")
    breached = shown(oldest.filter(late))
    mine = shown(visible.open().filter(assignee=user).order_by("-created_at"))
    waiting = shown(oldest.filter(status=Status.OPEN))
    recent = shown(visible.order_by("-created_at", "-id"))
    return {
        **context,
        "title": "Home",
        "tiles": tiles(totals),
        "grid": grid(visible),
        "sections": home_sections(user),
        "statuses": [(status.label, status.value) for status in OPEN_STATUSES],
        "panels": [
            ("Past due", breached, link(open="yes", breached="any"), "Nothing is late."),
            ("Nobody has acknowledged", waiting, link(status="open"), "Everything was seen by somebody."),
            ("Mine", mine, link(open="yes", to="me"), "Nothing is waiting for you."),
            ("Reported last", recent, link(), "No incidents yet."),
        ],
    }


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


def grid(visible: IncidentQuerySet) -> dict[str, Any]:
    """Open work by severity and status."""
    newest = visible.open().order_by("-created_at").values_list("severity", "status")[:MOST_OPEN]
    counts = Counter(newest)
    rows = [
        (
            severity_badge(severity),
            [(counts[severity, status], link(severity=severity.word, status=status.value)) for status in OPEN_STATUSES],
            sum(counts[severity, status] for status in OPEN_STATUSES),
            link(severity=severity.word, open="yes"),
        )
        for severity in sorted(Severity, reverse=True)
    ]
    return {"rows": rows, "is_cut": counts.total() >= MOST_OPEN, "most": MOST_OPEN}


def shown(incidents: IncidentQuerySet) -> list[dict[str, Any]]:
    """The first incidents, as the lists show them."""
    now = timezone.now()
    return [
        {
            "incident": incident,
            "severity": severity_badge(incident.severity),
            "status": status_badge(incident.status),
            "age": age(incident, now),
            "due": due_mark(incident, now),
            "url": reverse("admin:incidents_incident_change", args=[incident.pk]),
        }
        for incident in incidents.select_related("team", "assignee")[:ROWS]
    ]
