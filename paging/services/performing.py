"""Perform the steps of escalations that are due, each once, whatever the number of workers.

Claim, effects and the next due time are one transaction: nothing is left behind by a worker that dies.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from django.db.models import Max, Q

from core.db import rows
from core.db.clock import database_now
from core.db.prepared import Parameter
from core.db.transactions import is_database_unavailable, is_transient, unit_of_work
from core.text.sentences import Sentence
from incidents.models import Incident, IncidentEvent, Status
from paging.models import EscalationRun, Page
from paging.pages import paused
from paging.planning import Cursor, Outcome, advance, give_up, importance_of, perform
from paging.services import answering, turns
from paging.services.facts import Known, load, steps_named
from paging.services.writing import Batch, age_of, facts_of, locked, sentence_of
from paging.vocabulary import AlarmReason, Importance, PagingEventKind, RunState
from responders.policies import Policy, policy_of

log = structlog.get_logger(__name__)

BATCH = 200
NOW: Any = Parameter("now", EscalationRun._meta.get_field("next_step_at"))
ONE = Parameter("pk")
RETRY = dt.timedelta(minutes=1)  # after an unexpected error, or while paging is paused
PAUSED = Sentence("Paging is paused: %(why)s.")
NO_WORK = Sentence("Nobody has worked on it for %(minutes)s min since it was acknowledged; paging again.")
SKIPPED = Sentence("Step %(number)s was skipped: %(why)s.")
EMPTY = Sentence("Step %(number)s of %(policy)s: %(why)s.")
WAITS = Sentence("Nobody is paged before %(time)s, when the hours of a step begin.")
NOBODY = Sentence("nobody has answered", is_part=True)
SOME = Sentence("%(count)s of %(needed)s answers came", is_part=True)
EXHAUSTED = Sentence("The policy %(policy)s has ended: %(why)s; open for %(age)s.")
ALL_FAILED = Sentence("Every attempt to reach the people of step %(number)s failed.")
RUN_COLUMNS = (
    *("state", "position", "round", "performed", "acks_needed", "has_paged", "again_at"),
    *("next_step_at", "failure", "paused_because"),
)


def perform_due(limit: int = BATCH) -> int:
    """Perform up to `limit` due steps; return how many escalations had one."""
    if not rows.is_any(EscalationRun, "due", lambda: EscalationRun.objects.due(NOW), now=database_now()):
        return 0
    try:
        return _perform(limit)
    except Exception as error:
        if is_database_unavailable(error) or is_transient(error):
            raise
        log.error("steps_not_performed", exc_info=error)
        return _one_by_one(limit)


def _one_by_one(limit: int) -> int:
    """Perform each alone, so that a faulty one does not block the others."""
    done = 0
    for pk in list(EscalationRun.objects.due(database_now()).values_list("pk", flat=True)[:limit]):
        try:
            done += _perform(1, pk=pk)
        except Exception as error:
            if is_database_unavailable(error) or is_transient(error):
                raise
            log.error("step_not_performed", run=pk, exc_info=error)
            postponed = {"next_step_at": database_now() + RETRY, "failure": f"{type(error).__name__}: {error}"[:500]}
            EscalationRun.objects.filter(pk=pk).update(**postponed)
    return done


@unit_of_work
def _perform(limit: int, **which: Any) -> int:
    """Claim due runs and their incidents, skipping what others hold, and perform what is due.

    Nothing is waited for, so that no order of locks can deadlock.
    """
    now = database_now()
    claimed = rows.select(
        EscalationRun,
        ("due", limit, *which),
        lambda: rows.lock_available(EscalationRun.objects.due(NOW).filter(**dict.fromkeys(which, ONE))[:limit]),
        now=now,
        **which,
    )
    incidents = locked([run.incident_id for run in claimed]) if claimed else {}
    runs = [run for run in claimed if run.incident_id in incidents]
    if not runs:
        return 0
    policies = {run.pk: policy_of(run.policy_values) for run in runs}
    engine = _Engine(Batch(now), policies, load(steps_named(policies.values()), now), runs)
    for run in runs:
        engine.continue_run(run, incidents[run.incident_id])
    engine.write()
    return len(runs)


class _Engine:
    """Performs the due steps of a batch of claimed runs."""

    def __init__(
        self, batch: Batch, policies: Mapping[int, Policy], known: Known, runs: Sequence[EscalationRun]
    ) -> None:
        self.batch, self.policies, self.known, self.runs = batch, policies, known, runs
        self.turns = turns.Turns(policies.values())
        self.failures = _failures(runs)
        self.last_work = _last_work(runs)
        self.paused = paused([run.incident_id for run in runs], batch.now)
        self.stood_down: list[EscalationRun] = []

    @property
    def now(self) -> dt.datetime:
        return self.batch.now

    def write(self) -> None:
        self.turns.write()
        rows.update_many(self.runs, RUN_COLUMNS)
        self.batch.write()
        answering.stop_runs(self.stood_down, self.now)

    def continue_run(self, run: EscalationRun, incident: Incident) -> None:
        """Do what is due: a step, giving up, paging again, or nothing where it was answered."""
        told, run.failure = run.failure, ""
        if incident.deleted_at is not None or incident.status in answering.ENDED:
            run.next_step_at = None
            self.stood_down.append(run)
        elif run.state == RunState.ACKNOWLEDGED:
            self._ask_whether_work_goes_on(run, incident)
        elif self._is_answered(run, incident):
            run.next_step_at = None
            self.stood_down.append(run)
        elif why := self.paused.get(incident.pk):
            self._pause(run, incident, why)
        else:
            run.paused_because = ""
            if not self._waits_after_failure(run, incident, told):
                self._perform_steps(run, incident)

    def _pause(self, run: EscalationRun, incident: Incident, why: str) -> None:
        """Ask again soon; said once on the timeline."""
        if not run.paused_because:
            self.batch.add_event(incident, _name(run), PagingEventKind.STEP_SKIPPED, PAUSED.say(why=why))
        run.paused_because, run.next_step_at = why[:300], self.now + RETRY

    def _is_answered(self, run: EscalationRun, incident: Incident) -> bool:
        """Return whether somebody answered without the escalation having been told."""
        if run.again_at is not None:
            last = self.last_work.get(run.incident_id)
            return last is not None and last > run.again_at
        return incident.status != Status.OPEN and run.acks_needed <= 1

    def _ask_whether_work_goes_on(self, run: EscalationRun, incident: Incident) -> None:
        reack = self.policies[run.pk].reack_minutes
        if not reack:
            run.next_step_at = None
            return
        pause = dt.timedelta(minutes=reack)
        last = max(filter(None, (self.last_work.get(run.incident_id), run.acknowledged_at or run.started_at)))
        if incident.status == Status.ON_HOLD:
            run.next_step_at = self.now + pause
        elif last + pause > self.now:
            run.next_step_at = last + pause
        else:
            minutes = int((self.now - last).total_seconds()) // 60
            text = NO_WORK.say(minutes=minutes)
            self.batch.add_event(incident, _name(run), PagingEventKind.PAGED_AGAIN, text)
            run.state, run.again_at = RunState.RUNNING, self.now
            run.position, run.round, run.has_paged, run.acks_needed = 0, 0, False, 1
            self._perform_steps(run, incident)

    def _perform_steps(self, run: EscalationRun, incident: Incident) -> None:
        """Perform one step, and those after it until one pages somebody."""
        policy = self.policies[run.pk]
        cursor, was_condition = Cursor(run.position, run.round, run.has_paged), True
        wait = 0
        while cursor.position < len(policy.steps) and not wait:
            place = cursor.position
            outcome = self._step(run, incident, policy, cursor)
            cursor, wait = advance(policy, cursor, is_paged=bool(outcome.recipients))
            run.position, run.round, run.has_paged = cursor.position, cursor.round, cursor.has_paged
            was_condition = was_condition and bool(policy.steps[place].why_not_now(incident.severity, self.now))
            if outcome.recipients:
                run.next_step_at = self.now + dt.timedelta(minutes=wait)
                return
        if was_condition and self._postpone(run, incident, policy):
            return
        self._give_up(run, incident, policy, is_by_condition=was_condition and bool(policy.steps))

    def _step(self, run: EscalationRun, incident: Incident, policy: Policy, cursor: Cursor) -> Outcome:
        step = policy.steps[cursor.position]
        turn = self.turns.last(policy, cursor.position)
        facts = self.known.facts(incident.severity, incident, {cursor.position: turn})
        outcome = perform(step, cursor.position, facts)
        number = cursor.position + 1
        if outcome.in_turn is not None:
            self.turns.take(policy, cursor.position, outcome.in_turn)
        if outcome.recipients:
            run.acks_needed = max(run.acks_needed, step.needs_acks)
            self.batch.add_pages(run, incident, outcome, step=number)
            text = sentence_of(outcome)
            kind, facts_told = PagingEventKind.PAGED, {"paged": facts_of(outcome)}
        else:
            text, facts_told = SKIPPED.say(number=number, why=outcome.skipped), {}
            kind = PagingEventKind.STEP_SKIPPED
        self.batch.add_event(incident, _name(run), kind, text, step=number, round=cursor.round, **facts_told)
        if outcome.is_alarm:
            self._alarm(
                run, incident, AlarmReason.EMPTY_STEP, EMPTY.say(number=number, policy=_name(run), why=outcome.skipped)
            )
        run.performed += 1
        return outcome

    def _postpone(self, run: EscalationRun, incident: Incident, policy: Policy) -> bool:
        """Wait for the hours of steps that are only for some, where the incident is of low importance."""
        if importance_of(incident.severity) == Importance.HIGH or run.performed == 0:
            return False
        hours = [step.hours for step in policy.steps if step.hours and not _is_too_low(step, incident)]
        openings = [moment for one in hours if (moment := one.next_opening(self.now)) is not None]
        if not openings or run.pages.exists():
            return False
        run.position, run.round, run.next_step_at = 0, 0, min(openings)
        text = WAITS.say(time=f"{run.next_step_at:%Y-%m-%d %H:%M} UTC")
        self.batch.add_event(incident, _name(run), PagingEventKind.STEP_SKIPPED, text)
        return True

    def _give_up(self, run: EscalationRun, incident: Incident, policy: Policy, *, is_by_condition: bool) -> None:
        """Page those named for the end and raise the alarm, unless the policy pages nobody for such incidents."""
        run.position, run.state, run.next_step_at = len(policy.steps), RunState.EXHAUSTED, None
        if is_by_condition and importance_of(incident.severity) == Importance.LOW and not run.has_paged:
            return
        outcome = give_up(policy, self.known.facts(incident.severity, incident))
        if outcome.recipients:
            self.batch.add_pages(run, incident, outcome, step=None)
            self.batch.add_event(
                incident, _name(run), PagingEventKind.PAGED, sentence_of(outcome), paged=facts_of(outcome)
            )
        why = NOBODY.say()
        if run.acks_needed > 1:
            why = SOME.say(count=answering.answers_of(run), needed=run.acks_needed)
        detail = EXHAUSTED.say(policy=_name(run), why=why, age=age_of(incident, self.now))
        self._alarm(run, incident, AlarmReason.EXHAUSTED, detail)
        run.performed += 1

    def _waits_after_failure(self, run: EscalationRun, incident: Incident, told: str) -> bool:
        """Raise the alarm if every page of the last step failed; the next step is due then, but not the end."""
        if (run.pk, run.performed - 1) not in self.failures:
            return False
        policy = self.policies[run.pk]
        is_last = run.position in (0, len(policy.steps))
        number = len(policy.steps) if is_last else run.position
        detail = ALL_FAILED.say(number=number)
        if told == detail:
            return False
        self._alarm(run, incident, AlarmReason.ALL_FAILED, detail)
        if is_last:  # repeating or giving up at once would find the same again
            run.failure, run.next_step_at = detail, self.now + dt.timedelta(minutes=policy.last_wait)
        return is_last

    def _alarm(self, run: EscalationRun, incident: Incident, reason: AlarmReason, detail: str) -> None:
        again = int(run.again_at.timestamp()) if run.again_at is not None else 0
        key = f"{run.pk}-{again}-{reason}"  # told once, however many steps it is true of
        self.batch.add_alarm(incident, run, reason, detail, key=key, name=_name(run))


def _is_too_low(step: Any, incident: Incident) -> bool:
    return step.min_severity is not None and incident.severity < step.min_severity


def _name(run: EscalationRun) -> str:
    return str(run.policy_values.get("name", "Escalation"))


def _failures(runs: Sequence[EscalationRun]) -> set[tuple[int, int]]:
    """Return the last steps, as (run, performed), of which every page failed."""
    last = {run.pk: run.performed - 1 for run in runs if run.performed}
    failed = Page.objects.filter(run__in=last, failed_at__isnull=False).values_list("run_id", "performed").distinct()
    found = {(run, performed) for run, performed in failed if performed == last[run]} if last else set()
    if not found:
        return set()
    alive = Page.objects.filter(run__in=[run for run, _ in found], failed_at__isnull=True)
    return found - set(alive.values_list("run_id", "performed"))


def _last_work(runs: Sequence[EscalationRun]) -> dict[int, dt.datetime]:
    """Return when a person last did anything on incidents that were acknowledged."""
    ids = [run.incident_id for run in runs if run.state == RunState.ACKNOWLEDGED or run.again_at is not None]
    if not ids:
        return {}
    by_people = IncidentEvent.objects.filter(Q(actor__isnull=False) | ~Q(actor_name=""), incident__in=ids)
    return dict(
        by_people.order_by().values("incident_id").annotate(last=Max("received_at")).values_list("incident_id", "last")
    )
