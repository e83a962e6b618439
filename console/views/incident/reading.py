"""What an incident's page shows: header, clocks, moves, and what surrounds the timeline."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, Q, Value, When
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from alerts.admin.badges import safe_links
from alerts.models import Alert
from alerts.vocabulary import AlertStatus
from console.pages import person
from console.templatetags.console import duration
from console.views.incident.review import card_of
from console.views.remediation.reading import card_of as runs_of
from console.views.status.reading import disagreement, may_publish, publications_of
from incidents.models import Attachment, Incident, IncidentLink, LinkKind, Status, Subscription
from incidents.permissions import REPORTER_FIELDS, absent, can_edit, can_work_on, may_comment
from incidents.services import attaching
from incidents.sla import overdue_targets
from incidents.views.lookup import number_of
from incidents.workflow import Action, actions_from
from paging.services.describing import NONE, describe
from users.models import User

MOST_ALERTS = 20
MOST_LINKS = 20
MOST_FOLLOWERS = 50
MOST_FILES = 100
MOST_PAGES = 20
MOVE_LABELS = {
    "acknowledge": _("Acknowledge"),
    "start": _("Start work"),
    "hold": _("Put on hold"),
    "resume": _("Resume"),
    "resolve": _("Resolve"),
    "close": _("Close"),
    "reopen": _("Reopen"),
}
MOVE_KEYS = {"acknowledge": "a", "start": "s", "hold": "h", "resume": "s", "resolve": "r"}
MOVE_ICONS = {
    "acknowledge": "hand",
    "start": "play",
    "hold": "pause",
    "resume": "play",
    "resolve": "check",
    "close": "lock",
    "reopen": "rotate-ccw",
}
# Beside "Assign to me", the buttons that are likely next.
LIKELY = {
    Status.OPEN: ("acknowledge", "resolve"),
    Status.ACKNOWLEDGED: ("start", "resolve"),
    Status.IN_PROGRESS: ("resolve", "hold"),
    Status.ON_HOLD: ("resume", "resolve"),
    Status.RESOLVED: ("close", "reopen"),
    Status.CLOSED: ("reopen",),
}
LINK_LABELS = {
    LinkKind.DUPLICATE_OF: (_("Duplicate of"), _("Duplicate")),
    LinkKind.RELATED_TO: (_("Related to"), _("Related to")),
    LinkKind.CAUSED_BY: (_("Caused by"), _("Cause of")),
}


@dataclass(frozen=True)
class Move:
    """A transition that the person may take."""

    name: str
    label: Any
    icon: str
    key: str
    needs_note: bool
    is_primary: bool = False

    @classmethod
    def of(cls, action: Action, *, is_primary: bool = False) -> "Move":
        name = action.name
        return cls(name, MOVE_LABELS[name], MOVE_ICONS[name], MOVE_KEYS.get(name, ""), action.needs_note, is_primary)


@dataclass(frozen=True)
class Clock:
    """A target: `state` is running, late, paused, met or missed."""

    label: Any
    due_at: dt.datetime
    state: str
    seconds_left: int

    @property
    def is_running(self) -> bool:
        return self.state in ("running", "late")

    @property
    def length(self) -> str:
        """Return the time left, or passed since."""
        return duration(abs(self.seconds_left))


def incident_of(request: HttpRequest, reference: str) -> Incident:
    """Return the incident of a reference; NotFound if absent or invisible."""
    number = number_of(reference)
    visible = Incident.objects.visible_to(person(request)).filter(pk=number).order_by()
    incident = visible.select_related("category", "team", "assignee", "reporter").first()
    if incident is None:
        raise absent(f"INC-{number}")
    return incident


def header(incident: Incident, viewer: User, now: dt.datetime) -> dict[str, Any]:
    """Return what the sticky header shows, and the actions that it offers."""
    works = can_work_on(viewer, incident.team_id)
    actions = {action.name: action for action in actions_from(incident.status)} if works else {}
    likely = [name for name in LIKELY[Status(incident.status)] if name in actions]
    return {
        "incident": incident,
        "clocks": clocks(incident, now),
        "works": works,
        "likely": [Move.of(actions[name], is_primary=place == 0) for place, name in enumerate(likely)],
        "further": [Move.of(action) for name, action in actions.items() if name not in likely],
        "moves": [Move.of(action) for action in actions.values()],
        "may_take": works and incident.is_still_open and incident.assignee_id != viewer.pk,
        "may_edit_report": not works and can_edit(viewer, incident, REPORTER_FIELDS),
        "is_done": not incident.is_still_open,
        "is_staff": viewer.is_admin or viewer.is_responder,
        "is_admin": viewer.is_admin,
        "now": now,
        **(runs_of(incident, viewer) if viewer.is_staff else {}),
    }


def clocks(incident: Incident, now: dt.datetime) -> list[Clock]:
    """Return both targets, as far as there are any."""
    ack_late, resolve_late = overdue_targets(incident.status, incident.ack_due_at, incident.resolve_due_at, now)
    found = []
    for label, due_at, is_marked, is_late, is_waiting in (
        (_("Acknowledge by"), incident.ack_due_at, incident.ack_breached, ack_late, incident.status == Status.OPEN),
        (_("Resolve by"), incident.resolve_due_at, incident.resolve_breached, resolve_late, incident.is_still_open),
    ):
        if due_at is None:
            continue
        if not is_waiting:
            state = "missed" if is_marked else "met"
        elif incident.status == Status.ON_HOLD:
            state = "paused"
        else:
            state = "late" if is_late else "running"
        found.append(Clock(label, due_at, state, round((due_at - now).total_seconds())))
    return found


def side(incident: Incident, viewer: User) -> dict[str, Any]:
    """Return the right column: escalation, services, alerts, links, followers."""
    followers = followers_of(incident, viewer)
    is_staff = viewer.is_admin or viewer.is_responder
    return {
        "services": list(incident.services.order_by("name")),
        "alerts": alerts_of(incident) if is_staff else [],
        "linked": linked(incident, viewer),
        "followers": followers,
        "is_following": any(one.pk == viewer.pk for one in followers),
        "is_reporter": incident.reporter_id == viewer.pk,
        "escalation": escalation(incident) if is_staff else None,
        **(publicity(incident, viewer) if is_staff else {}),
        **(card_of(incident, viewer) if is_staff else {}),
    }


def publicity(incident: Incident, viewer: User) -> dict[str, Any]:
    """Return what the public is told of it, and whether the viewer may tell more."""
    published = publications_of(incident)
    return {
        "publications": published,
        "may_publish": may_publish(viewer, incident),
        "disagrees": disagreement(incident, published),
        "request_path": f"/incidents/{incident.reference}/",
    }


def escalation(incident: Incident) -> dict[str, Any] | None:
    """Return who was called; None where nobody was and will be."""
    found = describe(incident, looks_ahead=False)
    if found["state"] == NONE and not found["pages"] and found["alarm"] is None:
        return None
    pages = [{**page, "became": _became(page)} for page in found["pages"][-MOST_PAGES:]][::-1]
    return {**found, "pages": pages, "hidden": len(found["pages"]) - len(pages)}


def _became(page: dict[str, Any]) -> str:
    if page["answered_at"] is not None:
        return "answered"
    if page["failed_at"] is not None:
        return "failed"
    return "cancelled" if page["cancelled_at"] is not None else "waiting"


def alerts_of(incident: Incident) -> list[dict[str, Any]]:
    """Return its newest alerts with links, the firing ones first."""
    is_over = Case(When(status=AlertStatus.FIRING, then=Value(0)), default=Value(1))
    alerts = Alert.objects.filter(incident=incident).select_related("source").order_by(is_over, "-id")[:MOST_ALERTS]
    return [
        {
            "alert": alert,
            "is_firing": alert.status == AlertStatus.FIRING,
            "links": safe_links(alert.links),
            "labels": sorted(alert.labels.items())[:MOST_ALERTS],
        }
        for alert in alerts
    ]


def firing_alerts(incident: Incident) -> list[Alert]:
    return list(Alert.objects.filter(incident=incident).firing().order_by("-id")[: MOST_ALERTS + 1])


def linked(incident: Incident, viewer: User) -> list[dict[str, Any]]:
    """Return linked incidents that the viewer sees, both ways; one query."""
    visible = Incident.objects.visible_to(viewer)
    either = Q(incident=incident, target__in=visible) | Q(target=incident, incident__in=visible)
    links: Iterable[IncidentLink] = IncidentLink.objects.filter(either).select_related("incident", "target")
    return [
        {
            "id": link.pk,
            "label": LINK_LABELS[LinkKind(link.kind)][link.incident_id != incident.pk],
            "other": link.target if link.incident_id == incident.pk else link.incident,
            "is_own": link.incident_id == incident.pk,
        }
        for link in links[:MOST_LINKS]  # type: ignore[index]
    ]


def followers_of(incident: Incident, viewer: User) -> list[User]:
    """Return the followers, the viewer first."""
    is_other = Case(When(user=viewer, then=Value(0)), default=Value(1))
    rows = Subscription.objects.filter(incident=incident).select_related("user").order_by(is_other, "id")
    return [row.user for row in rows[:MOST_FOLLOWERS]]


def files(incident: Incident, viewer: User, works: bool) -> dict[str, Any]:
    """Return pictures and other files, and which of them the viewer may remove."""
    found = list(Attachment.objects.filter(incident=incident).order_by("-pk")[:MOST_FILES])[::-1]
    removable = {one.pk for one in found if attaching.may_remove(viewer, one, incident, works=works)}
    return {
        "pictures": [one for one in found if one.is_picture],
        "documents": [one for one in found if not one.is_picture],
        "removable": removable,
    }


def page_context(incident: Incident, viewer: User) -> dict[str, Any]:
    """Return header, column and files."""
    found, around = header(incident, viewer, timezone.now()), side(incident, viewer)
    return {
        **found,
        **around,
        **files(incident, viewer, found["works"]),
        "may_comment": may_comment(viewer, works=found["works"], follows=lambda: around["is_following"]),
    }
