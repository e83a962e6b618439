"""Tell how an incident stood at an earlier moment."""

import datetime as dt
from typing import Any

from django.utils.translation import gettext as _

from core.errors import NotFound
from incidents.models import Incident, IncidentEvent
from incidents.snapshot import replay_changes


def state_at(incident: Incident, moment: dt.datetime) -> dict[str, Any]:
    """Return the fields, folded from the events that had happened by then, and `updated_at`. Raises NotFound."""
    events = IncidentEvent.objects.filter(incident=incident, occurred_at__lte=moment).order_by("seq")
    facts = list(events.values_list("data", "occurred_at"))
    state = replay_changes(data.get("changes", {}) for data, _at in facts)
    if state["created_at"] is None:
        raise NotFound(_("%(incident)s did not exist then.") % {"incident": incident.reference})
    if state["deleted_at"] is not None:
        raise NotFound(_("%(incident)s was deleted then.") % {"incident": incident.reference})
    # Of what changed it: not of an internal note, of which this caller may not know.
    return {**state, "updated_at": max(at for data, at in facts if "changes" in data)}
