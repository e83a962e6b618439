"""Start dry runs and executions; the engine does them."""

import datetime as dt

from django.db import IntegrityError, transaction
from django.db.models import Min
from django.utils.translation import gettext as _

from core.db.clock import database_now
from core.db.transactions import unit_of_work
from core.errors import Conflict
from core.server.jobs import wake
from incidents.actors import By, person
from incidents.models import Origin
from remediation.models import Run, Runbook, RunPhase, RunTarget
from remediation.permissions import require_propose, require_standing_approval
from remediation.services import guarding, runs
from remediation.services.deciding import require_state, require_unexpired, stored_targets
from remediation.services.resolving import Bound, bind, kind_of
from remediation.steps.port import Phase
from remediation.vocabulary import WAITING, Activity, RunEventKind, RunState

UNTRIED = frozenset({"runbook_disabled", "runbook_changed", "incident_closed"})  # what forbids even to try


@unit_of_work
def dry_run(run: Run, *, by: By, origin: str = Origin.API) -> Run:
    """Have the engine do what the steps can do without effect. Raises NotFound, PermissionRefused, Conflict."""
    run, incident = runs.lock_run(run.pk)
    require_propose(by, incident)
    require_state(run, *WAITING)
    now = database_now()
    require_unexpired(run, now)
    _require_idle(run)
    judged = guarding.judge(
        run.version, incident, stored_targets(run), is_automatic=run.is_automatic, now=now, run=run.pk
    )
    guarding.require([one for one in judged if one.code in UNTRIED], is_overridden=False)
    steps = enumerate(run.version.steps, 1)
    if not any(kind_of(step, number).phases(step) & {Phase.DRY_RUN, Phase.CHECK} for number, step in steps):
        raise Conflict(_("No step of this runbook can be tried without effect."), code="no_dry_run")
    RunPhase.objects.filter(run=run).delete()
    run.activity, run.due_at, run.dry_run_at = Activity.DRY_RUN, now, None
    runs.save(run, "activity", "due_at", "dry_run_at")
    wake(runs.JOB)
    return run


def execute(run: Run, *, by: By, override_reason: str = "", origin: str = Origin.API) -> Run:
    """Start an approved run if its targets are still the same and no guard forbids it; the engine goes on.

    Call it outside of transactions. Raises NotFound, PermissionRefused, Conflict (`targets_changed`, `run_expired`,
    `approval_void`, a guard's code).
    """
    require_propose(by, run.incident)
    require_state(run, RunState.APPROVED)
    bound = bind(run.version, run.incident_id, run.parameters)
    return _start(run.pk, bound, by=by, override_reason=override_reason, origin=origin)


@unit_of_work
def _start(number: int, bound: Bound, *, by: By, override_reason: str, origin: str) -> Run:
    run, incident = runs.lock_run(number)
    require_propose(by, incident)
    require_state(run, RunState.APPROVED)
    now = database_now()
    require_unexpired(run, now)
    require_standing_approval(run, incident)
    _require_idle(run)
    if bound.digest != run.digest:
        raise Conflict(
            _("The targets or secrets are not those that were approved; propose the run again."),
            code="targets_changed",
        )
    # two runs of a runbook at once would each miss the other in its counts
    list(Runbook.objects.select_for_update().filter(pk=run.runbook_id).values_list("pk"))
    # held first: what another runbook's run did to the targets meanwhile is then among what the guards count
    try:
        _hold(run, now)
    except IntegrityError as error:
        found = guarding.judge(run.version, incident, bound, is_automatic=run.is_automatic, now=now, run=run.pk)
        guarding.require_free(found)
        raise Conflict(_("Another run is changing one of its targets."), code="target_busy") from error
    is_overridden = guarding.override(run, override_reason, by=by)
    judged = guarding.judge(run.version, incident, bound, is_automatic=run.is_automatic, now=now, run=run.pk)
    guarding.require(judged, is_overridden=is_overridden)
    # what was tried before may be half an hour old: all of it is done again
    RunPhase.objects.filter(run=run).delete()
    run.state, run.activity, run.due_at = RunState.EXECUTING, Activity.EXECUTION, now
    run.started_at, run.executed_by, run.populations = now, person(by), list(bound.populations)
    names = ("state", "activity", "due_at", "started_at", "executed_by", "populations")
    runs.save(run, *names, "override_reason", "overridden_by")
    runs.note(run, RunEventKind.RUN_STARTED, by=by, origin=origin, data={"digest": run.digest})
    wake(runs.JOB)
    return run


def _require_idle(run: Run) -> None:
    if run.activity != Activity.NOTHING:
        raise Conflict(_("The run is being tried or executed at this moment."), code="run_busy")


def _hold(run: Run, now: dt.datetime) -> None:
    """Take the targets for this run alone. Raises IntegrityError where another run holds one."""
    of_run = RunTarget.objects.filter(run=run)
    of_run.update(started_at=now)
    # in one order, so that two runs wait for each other in none
    firsts = of_run.order_by("key").values("key").annotate(first=Min("pk")).values_list("first", "key")
    with transaction.atomic():
        for first, key in list(firsts):
            RunTarget.objects.filter(pk=first).update(held_key=key)
