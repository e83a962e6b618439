"""Ask a language model about an incident: the question waits for the worker."""

import datetime as dt

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from assistant.models import ModelCall
from assistant.services.model_suggestions import standing_of
from assistant.vocabulary import CallState, ModelState, Task
from core.db.transactions import unit_of_work
from core.errors import Conflict, PermissionRefused
from core.server.jobs import wake
from incidents.models import EventKind, Incident, IncidentEvent
from incidents.permissions import require_visible
from incidents.services import feed
from incidents.services.recording import lock
from users.models import User

JOB = "ask_model"
READER = "assistant_openings"
BATCH = 100
AT_OPENING = (Task.CAUSES,)
RECENT = dt.timedelta(hours=1)  # older ones are history that is read late


@unit_of_work
def ask(incident: Incident, *, task: Task, by: User, at: dt.datetime | None = None) -> ModelCall:
    """Have the model asked soon; a question that waits already is returned. Raises Conflict with the reason."""
    require_visible(by, incident)
    if not by.is_staff:
        raise PermissionRefused(_("Only responders and administrators can do this."))
    incident = lock(incident)
    if (waiting := _waiting(incident).filter(task=task).first()) is not None:
        return waiting
    standing = standing_of(incident)
    if standing.state != ModelState.READY:
        raise Conflict(standing.reason, code=f"model_{standing.state}")
    return _queue(incident, task, by, at or timezone.now())


def _waiting(incident: Incident) -> QuerySet[ModelCall]:
    return ModelCall.objects.filter(incident=incident, state=CallState.WAITING)


def _queue(incident: Incident, task: Task, by: User | None, at: dt.datetime) -> ModelCall:
    call = ModelCall.objects.create(incident=incident, task=task, asked_by=by, created_at=at, due_at=at)
    wake(JOB)
    return call


def follow_openings(limit: int = BATCH) -> int:
    """Ask about the incidents that were just opened, if the operator wants it; return how many events were read."""
    return feed.consume(READER, _handle, limit=limit)


def _handle(events: list[IncidentEvent]) -> None:
    opened = [event.incident_id for event in events if event.kind == EventKind.CREATED]
    if not opened or not settings.ASSISTANT_AT_OPENING or not settings.ASSISTANT_PROVIDER:
        return
    since = timezone.now() - RECENT
    for incident in Incident.objects.counted().filter(pk__in=opened, is_open=True, created_at__gte=since):
        if not incident.model_calls.exists() and standing_of(incident).state == ModelState.READY:
            for task in AT_OPENING:
                _queue(incident, task, None, timezone.now())
