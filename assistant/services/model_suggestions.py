"""What a model answered about an incident, for those who may see all that it was told."""

import re
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from assistant.models import ModelCall
from assistant.services import budget
from assistant.services.provider import configured, is_open, the_switch, today
from assistant.suggestions import Cause, Evidence
from assistant.vocabulary import CallState, EvidenceKind, ModelState, Outcome, Task
from core.text.sentences import shown
from incidents.models import Incident
from users.models import User

INCIDENT_ROW = re.compile(r"\bincident-(\d+)\b")


@dataclass(frozen=True)
class Status:
    """`reason` is a sentence in the reader's language; empty when ready."""

    state: ModelState
    reason: str = ""


@dataclass(frozen=True)
class ModelClaim:
    text: str
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True)
class ModelText:
    """A summary or a hand-over: sentences, each with the rows that it says."""

    id: str
    claims: tuple[ModelClaim, ...]

    @property
    def text(self) -> str:
        return " ".join(claim.text for claim in self.claims)

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        return tuple(dict.fromkeys(one for claim in self.claims for one in claim.evidence))


@dataclass(frozen=True)
class ModelSuggestions:
    status: Status
    causes: tuple[Cause, ...] = ()
    summary: ModelText | None = None
    hand_over: ModelText | None = None


def stored_for(incident: Incident, viewer: User) -> ModelSuggestions:
    """Return the state of the model, and its last answers that this person may see. Reads rows; asks nobody."""
    if not viewer.is_staff or configured() is None:
        return ModelSuggestions(Status(ModelState.OFF, _("No model is configured.")))
    calls = {task: _latest(incident, viewer, task) for task in Task}
    causes, summary, hand_over = (calls[task] for task in (Task.CAUSES, Task.SUMMARY, Task.HAND_OVER))
    return ModelSuggestions(
        status_of(incident),
        _causes(causes) if causes else (),
        _text(summary) if summary else None,
        _text(hand_over) if hand_over else None,
    )


def status_of(incident: Incident) -> Status:
    """Return whether the model answers about an incident now, and why not."""
    standing = standing_of(incident)
    if standing.state != ModelState.READY:
        return standing
    if incident.model_calls.filter(state=CallState.WAITING).exists():
        return Status(ModelState.WAITING, _("The model is being asked."))
    last = incident.model_calls.order_by("-id").first()
    if last is not None and last.outcome == Outcome.OVER_BUDGET and _is_of_today(last):
        return Status(ModelState.PAUSED_BUDGET, shown(last.reason))
    if last is not None and last.outcome in (Outcome.FAILED, Outcome.REFUSED, Outcome.DROPPED):
        return Status(ModelState.FAILED, shown(last.reason))
    return standing


def _is_of_today(call: ModelCall) -> bool:
    return call.ended_at is not None and today(call.ended_at) == today()


def standing_of(incident: Incident) -> Status:
    """Return whether the model may be asked about an incident now, and why not."""
    now, switch = timezone.now(), the_switch()
    if configured() is None:
        return Status(ModelState.OFF, _("No model is configured."))
    if not switch.is_enabled:
        return Status(ModelState.OFF, _("An administrator has switched the model off."))
    if incident.is_restricted:
        return Status(ModelState.OFF, _("Restricted incidents are never sent to a model."))
    if is_open(switch, now):
        return Status(ModelState.CIRCUIT_OPEN, _("The model's provider failed several times; it is tried again later."))
    daily, of_incident = budget.budgets_of(incident.pk, now)
    if daily.is_used_up:
        return Status(ModelState.PAUSED_BUDGET, _("The day's budget for the model is used up."))
    if of_incident.is_used_up:
        return Status(ModelState.PAUSED_BUDGET, _("This incident's budget for the model is used up."))
    return Status(ModelState.READY)


def _latest(incident: Incident, viewer: User, task: str) -> ModelCall | None:
    answered = incident.model_calls.answered().filter(task=task).order_by("-id")[:5]
    return next((call for call in answered if call.result and may_see(call, viewer)), None)


def may_see(call: ModelCall, viewer: User) -> bool:
    """Return whether a person sees every incident that the model was told of."""
    numbers = {int(number) for number in INCIDENT_ROW.findall(call.rows)} | {call.incident_id}
    return viewer.is_staff and Incident.objects.visible_to(viewer).filter(pk__in=numbers).count() == len(numbers)


def _evidence(names: list[str]) -> tuple[Evidence, ...]:
    pairs = (name.rpartition("-") for name in names)
    return tuple(Evidence(EvidenceKind(kind), int(number)) for kind, _dash, number in pairs)


def _causes(call: ModelCall) -> tuple[Cause, ...]:
    found: list[dict[str, Any]] = call.result.get("causes", [])
    return tuple(
        Cause(f"model-cause-{call.pk}-{number}", one["hypothesis"], one["confidence"], _evidence(one["evidence"]))
        for number, one in enumerate(found, start=1)
    )


def _text(call: ModelCall) -> ModelText:
    claims: list[dict[str, Any]] = call.result.get("sentences", [])
    return ModelText(
        f"model-{call.task}-{call.pk}", tuple(ModelClaim(one["text"], _evidence(one["evidence"])) for one in claims)
    )
