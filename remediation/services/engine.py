"""Do what runs have to do: each phase is committed as started before anything is sent, its result afterwards.

A phase that changes something is sent by whoever inserted its row, so never twice: the row is unique. If its sender
ends in between, the run is unknown once the lease is over.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction

from core.db.clock import database_now
from core.db.leases import Lease
from core.db.transactions import is_database_unavailable, unit_of_work
from core.server.jobs import is_stopping
from core.text.sentences import Sentence
from incidents.models import Incident
from remediation.binding import idempotency_key
from remediation.guards import RESTRICTED, STOPPED
from remediation.models import Run, RunPhase, RunTarget
from remediation.plans import Ending, Move, Planned, Result, next_of_dry_run, next_of_execution
from remediation.services import guarding, runs, stopping
from remediation.services.deciding import stored_targets
from remediation.services.resolving import kind_of
from remediation.steps.outputs import cleaned
from remediation.steps.port import (
    ACTING,
    MAX_OUTPUT,
    Context,
    Outcome,
    OutcomeState,
    Phase,
    StepFailed,
    StepKind,
    Target,
    step_kind,
)
from remediation.vocabulary import Activity, PhaseState, RunEventKind, RunState

ATTEMPTS = 3  # of a phase that only reads, whose sender ended
LONGEST_PAUSE = 60.0
OVERDUE = "It did not end in time."
NO_KIND = Sentence("The step on %(target)s is of a kind that is not available here.")

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Work:
    """A phase to do now; `held` is the end of the lease, which proves that the run is still ours."""

    run: int
    phase: int
    attempt: int
    held: dt.datetime
    kind: StepKind
    context: Context
    is_poll: bool


def run_due(now: dt.datetime) -> int:
    """Do what is due of one run, until it waits or ends; return how many phases were done."""
    lease, due = _lease(), Run.objects.filter(due_at__lte=now)
    if due.exists():  # looking costs no lock
        for number in lease.claim_many(due.order_by("due_at")[:1], now):
            return _drive(number, now + lease.length)
    return 0


def _lease() -> Lease:
    return Lease("due_at", dt.timedelta(seconds=settings.REMEDIATION_LEASE_SECONDS))


def _drive(number: int, held: dt.datetime) -> int:
    done = 0
    while not is_stopping():
        work = begin(number, held)
        if work is None:
            return done + 1
        outcome = perform(work)
        record(work, outcome)
        held, done = work.held, done + 1
    _let_go(number, held)
    return done


@unit_of_work
def _let_go(number: int, held: dt.datetime) -> None:
    """Leave a run to another worker, between two phases."""
    Run.objects.filter(pk=number, due_at=held).update(due_at=database_now())


@unit_of_work
def begin(number: int, held: dt.datetime) -> Work | None:
    """Commit what comes next as started; return None where the run waits, has ended, or is another worker's."""
    run, incident = runs.lock_run(number)
    if run.due_at != held:
        return None
    targets = {row.pk: row for row in RunTarget.objects.filter(run=run)}
    phases = list(RunPhase.objects.select_for_update().filter(run=run))
    now = database_now()
    for row in phases:
        if row.state == PhaseState.STARTED and row.phase in ACTING:
            _end_phase(row, PhaseState.INTERRUPTED, now)
        elif row.state in (PhaseState.STARTED, PhaseState.WAITING):
            return _again(run, incident, targets[row.target_id], row, phases, now)
    move = _next(run, targets, phases, now)
    if isinstance(move, Ending):
        _end(run, move)
        return None
    target = targets[move.target]
    return _insert(run, incident, target, move.phase, phases, now)


def _next(run: Run, targets: Mapping[int, RunTarget], phases: list[RunPhase], now: dt.datetime) -> Move:
    results = {
        (row.target_id, Phase(row.phase)): Result(PhaseState(row.state), row.did_nothing)
        for row in phases
        if row.state not in (PhaseState.STARTED, PhaseState.WAITING)
    }
    steps = [(step, step_kind(step["kind"])) for step in run.version.steps]
    planned = []
    for row in sorted(targets.values(), key=lambda row: (row.step, row.place)):
        step, kind = steps[row.step]
        if kind is None:  # it was executed by an installation that has it
            state = RunState.UNKNOWN if any(phase in ACTING for _target, phase in results) else RunState.ABORTED
            return Ending(state, NO_KIND.say(target=row.name), is_failure=True)
        planned.append(Planned(row.pk, row.name, kind.phases(step), kind.verifies(step)))
    if run.activity == Activity.DRY_RUN:
        return next_of_dry_run(planned, results)
    return next_of_execution(planned, results, stopping=_why_stopping(run), frozen=_why_frozen(run, now))


def _why_stopping(run: Run) -> str | None:
    if run.is_stopping:
        return run.stopping_because
    if run.executed_by_id is None and run.incident.is_restricted:
        return RESTRICTED.say()
    held = stopping.present_stop()
    return STOPPED.say(reason=held.reason) if held is not None else None


def _why_frozen(run: Run, now: dt.datetime) -> str | None:
    """Return the freeze that began meanwhile; an administrator's reason is for the whole run."""
    freeze = None if run.override_reason else guarding.freeze_of(run.incident, stored_targets(run), now)
    return freeze.text if freeze is not None else None


def _insert(
    run: Run, incident: Incident, target: RunTarget, phase: Phase, phases: list[RunPhase], now: dt.datetime
) -> Work | None:
    step = run.version.steps[target.step]
    kind = kind_of(step, target.step + 1)
    row = RunPhase(
        run=run,
        target=target,
        phase=phase,
        idempotency_key=idempotency_key(run.pk, run.digest, target.pk, phase),
        started_at=now,
        ends_at=now + runs.seconds(kind.seconds(step, phase)),
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        return None  # another worker was quicker
    return _work(run, incident, target, row, phases, now, is_poll=False)


def _again(
    run: Run, incident: Incident, target: RunTarget, row: RunPhase, phases: list[RunPhase], now: dt.datetime
) -> Work | None:
    """Ask a waiting phase, or a reading one whose worker ended, once more."""
    if row.state == PhaseState.WAITING and row.due_at is not None and row.due_at > now:
        run.due_at = row.due_at
        runs.save(run, "due_at")
        return None
    was_started = row.state == PhaseState.STARTED
    if row.ends_at <= now or (was_started and row.attempts >= ATTEMPTS):
        # a later look at the run goes on from here
        _end_phase(row, PhaseState.UNKNOWN if row.phase in ACTING else PhaseState.FAILED, now, OVERDUE)
        run.due_at = now
        runs.save(run, "due_at")
        return begin(run.pk, now)
    row.attempts += 1
    if row.phase not in ACTING:
        row.state = PhaseState.STARTED
    row.save(update_fields=["attempts", "state"])
    return _work(run, incident, target, row, phases, now, is_poll=row.phase in ACTING)


def _work(
    run: Run,
    incident: Incident,
    target: RunTarget,
    row: RunPhase,
    phases: list[RunPhase],
    now: dt.datetime,
    *,
    is_poll: bool,
) -> Work:
    """Renew the lease, and return what to do without a transaction."""
    run.due_at = now + _lease().length
    runs.save(run, "due_at")
    memory: dict[str, object] = {}
    for other in phases:
        if other.target_id == target.pk and other.pk != row.pk:
            memory.update(other.memory)
    memory.update(row.memory)
    step = run.version.steps[target.step]
    who = run.executed_by.name if run.executed_by is not None else runs.RULE.machine_name
    context = Context(
        run=run.pk,
        incident=incident.pk,
        step=target.step,
        phase=Phase(row.phase),
        idempotency_key=row.idempotency_key,
        parameters=run.parameters,
        target=Target(target.kind, target.name, target.details),
        spec=step,
        memory=memory,
        seconds_left=(row.ends_at - now).total_seconds(),
        actor=who,
    )
    return Work(run.pk, row.pk, row.attempts, run.due_at, kind_of(step, target.step + 1), context, is_poll)


def perform(work: Work) -> tuple[PhaseState, Outcome, bool]:
    """Do it, outside of any transaction; return the phase's state, its outcome, and whether it did nothing."""
    context, is_acting = work.context, work.context.phase in ACTING
    try:
        rendered = work.kind.render(context.spec, context.parameters, context.target)
        ready = replace(context, spec=rendered)
        outcome = work.kind.poll(ready) if work.is_poll else work.kind.perform(ready)
    except StepFailed as error:
        is_unclear = is_acting and not error.did_nothing
        state = PhaseState.UNKNOWN if is_unclear else PhaseState.FAILED
        return state, Outcome(OutcomeState.FAILED, error.message), error.did_nothing
    except Exception as error:
        # a kind's own fault must not end the worker; it may have come after the call
        if is_database_unavailable(error):
            raise
        log.error("remediation_step_failed", run=work.run, phase=str(context.phase), exc_info=error)
        state = PhaseState.UNKNOWN if is_acting else PhaseState.FAILED
        return state, Outcome(OutcomeState.FAILED, f"It ended with {type(error).__name__}."), False
    return STATES[outcome.state], outcome, False


STATES = {
    OutcomeState.DONE: PhaseState.DONE,
    OutcomeState.FAILED: PhaseState.FAILED,
    OutcomeState.WAIT: PhaseState.WAITING,
}


@unit_of_work
def record(work: Work, result: tuple[PhaseState, Outcome, bool]) -> None:
    """Store what came of a phase; of one that was given up meanwhile, only what it answered."""
    state, outcome, did_nothing = result
    run, _incident = runs.lock_run(work.run)
    row = RunPhase.objects.select_for_update().filter(pk=work.phase).first()
    if row is None:
        return
    output = cleaned(outcome.output)
    if run.due_at != work.held or row.attempts != work.attempt:
        log.warning("remediation_answer_late", run=run.pk, phase=row.phase)
        row.output = f"{row.output}\nIts answer came later: {state}. {output}".strip()[:MAX_OUTPUT]
        row.save(update_fields=["output"])
        return
    now = database_now()
    row.output, row.memory, row.did_nothing = output or row.output, {**row.memory, **outcome.memory}, did_nothing
    if state == PhaseState.WAITING:
        pause = min(max(outcome.pause, 0.1), LONGEST_PAUSE)
        row.state, row.due_at = state, min(now + runs.seconds(pause), row.ends_at)
        row.save(update_fields=["state", "due_at", "output", "memory", "did_nothing"])
        return
    _end_phase(row, state, now)
    if row.phase in ACTING:
        _note_step(run, row, state)


def _end_phase(row: RunPhase, state: PhaseState, now: dt.datetime, output: str = "") -> None:
    row.state, row.finished_at, row.due_at = state, now, None
    row.output = f"{row.output}\n{output}".strip() if output else row.output
    row.save(update_fields=["state", "finished_at", "due_at", "output", "memory", "did_nothing"])


def _note_step(run: Run, row: RunPhase, state: PhaseState) -> None:
    target = RunTarget.objects.get(pk=row.target_id)
    data = {"step": target.step + 1, "target": target.name, "phase": row.phase, "state": str(state)}
    runs.note(run, RunEventKind.RUN_STEP, by=runs.ENGINE, data=data)


def _end(run: Run, ending: Ending) -> None:
    if ending.state is not None:
        runs.finish(run, RunState(ending.state), ending.why, by=runs.ENGINE, is_failure=ending.is_failure)
        return
    run.activity, run.due_at, run.dry_run_at = Activity.NOTHING, None, database_now()
    runs.save(run, "activity", "due_at", "dry_run_at")
    data = {"is_failure": ending.is_failure}
    runs.note(run, RunEventKind.RUN_DRY_RUN, by=runs.ENGINE, body=ending.why, data=data)
