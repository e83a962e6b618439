"""What happens to a report once it is in."""

import datetime as dt
from typing import Any

from incidents.models import Incident
from responders.models import Schedule
from responders.services.oncall import on_call


def next_steps(incident: Incident, now: dt.datetime) -> dict[str, Any]:
    """Return the team and the names of those on call for it."""
    team = incident.team
    if team is None:
        return {"team": None, "on_call": []}
    schedules = list(Schedule.objects.active().filter(team=team).values_list("pk", flat=True))
    found = on_call(schedules, now) if schedules else {}
    names = dict.fromkeys(one.name for present in found.values() for one in present.people)
    return {"team": team, "on_call": list(names)}
