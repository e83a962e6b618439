"""Describe an incident's escalation: who was paged and why, and what comes next."""

from typing import Any

from core.db.clock import database_now
from core.text.sentences import Sentence
from incidents.models import Incident
from paging.models import EscalationRun, Page
from paging.pages import delivery_details
from paging.services.alarming import standing_alarm
from paging.services.performing import PAUSED
from paging.services.simulating import what_follows
from paging.vocabulary import RunState

MAX_PAGES = 200
NONE = "none"
NOT_STARTED = Sentence("No escalation has started.")
AGAIN = Sentence("Nobody has worked on it since it was acknowledged; people are paged again.")
SEVERAL = Sentence("It goes on until %(needed)s different people have answered.")
EXHAUSTED = Sentence("The policy has ended and nobody has answered.")
ENDED = Sentence("It ended: %(why)s.")


def describe(incident: Incident, *, looks_ahead: bool = True) -> dict[str, Any]:
    """Return the escalation as the API shows it (EscalationSerializer's shape); `next` only if it `looks_ahead`."""
    run = EscalationRun.objects.filter(incident=incident).order_by("-pk").first()
    pages = list(Page.objects.filter(incident=incident).select_related("by").order_by("-pk")[:MAX_PAGES])[::-1]
    deliveries = delivery_details(pages)
    alarm = standing_alarm(incident.pk)
    now = database_now()
    return {
        "state": state_of(run, incident),
        "step": run.position if run is not None and run.performed else None,
        "round": run.round if run is not None else None,
        "next_step_at": run.next_step_at if run is not None and run.state == RunState.RUNNING else None,
        "policy": run.policy_values if run is not None else None,
        "because": _because(run, incident),
        "alarm": {"at": alarm.raised_at, "reason": alarm.reason, "detail": alarm.detail} if alarm else None,
        "pages": [serialize_page(page, deliveries[page.pk]) for page in pages],
        "next": what_follows(run, incident, now) if looks_ahead and run and run.state == RunState.RUNNING else [],
    }


def state_of(run: EscalationRun | None, incident: Incident) -> str:
    if run is None:
        return NONE
    if run.state == RunState.ENDED:
        return RunState.ACKNOWLEDGED if incident.acknowledged_at is not None else NONE
    return run.state


def _because(run: EscalationRun | None, incident: Incident) -> str:
    if run is None:
        return NOT_STARTED.say()
    if run.state == RunState.RUNNING and run.paused_because:
        return PAUSED.say(why=run.paused_because)
    if run.state == RunState.RUNNING and run.again_at is not None:
        return AGAIN.say()
    if run.state == RunState.RUNNING and run.acks_needed > 1:
        return SEVERAL.say(needed=run.acks_needed)
    if run.state == RunState.EXHAUSTED:
        return EXHAUSTED.say()
    return ENDED.say(why=run.ended_because) if run.ended_because else ""


def serialize_page(page: Page, deliveries: list[Any]) -> dict[str, Any]:
    return {
        "id": page.pk,
        "at": page.created_at,
        "user": page.user_id,
        "name": page.target_name,
        "target": {"kind": page.target_kind, "id": page.target_id},
        "why": page.why,
        "step": page.step,
        "round": page.round,
        "importance": page.importance,
        "message": page.message,
        "by": {"id": page.by.pk, "name": page.by.name} if page.by is not None else None,
        "answered_at": page.answered_at,
        "cancelled_at": page.cancelled_at,
        "failed_at": page.failed_at,
        "deliveries": deliveries,
    }
