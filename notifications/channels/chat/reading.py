"""What a chat tells of incidents and schedules."""

import datetime as dt

from django.utils.translation import gettext as _

from core.severity import Severity
from core.text.moments import shown_in
from core.text.sentences import shown
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
        return [_("No open incident is assigned to you.")]
    return [*lines[:MOST_LISTED], _("and more")] if len(lines) > MOST_LISTED else lines


def incident_lines(incident: Incident) -> list[str]:
    facts = {
        "who": incident.assignee.name if incident.assignee else _("nobody"),
        "team": incident.team.name if incident.team else _("none"),
        "time": shown_in(incident.created_at, dt.UTC, "long", has_zone=True),
    }
    lines = [line_of(incident), _("Assigned to: %(who)s. Team: %(team)s. Opened: %(time)s.") % facts]
    return [*lines, cut(incident.description, 1000)] if incident.description else lines


def on_call_lines(wanted: str, at: dt.datetime) -> list[str]:
    """Return who is on call, on each schedule whose name contains the text."""
    schedules = Schedule.objects.filter(is_active=True, name__icontains=wanted.strip())
    names = dict(schedules.order_by("name").values_list("pk", "name")[:MOST_SCHEDULES])
    if not names:
        return [_("There is no such schedule.") if wanted.strip() else _("There are no schedules.")]
    found = on_call(list(names), at)
    return [f"{name}: {_people(found[pk].people if pk in found else ())}" for pk, name in names.items()]


def _people(people: tuple[object, ...]) -> str:
    return ", ".join(f"{person.name} ({shown(person.why)})" for person in people) or _("nobody")  # type: ignore[attr-defined]
