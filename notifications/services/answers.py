"""Answers of people: the only proof that somebody was reached."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace

from django.utils.translation import gettext as _

from core.db.clock import database_now
from core.db.transactions import unit_of_work
from core.errors import DomainError, PermissionRefused
from core.text.sentences import Sentence
from incidents.actors import Actor
from incidents.models import EventKind, Incident, Origin, Status
from incidents.services import acknowledge, assign_person, comment, resolve
from incidents.services.recording import lock_for
from incidents.vocabulary import DEFAULT_VISIBILITY, MachineKind
from notifications.models import Delivery
from notifications.services.outbox import EMAIL
from notifications.vocabulary import PENDING, SENT, Kind, State
from paging.services.answering import record_answer
from users.models import User

ACKNOWLEDGE, RESOLVE, TAKE, NOTE = "acknowledge", "resolve", "take", "note"
MOST_AT_ONCE = 200  # of a bundle, in one transaction
BY_ANOTHER = Sentence("Answered by another message.")
ACKNOWLEDGED = Sentence("You acknowledged %(incident)s: %(title)s")
RESOLVED = Sentence("You resolved %(incident)s: %(title)s")
TAKEN = Sentence("%(incident)s is yours: %(title)s")
TAKEN_BEFORE = Sentence("%(incident)s is yours already.")
NOTED = Sentence("Your note was added to %(incident)s.")
SOME_ACKNOWLEDGED = Sentence("You acknowledged %(done)s of %(count)s incidents.")
SOME_REFUSED = Sentence("%(count)s are not yours to acknowledge.")
SOME_LEFT = Sentence("%(count)s more are left; acknowledge them on their page.")
ALREADY = Sentence("%(incident)s is %(status)s already.")
ACKNOWLEDGED_BEFORE = Sentence("%(incident)s was acknowledged already, at %(time)s.")
ACKNOWLEDGED_BY = Sentence("%(incident)s was acknowledged already by %(name)s, at %(time)s.")
RESOLVED_BEFORE = Sentence("%(incident)s was resolved already, at %(time)s.")
RESOLVED_BY = Sentence("%(incident)s was resolved already by %(name)s, at %(time)s.")
CLOSED_BEFORE = Sentence("%(incident)s was closed already, at %(time)s.")
CLOSED_BY = Sentence("%(incident)s was closed already by %(name)s, at %(time)s.")
# Without, and with the name of who did it.
DONE = {
    EventKind.ACKNOWLEDGED: (ACKNOWLEDGED_BEFORE, ACKNOWLEDGED_BY),
    EventKind.STARTED: (ACKNOWLEDGED_BEFORE, ACKNOWLEDGED_BY),
    EventKind.RESOLVED: (RESOLVED_BEFORE, RESOLVED_BY),
    EventKind.CLOSED: (CLOSED_BEFORE, CLOSED_BY),
}


@dataclass(frozen=True)
class Answer:
    """What is said to the person, as a stored sentence, and whether anything changed."""

    text: str
    incident: Incident
    changed: bool


@dataclass(frozen=True)
class _Request:
    incident: Incident
    user: User
    by: Actor
    note: str
    origin: Origin


@unit_of_work
def answer(
    user: User,
    incident_number: int,
    action: str,
    *,
    channel_name: str,
    note: str = "",
    delivery: Delivery | None = None,
) -> Answer:
    """Act for a person who answers through a channel; asked twice, say so and change nothing.

    `action` is acknowledge, resolve, take (assign to oneself and acknowledge) or note. Raises DomainError: NotFound,
    PermissionRefused, InvalidTransition.
    """
    perform = ACTIONS.get(action)
    if perform is None:
        raise DomainError(
            _("%(action)s is no answer; answer with %(names)s.") % {"action": action, "names": ", ".join(ACTIONS)},
            field="action",
        )
    if not user.is_active:
        raise PermissionRefused(_("This account is deactivated."))
    by = Actor(user, user.name, MachineKind.CHANNEL, channel_name)
    incident = lock_for(incident_number, by)
    origin = Origin.EMAIL if delivery is not None and delivery.channel == EMAIL else Origin.CHAT
    request = _Request(incident, user, by, note, origin)
    if action == NOTE:
        return perform(request)  # whoever writes has not taken it on
    now = database_now()
    record_answer(incident, user, now)  # first: acknowledging withdraws the pages that are not answered
    result = perform(request)
    others = _others(delivery, incident) if action == ACKNOWLEDGE and delivery is not None else []
    mark_answered(user, result.incident, now, delivery)
    return _acknowledge_others(result, others, request, now) if others else result


def _others(delivery: Delivery, incident: Incident) -> list[int]:
    """Return the other incidents that a message stood for."""
    carried = Delivery.objects.carried_by(delivery.pk).exclude(incident=incident)
    return sorted({number for number in carried.values_list("incident_id", flat=True) if number is not None})


def _acknowledge_others(first: Answer, numbers: list[int], request: _Request, now: dt.datetime) -> Answer:
    """Acknowledge everything that one message stood for, as far as the person may."""
    done, refused = int(first.changed), 0
    for number in numbers[:MOST_AT_ONCE]:
        try:
            done += _acknowledge_another(replace(request, incident=lock_for(number, request.by), note=""), now)
        except DomainError:
            refused += 1
    said = [SOME_ACKNOWLEDGED.say(done=f"{done:,}", count=f"{1 + len(numbers):,}")]
    if refused:
        said.append(SOME_REFUSED.say(count=f"{refused:,}"))
    if left := len(numbers[MOST_AT_ONCE:]):
        said.append(SOME_LEFT.say(count=f"{left:,}"))
    return Answer(" ".join(said), first.incident, done > 0)


@unit_of_work
def _acknowledge_another(request: _Request, now: dt.datetime) -> bool:
    record_answer(request.incident, request.user, now)
    result = _acknowledge(request)
    mark_answered(request.user, result.incident, now)
    return result.changed


def _acknowledge(request: _Request) -> Answer:
    incident = request.incident
    if incident.status != Status.OPEN:
        return Answer(_already(incident), incident, False)
    incident = acknowledge(incident, by=request.by, note=request.note, origin=request.origin)
    return Answer(ACKNOWLEDGED.say(incident=incident.reference, title=incident.title), incident, True)


def _resolve(request: _Request) -> Answer:
    incident = request.incident
    if incident.status in (Status.RESOLVED, Status.CLOSED):
        return Answer(_already(incident), incident, False)
    incident = resolve(incident, by=request.by, note=request.note, origin=request.origin)
    return Answer(RESOLVED.say(incident=incident.reference, title=incident.title), incident, True)


def _take(request: _Request) -> Answer:
    incident, user = request.incident, request.user
    if incident.status in (Status.RESOLVED, Status.CLOSED):
        return Answer(_already(incident), incident, False)
    is_new = incident.assignee_id != user.pk
    if is_new:
        incident = assign_person(incident, user, by=request.by, note=request.note, origin=request.origin)
    is_open = incident.status == Status.OPEN
    if is_open:
        incident = acknowledge(incident, by=request.by, origin=request.origin)
    if is_new or is_open:
        return Answer(TAKEN.say(incident=incident.reference, title=incident.title), incident, True)
    return Answer(TAKEN_BEFORE.say(incident=incident.reference), incident, False)


def _note(request: _Request) -> Answer:
    comment(request.incident, request.note, by=request.by, visibility=DEFAULT_VISIBILITY, origin=request.origin)
    return Answer(NOTED.say(incident=request.incident.reference), request.incident, True)


ACTIONS: dict[str, Callable[[_Request], Answer]] = {
    ACKNOWLEDGE: _acknowledge,
    RESOLVE: _resolve,
    TAKE: _take,
    NOTE: _note,
}


def _already(incident: Incident) -> str:
    """Say what the incident is already, by whom and since when."""
    kinds = [EventKind.RESOLVED, EventKind.CLOSED]
    if incident.status not in (Status.RESOLVED, Status.CLOSED):
        kinds = [EventKind.ACKNOWLEDGED, EventKind.STARTED]
    event = incident.events.filter(kind__in=kinds).order_by("-seq").first()
    if event is None:
        return ALREADY.say(incident=incident.reference, status=incident.status.replace("_", " "))
    without, by = DONE[EventKind(event.kind)]
    facts = {"incident": incident.reference, "time": f"{event.occurred_at:%H:%M} UTC"}
    return by.say(name=event.actor_label, **facts) if event.actor_label else without.say(**facts)


def mark_answered(user: User, incident: Incident, at: dt.datetime, delivery: Delivery | None = None) -> None:
    """Mark what the person answered, by default the page sent last, and cancel the person's that still wait."""
    pages = Delivery.objects.filter(kind=Kind.PAGE, incident=incident, user=user, answered_at__isnull=True)
    sent = pages.filter(state__in=SENT)
    if delivery is not None and delivery.kind == Kind.PAGE:
        answered = Delivery.objects.filter(pk=delivery.pk, answered_at__isnull=True)
    else:
        last = sent.order_by("-handed_over_at", "-id").values_list("pk", flat=True).first()
        answered = pages.filter(pk=last or 0)
    answered.update(state=State.ANSWERED, answered_at=at, next_attempt_at=None, receipt_due_at=None)
    pages.filter(state__in=PENDING).update(state=State.CANCELLED, reason=BY_ANOTHER.say(), next_attempt_at=None)
    sent.update(receipt_due_at=None)
