"""The admin home page; every query walks an index and stops early."""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

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
# With more, lists and grid cover the newest; the totals stay exact.
MOST_OPEN = 10_000


class OpenRow(NamedTuple):
    """The columns of an open incident that the home page reads."""

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
    """A list of the home page."""

    title: str
    rows: list[dict[str, Any]]
    total: int
    url: str
    nothing: str
    is_cut: bool = False

    @property
    def extent(self) -> str:
        """Return how much is shown, or "" for all."""
        if self.total <= len(self.rows):
            return ""
        total = f"{self.total:,}{'+' if self.is_cut else ''}"
        return _("%(number)s of %(total)s") % {"number": len(self.rows), "total": total}


def home_context(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add totals, the grid of open work and the lists to the context."""
    user: User = request.user  # type: ignore[assignment]
    visible = Incident.objects.visible_to(user)
    now = timezone.now()
    totals = incident_summary(visible, is_filtered=False, viewer=user)
    work = open_rows(visible)
    return {
        **context,
        "title": _("Home"),
        "tiles": count_tiles(totals),
        "grid": severity_grid(work),
        "sections": home_sections(user),
        "statuses": [(status.label, status.value) for status in OPEN_STATUSES],
        "panels": list_panels(visible, work, user, now),
        "lacks_default_team": user.is_admin and not Team.objects.active().filter(is_default=True).exists(),
    }


def open_rows(visible: IncidentQuerySet) -> list[OpenRow]:
    """Return the newest open incidents."""
    newest = visible.open().order_by("-created_at").values_list(*OpenRow._fields)[:MOST_OPEN]
    return [OpenRow._make(row) for row in newest]


def list_panels(visible: IncidentQuerySet, work: Sequence[OpenRow], user: User, now: dt.datetime) -> list[Panel]:
    """Return the lists, by severity and age."""
    by_urgency = sorted(work, key=lambda row: (-row.severity, row.created_at))
    worst_first = "&o=-3"
    wanted: list[tuple[str, Callable[[OpenRow], bool], str, str]] = [
        (
            _("Overdue"),
            lambda row: is_late(row, now),
            list_url(open="yes", breached="any") + worst_first,
            _("Nothing is overdue."),
        ),
        (
            _("Unacknowledged"),
            lambda row: row.status == Status.OPEN,
            list_url(status="open") + worst_first,
            _("Everything is acknowledged."),
        ),
        (
            _("Assigned to me"),
            lambda row: row.assignee_id == user.pk,
            list_url(open="yes", to="me") + worst_first,
            _("Nothing is assigned to you."),
        ),
    ]
    chosen = [[row.pk for row in by_urgency if belongs(row)] for _title, belongs, _url, _nothing in wanted]
    newest = list(visible.order_by("-created_at", "-id").values_list("pk", flat=True)[:ROWS])
    rows = list_rows(visible, {*newest, *(pk for pks in chosen for pk in pks[:ROWS])}, now)
    is_cut = len(work) >= MOST_OPEN
    return [
        *(
            Panel(title, [rows[pk] for pk in pks[:ROWS] if pk in rows], len(pks), url, nothing, is_cut)
            for (title, _belongs, url, nothing), pks in zip(wanted, chosen, strict=True)
        ),
        Panel(
            _("Recently reported"),
            [rows[pk] for pk in newest if pk in rows],
            0,
            list_url(open="all"),
            _("No incidents yet."),
        ),
    ]


def is_late(row: OpenRow, now: dt.datetime) -> bool:
    """Return whether a target that still matters was missed."""
    is_ack_late, is_resolve_late = overdue_targets(row.status, row.ack_due_at, row.resolve_due_at, now)
    is_waiting = row.status == Status.OPEN
    return is_ack_late or (is_waiting and row.ack_breached) or is_resolve_late or row.resolve_breached


def list_url(**filters: str) -> str:
    """Return the address of the filtered incident list."""
    query = "&".join(f"{name}={value}" for name, value in filters.items())
    return f"{reverse('admin:incidents_incident_changelist')}{'?' if query else ''}{query}"


def count_tiles(totals: dict[str, Any]) -> list[tuple[str, int, str]]:
    """Return label, count and address of each tile."""
    by_status = totals["by_status"]
    return [
        (_("Unresolved"), totals["open"], list_url(open="yes")),
        *((str(status.label), by_status[status.value], list_url(status=status.value)) for status in OPEN_STATUSES),
    ]


def severity_grid(work: Sequence[OpenRow]) -> dict[str, Any]:
    """Count open work by severity and status."""
    counts = Counter((row.severity, row.status) for row in work)
    rows = [
        (
            severity_badge(severity),
            [
                (counts[severity, status], list_url(severity=severity.word, status=status.value))
                for status in OPEN_STATUSES
            ],
            sum(counts[severity, status] for status in OPEN_STATUSES),
            list_url(severity=severity.word, open="yes"),
        )
        for severity in sorted(Severity, reverse=True)
    ]
    return {"rows": rows, "is_cut": len(work) >= MOST_OPEN, "most": MOST_OPEN}


def list_rows(visible: IncidentQuerySet, pks: Iterable[int], now: dt.datetime) -> dict[int, dict[str, Any]]:
    """Return the incidents as rows, by id."""
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
