"""Mark missed targets."""

import datetime as dt

from core.db.transactions import unit_of_work
from incidents.models import Incident, Origin, Status
from incidents.services.clocks import mark_breaches_of, next_breach_at
from incidents.services.recording import ChangeContext, IncidentChange


@unit_of_work
def mark_breach(incident_id: int, now: dt.datetime) -> bool:
    """Mark what an incident has missed by now, once; return whether there was anything to mark."""
    incident = Incident.objects.select_for_update().breach_due(now).filter(pk=incident_id).first()
    if incident is None:
        return False
    change = IncidentChange(incident, ChangeContext.now(None, Origin.JOB, at=now))
    mark_breaches_of(
        change,
        acknowledged_at=now if incident.status == Status.OPEN else None,
        resolved_at=now if incident.is_still_open and incident.status != Status.ON_HOLD else None,
        resolve_due_at=incident.resolve_due_at,
    )
    incident.next_breach_at = next_breach_at(incident)
    if not change.events:
        Incident.objects.filter(pk=incident.pk).update(next_breach_at=incident.next_breach_at)
        return False
    change.columns.add("next_breach_at")
    change.save()
    return True
