"""What a chat tells of incidents and schedules."""

import datetime as dt

from core.severity import Severity
from incidents.models import Incident
from incidents.vocabulary import Status
from notifications.channels.chat.words import SHAPES, cut
from responders.models import Schedule
from responders.services.oncall import on_call
from users.models import User

MOST_LISTED = 10
MOST_SCHEDULES = 25


def line_of(incident: Incident) -> str:
    severity = Severity(incident.severity)
    words = f"{SHAPES[severity.word]} {severity.label} · {Status(incident.status).label}"
    return f"{incident.reference}: {cut(' '.join(incident.title.split()), 150)} ({words})"


def open_of(user: User) -> list[str]:
    """Return lines on what is assigned to a person."""
    found = Incident.objects.visible_to(user).open().filter(assignee=user).order_by("-created_at", "-id")
    lines = [line_of(incident) for incident in found[: MOST_LISTED + 1]]
    if not lines:
        return ["No open incident is assigned to you."]
    return [*lines[:MOST_LISTED], "and more"] if len(lines) > MOST_LISTED else lines


def incident_lines(incident: Incident) -> list[str]:
    who = incident.assignee.name if incident.assignee else "nobody"
    team = incident.team.name if incident.team else "none"
    lines = [line_of(incident), f"Assigned to: {who}. Team: {team}. Opened: {incident.created_at:%Y-%m-%d %H:%M} UTC."]
    return [*lines, cut(incident.description, 1000)] if incident.description else lines


def on_call_lines(wanted: str, at: dt.datetime) -> list[str]:
    """Return who is on call, on each schedule whose name contains the text."""
    schedules = Schedule.objects.filter(is_active=True, name__icontains=wanted.strip())
    names = dict(schedules.order_by("name").values_list("pk", "name")[:MOST_SCHEDULES])
    if not names:
        return ["There is no such schedule." if wanted.strip() else "There are no schedules."]
    found = on_call(list(names), at)
    return [f"{name}: {_people(found[pk].people) if pk in found else 'nobody'}" for pk, name in names.items()]


def _people(people: tuple[object, ...]) -> str:
    return ", ".join(f"{person.name} ({person.why})" for person in people) or "nobody"  # type: ignore[attr-defined]
