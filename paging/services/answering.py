"""End and pause escalations: somebody answered, or the incident ended."""

import datetime as dt
from collections.abc import Collection, Sequence

from django.db.models import Value

from core.db import rows
from core.db.transactions import unit_of_work
from core.server.jobs import wake
from core.text.sentences import Sentence
from incidents.models import Incident, Status
from incidents.services.recording import IncidentChange, lock_many
from paging.models import EscalationAlarm, EscalationRun, Page
from paging.pages import withdraw
from paging.services import alarming
from paging.vocabulary import RunState
from responders.notices import Notice, announce
from users.models import User

ENDED = {Status.RESOLVED: Sentence("resolved", is_part=True), Status.CLOSED: Sentence("closed", is_part=True)}
DELETED, ENDED_MEANWHILE = Sentence("deleted", is_part=True), Sentence("the incident ended")
MOVING = frozenset({"status", "deleted_at"})
RUN_COLUMNS = ("state", "open_key", "next_step_at", "acknowledged_at", "again_at", "ended_at", "ended_because")
A_RUN, A_PAGE, AN_ALARM = 1, 2, 3
NOT_REACHED = Sentence("%(name)s could not be reached for %(incident)s")
PAGE_OTHERS = Sentence("Every attempt to deliver your page failed; page somebody else.")


def stand_down(changes: Sequence[IncidentChange]) -> None:
    """Cancel what waits, in the transaction that acknowledges or ends."""
    moved = {change.incident.pk: change for change in changes if _is_answer(change)}
    if not moved:
        return
    waiting = _waiting(list(moved))
    if not waiting:
        return
    runs = {run.incident_id: run for run in rows.select_in(EscalationRun, "id", waiting.get(A_RUN, ()))}
    settled = [number for number, change in moved.items() if _settle(change, runs.get(number))]
    rows.update_many([run for run in runs.values() if run.incident_id in settled], RUN_COLUMNS)
    at = max(change.context.received_at for change in moved.values())
    _close_pages(settled, {}, at)
    if AN_ALARM in waiting:
        alarming.clear(settled, at)


def _is_answer(change: IncidentChange) -> bool:
    """Return whether the change acknowledges, ends or hides the incident."""
    if not MOVING & change.columns:
        return False
    return change.incident.status != Status.OPEN or change.incident.deleted_at is not None


def _waiting(incident_ids: list[int]) -> dict[int, list[int]]:
    """Return the current runs, and some of the pages and alarms, of incidents, in one statement."""
    runs = EscalationRun.objects.order_by().filter(open_key__in=incident_ids)
    pages = Page.objects.waiting().order_by().filter(incident__in=incident_ids)
    alarms = EscalationAlarm.objects.order_by().filter(incident__in=incident_ids, cleared_at__isnull=True)
    parts = [
        part.annotate(part=Value(number)).values_list("part", "pk")
        for number, part in ((A_RUN, runs), (A_PAGE, pages), (AN_ALARM, alarms))
    ]
    found: dict[int, list[int]] = {}
    for part, pk in parts[0].union(*parts[1:], all=True):
        found.setdefault(part, []).append(pk)
    return found


def _settle(change: IncidentChange, run: EscalationRun | None) -> bool:
    """End or acknowledge the run; return False if it needs further answers."""
    incident, at, user = change.incident, change.context.received_at, change.context.by
    if incident.deleted_at is not None or incident.status in ENDED:
        if run is not None:
            because = DELETED if incident.deleted_at is not None else ENDED[Status(incident.status)]
            _end(run, at, because.say())
        return True
    if run is None:
        return True
    if run.acks_needed > 1 and run.state == RunState.RUNNING:
        if user is not None:
            mark_answered(incident.pk, user.pk, at)
        if answers_of(run) < run.acks_needed:
            return False
    _acknowledge(run, at)
    return True


def _acknowledge(run: EscalationRun, at: dt.datetime) -> None:
    reack = run.policy_values.get("reack_minutes")
    run.state, run.acknowledged_at, run.again_at = RunState.ACKNOWLEDGED, run.acknowledged_at or at, None
    run.next_step_at = at + dt.timedelta(minutes=reack) if reack else None


def _end(run: EscalationRun, at: dt.datetime, because: str) -> None:
    run.state, run.open_key, run.next_step_at = RunState.ENDED, None, None
    run.ended_at, run.ended_because = at, because


def end_runs(runs: Sequence[EscalationRun], at: dt.datetime, *, because: str) -> None:
    """End escalations and cancel their pages; the incidents are locked."""
    for run in runs:
        _end(run, at, because)
    rows.update_many(runs, RUN_COLUMNS)
    if runs:
        _close_pages([], {"run__in": [run.pk for run in runs]}, at)


def _close_pages(incident_ids: Collection[int], which: dict[str, object], at: dt.datetime) -> None:
    waiting = Page.objects.waiting()
    chosen = waiting.filter(**which) if which else waiting.filter(incident__in=incident_ids)
    pages = list(chosen.order_by("pk").values_list("pk", flat=True)) if which or incident_ids else []
    Page.objects.filter(pk__in=pages).update(cancelled_at=at) if pages else None
    withdraw(pages, at)


def mark_answered(incident_id: int, user_id: int, at: dt.datetime) -> int:
    """Mark the pages of a person answered and cancel what still waits for them; return how many."""
    own = Page.objects.waiting().filter(incident=incident_id, user=user_id)
    pages = list(own.order_by("pk").values_list("pk", flat=True))
    if pages:
        Page.objects.filter(pk__in=pages).update(answered_at=at)
        withdraw(pages, at)
    return len(pages)


def answers_of(run: EscalationRun) -> int:
    """Return how many different people have answered the run's pages."""
    return run.pages.filter(answered_at__isnull=False, user__isnull=False).values("user").distinct().count()


@unit_of_work
def record_answer(incident: Incident, user: User, at: dt.datetime) -> bool:
    """Count a person's answer; return whether a page waited for it.

    Acknowledging the incident is the caller's to do; this stops what an acknowledged incident still waits for.
    """
    locked = lock_many([incident.pk]).get(incident.pk)
    if locked is None:
        return False
    has_waited = mark_answered(locked.pk, user.pk, at) > 0
    run = EscalationRun.objects.current().filter(incident=locked.pk).first()
    if run is None or locked.status == Status.OPEN or run.state == RunState.ACKNOWLEDGED:
        return has_waited
    if run.again_at is not None or answers_of(run) >= run.acks_needed:
        _stop_for([run], at)
    return has_waited


def paging_again(incident_ids: Collection[int]) -> list[int]:
    """Return which of the incidents page again although they were acknowledged."""
    again = EscalationRun.objects.current().filter(incident__in=incident_ids, again_at__isnull=False)
    return list(again.values_list("incident_id", flat=True)) if incident_ids else []


def note_work(incident_ids: Collection[int], at: dt.datetime) -> None:
    """Stop paging again for incidents that somebody works on; they are locked."""
    if incident_ids:
        again = EscalationRun.objects.current().filter(incident__in=incident_ids, again_at__isnull=False)
        _stop_for(list(again.order_by("pk")), at)


def stop_runs(runs: Sequence[EscalationRun], at: dt.datetime) -> None:
    """End or acknowledge escalations answered without their knowing; all are locked."""
    ended = [run for run in runs if run.incident.deleted_at is not None or run.incident.status in ENDED]
    end_runs(ended, at, because=ENDED_MEANWHILE.say())
    _stop_for([run for run in runs if run not in ended], at)


def _stop_for(runs: list[EscalationRun], at: dt.datetime) -> None:
    if not runs:
        return
    for run in runs:
        _acknowledge(run, at)
    rows.update_many(runs, RUN_COLUMNS)
    ids = [run.incident_id for run in runs]
    _close_pages(ids, {}, at)
    alarming.clear(ids, at)


@unit_of_work
def page_failed(page_ids: Collection[int], at: dt.datetime) -> None:
    """Note that every attempt of these pages failed; the next step follows at once."""
    failed = Page.objects.filter(pk__in=page_ids, failed_at__isnull=True)
    pages = list(failed.select_related("incident").order_by("pk"))
    failed.update(failed_at=at)
    announce(*(_failure_notice(page) for page in pages if page.run_id is None and page.by_id is not None))
    running = sorted({page.run_id for page in pages if page.run_id is not None})
    runs = [run for run in rows.select_in(EscalationRun, "id", running, lock=True) if run.state == RunState.RUNNING]
    alive = set(Page.objects.filter(run__in=running, failed_at__isnull=True).values_list("run_id", "performed"))
    failing = [run.pk for run in runs if (run.pk, run.performed - 1) not in alive]
    EscalationRun.objects.filter(pk__in=failing, next_step_at__gt=at).update(next_step_at=at)
    wake("perform_steps")


def _failure_notice(page: Page) -> Notice:
    return Notice(
        key=f"page-failed-{page.pk}",
        kind="page_failed",
        title=NOT_REACHED.say(name=page.target_name, incident=page.incident.reference),
        body=PAGE_OTHERS.say(),
        users=(page.by_id,) if page.by_id else (),
        incident=page.incident_id,
        is_urgent=True,
    )
