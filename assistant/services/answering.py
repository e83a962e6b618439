"""Ask the model what waits, outside of any transaction; keep what stands up to checking."""

import datetime as dt
import secrets
import time
from dataclasses import dataclass
from typing import Any

import structlog
from django.conf import settings
from django.db.models import F

from assistant.answers import Claim, NotAnAnswer, claims_of
from assistant.models import ModelCall
from assistant.prompts import LONGEST_REPEATED, digest_of, prompt_of, repair_of
from assistant.providers.port import Completion, Failure, Prompt, Provider, ProviderFailed, Stop
from assistant.services import budget, provider
from assistant.services.telling import Material, material_of
from assistant.vocabulary import CallState, Outcome, Task
from core.db.clock import database_now
from core.db.leases import Lease
from core.db.transactions import unit_of_work
from core.server.jobs import is_stopping
from core.text.sentences import Sentence
from incidents.models import EventKind, Incident, IncidentEvent

log = structlog.get_logger(__name__)

BATCH = 20
RUN_SECONDS = 60  # no new question after this in one run
ATTEMPTS = 2
FIRST_WAIT, LONGEST_WAIT = 15.0, 600.0  # seconds
SPARE_SECONDS = 60

OFF = Sentence("The model is switched off.")
REMOVED = Sentence("A text that the model was told was removed while it answered; ask again.")
NOT_TOLD = Sentence("Restricted incidents are never sent to a model.")
ENDED = Sentence("The worker ended while it asked the model.")
CIRCUIT_OPEN = Sentence("The model's provider failed several times; it is tried again later.")
DAY_USED = Sentence("The day's budget for the model is used up.")
INCIDENT_USED = Sentence("This incident's budget for the model is used up.")
DECLINED = Sentence("The model declined to answer.")
INVALID = Sentence("The model's answer was not usable, also when asked again.")
UNGROUNDED = Sentence("The model's answer cited nothing that it was told.")
EMPTY = Sentence("The model found nothing to say.")
FAILURES = {
    Failure.RATE_LIMITED: Sentence("The model's provider limits how often it is asked."),
    Failure.OVERLOADED: Sentence("The model's provider is overloaded."),
    Failure.SERVER_ERROR: Sentence("The model's provider has an error."),
    Failure.TIMED_OUT: Sentence("The model did not answer in time."),
    Failure.UNREACHABLE: Sentence("The model's provider cannot be reached."),
    Failure.REJECTED: Sentence("The model's provider refuses the request; check key, model and address."),
    Failure.NOT_UNDERSTOOD: Sentence("The model's provider sent an answer that nobody understands."),
}


class Finished(Exception):
    """The call ends without an answer."""

    def __init__(self, outcome: Outcome, reason: Sentence) -> None:
        super().__init__(reason.text)
        self.outcome = outcome
        self.reason = reason


@dataclass
class Used:
    """What a call took, over its requests; `seen` is the newest event when it read what it tells."""

    seen: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    tools: int = 0


def answer_waiting() -> int:
    """Ask what waits; return how many calls were taken."""
    began, count = time.monotonic(), 0
    lease = Lease("due_at", dt.timedelta(seconds=2 * settings.ASSISTANT_SECONDS + SPARE_SECONDS))
    for call in ModelCall.objects.due(database_now()).select_related("incident")[:BATCH]:
        if is_stopping() or time.monotonic() - began > RUN_SECONDS:
            break
        if lease.claim(call, database_now(), attempts=F("attempts") + 1):
            call.attempts += 1
            _answer(call)
            count += 1
    return count


def _answer(call: ModelCall) -> None:
    began, used = time.monotonic(), Used()
    try:
        outcome, result = _asked(call, used)
        _finish(call, used, began, outcome, "", result)
    except Finished as end:
        _finish(call, used, began, end.outcome, end.reason.say(), {})
    except ProviderFailed as error:
        log.warning("model_failed", failure=str(error), incident=call.incident_id, call=call.pk)
        if error.is_passing and call.attempts < ATTEMPTS:
            wait = min(error.retry_after or FIRST_WAIT, LONGEST_WAIT)
            due_at = database_now() + dt.timedelta(seconds=wait)
            tokens = {"tokens_in": call.tokens_in + used.tokens_in, "tokens_out": call.tokens_out + used.tokens_out}
            ModelCall.objects.filter(pk=call.pk).update(due_at=due_at, **tokens)
        else:
            _finish(call, used, began, Outcome.FAILED, FAILURES[error.failure].say(), {})


def _asked(call: ModelCall, used: Used) -> tuple[Outcome, dict[str, Any]]:
    """Return what became of a question. Raises Finished and ProviderFailed."""
    chosen, incident = provider.configured(), Incident.objects.present().filter(pk=call.incident_id).first()
    if chosen is None or incident is None or not provider.the_switch().is_enabled:
        raise Finished(Outcome.DROPPED, OFF)
    if incident.is_restricted:
        raise Finished(Outcome.DROPPED, NOT_TOLD)
    if call.attempts > ATTEMPTS:
        raise Finished(Outcome.FAILED, ENDED)
    used.seen = IncidentEvent.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    material = material_of(incident, call.asked_by, database_now())
    call.provider, call.model = chosen.name, chosen.model[:100]
    call.prompt_digest = digest_of(call.task, material.rows, f"{chosen.name} {chosen.model}", material.redactor.names)
    call.rows = f" {' '.join(sorted(material.ids))} "
    cached = _cached(call)
    return (Outcome.CACHED, cached) if cached is not None else _answered(call, chosen, material, used)


def _cached(call: ModelCall) -> dict[str, Any] | None:
    """Return what the same question was answered, about the same rows."""
    same = ModelCall.objects.answered().filter(
        prompt_digest=call.prompt_digest, incident=call.incident_id, rows=call.rows
    )
    return next((one.result for one in same.order_by("-id")[:3] if one.result), None)


def _answered(call: ModelCall, chosen: Provider, material: Material, used: Used) -> tuple[Outcome, dict[str, Any]]:
    prompt = prompt_of(call.task, material.rows, secrets.token_hex(16))
    outcome = Outcome.USED
    completion = _complete(call, chosen, prompt, used)
    try:
        claims = claims_of(call.task, completion, material.ids)
    except NotAnAnswer as error:
        outcome = Outcome.REPAIRED
        said = material.redactor.redact(completion.text[:LONGEST_REPEATED])  # a megabyte takes a minute
        again = repair_of(prompt, said, str(error))
        completion = _complete(call, chosen, again, used)
        try:
            claims = claims_of(call.task, completion, material.ids)
        except NotAnAnswer as error:
            raise Finished(Outcome.DROPPED, INVALID) from error
    if not claims:
        raise Finished(Outcome.DROPPED, UNGROUNDED if '"evidence"' in completion.text else EMPTY)
    return outcome, _result(call.task, claims, material)


def _complete(call: ModelCall, chosen: Provider, prompt: Prompt, used: Used) -> Completion:
    """Send one request: admitted, reserved, settled. Raises Finished and ProviderFailed."""
    if not provider.admit(database_now()):
        raise Finished(Outcome.FAILED, CIRCUIT_OPEN)
    limits = provider.limits()
    try:
        reservation = budget.reserve(call.incident_id, prompt, limits, database_now())
    except budget.OverBudget as error:
        raise Finished(Outcome.OVER_BUDGET, DAY_USED if error.scope.startswith("day:") else INCIDENT_USED) from error
    try:
        completion = chosen.complete(prompt, limits)
    except ProviderFailed as error:
        provider.failed(str(error), database_now())
        budget.settle(reservation, reservation.amount if error.may_be_charged else 0)
        raise
    tokens = budget.used_by(completion, prompt)
    budget.settle(reservation, budget.amount_of(*tokens))
    provider.succeeded()
    used.tokens_in += tokens[0]
    used.tokens_out += tokens[1]
    used.tools += completion.tools_ignored
    if completion.stop == Stop.REFUSAL:
        raise Finished(Outcome.REFUSED, DECLINED)
    return completion


def _result(task: str, claims: list[Claim], material: Material) -> dict[str, Any]:
    """Return claims as they are stored: with real names, and no secret, since none was sent."""
    restored = [(material.redactor.restore(one.text), one) for one in claims]
    if task == Task.CAUSES:
        return {
            "causes": [
                {"hypothesis": text, "confidence": one.confidence, "evidence": list(one.evidence)}
                for text, one in restored
            ]
        }
    return {"sentences": [{"text": text, "evidence": list(one.evidence)} for text, one in restored]}


@unit_of_work
def _finish(call: ModelCall, used: Used, began: float, outcome: Outcome, reason: str, result: dict[str, Any]) -> None:
    """Write what became of a call, and let go of it; an answer may repeat what was removed meanwhile."""
    if result and _is_redacted_since(call, used.seen):
        outcome, reason, result = Outcome.DROPPED, REMOVED.say(), {}
    call.state, call.outcome, call.reason, call.result = CallState.DONE, outcome, reason, result
    call.tokens_in += used.tokens_in
    call.tokens_out += used.tokens_out
    call.cost_micros = budget.cost_micros(call.tokens_in, call.tokens_out)
    call.tools_ignored = min(used.tools, 1000)
    call.duration_ms = int((time.monotonic() - began) * 1000)
    call.ended_at, call.due_at = database_now(), None
    call.save(
        update_fields=[
            *("state", "outcome", "reason", "result", "tokens_in", "tokens_out", "cost_micros", "tools_ignored"),
            *("duration_ms", "ended_at", "due_at", "provider", "model", "prompt_digest", "rows"),
        ]
    )


def _is_redacted_since(call: ModelCall, event: int) -> bool:
    """Return whether a text that the model was told is gone; a redaction waits until the answer is stored."""
    told = [int(id.removeprefix("incident-")) for id in call.rows.split() if id.startswith("incident-")]
    list(Incident.objects.select_for_update().filter(pk__in=told).order_by("pk").values_list("pk"))
    return IncidentEvent.objects.filter(incident__in=told, kind=EventKind.REDACTED, pk__gt=event).exists()
