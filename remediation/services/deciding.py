"""Approve, reject and abort runs; let those expire that nobody executed."""

import datetime as dt

from django.utils.translation import gettext as _

from core.db.clock import database_now
from core.db.transactions import unit_of_work
from core.errors import Conflict
from core.server.jobs import wake
from core.text.sentences import Sentence
from incidents.actors import By, person
from incidents.models import Incident, Origin
from remediation.models import Run, RunTarget
from remediation.permissions import require_approve, require_propose
from remediation.services import guarding, runs, telling
from remediation.services.proposing import VALID_SECONDS
from remediation.services.resolving import Bound
from remediation.steps.port import Target
from remediation.vocabulary import LIVE, WAITING, Activity, RunEventKind, RunState

EXPIRED = Sentence("Nobody executed it within 15 minutes.")
ABORTED_BY = Sentence("%(name)s aborted it.")
REJECTED_BY = Sentence("%(name)s rejected it.")
BATCH = 100
MAX_REASON = 1000


def require_state(run: Run, *states: RunState) -> None:
    if run.state not in states:
        raise Conflict(
            _("The run is %(state)s; that forbids it.") % {"state": run.get_state_display()},
            code="invalid_state",
            state=run.state,
        )


def require_unexpired(run: Run, now: dt.datetime) -> None:
    if run.expires_at <= now:
        raise Conflict(_("The run has expired; propose it again."), code="run_expired")


def stored_targets(run: Run) -> Bound:
    """Return the targets as they were proposed."""
    targets: list[list[Target]] = [[] for _step in run.version.steps]
    for row in RunTarget.objects.filter(run=run):
        targets[row.step].append(Target(row.kind, row.name, row.details))
    return Bound(targets, run.populations, run.digest, run.parameters)


@unit_of_work
def approve(run: Run, *, by: By, digest: str, override_reason: str = "", origin: str = Origin.API) -> Run:
    """Approve what a digest binds, for 15 minutes. Raises NotFound, PermissionRefused, Conflict.

    `digest` is what the approver saw: another one is a Conflict, `digest_mismatch`.
    """
    run, incident = runs.lock_run(run.pk)
    require_approve(by, run, incident)
    require_state(run, RunState.PROPOSED)
    now = database_now()
    require_unexpired(run, now)
    if digest != run.digest:
        raise Conflict(_("This is not what you saw: read the run again."), code="digest_mismatch", digest=run.digest)
    is_overridden = guarding.override(run, override_reason, by=by)
    judged = guarding.judge(
        run.version, incident, stored_targets(run), is_automatic=run.is_automatic, now=now, run=run.pk
    )
    guarding.require(judged, is_overridden=is_overridden)
    run.state, run.approved_by, run.approved_at = RunState.APPROVED, person(by), now
    run.expires_at = now + runs.seconds(VALID_SECONDS)
    runs.save(run, "state", "approved_by", "approved_at", "expires_at", "override_reason", "overridden_by")
    runs.note(run, RunEventKind.RUN_APPROVED, by=by, origin=origin, data={"digest": run.digest, **_override(run)})
    telling.show_outcome(run, by=by)
    return run


def _override(run: Run) -> dict[str, str]:
    return {"override_reason": run.override_reason} if run.override_reason else {}


@unit_of_work
def reject(run: Run, *, by: By, reason: str = "", origin: str = Origin.API) -> Run:
    """Reject a proposed run: who may approve runs of the incident. Raises NotFound, PermissionRefused, Conflict."""
    run, incident = runs.lock_run(run.pk)
    if run.proposed_by_id is None or (user := person(by)) is None or user.pk != run.proposed_by_id:
        require_approve(by, run, incident)
    else:
        require_propose(by, incident)
    require_state(run, RunState.PROPOSED)
    runs.finish(run, RunState.REJECTED, _said(REJECTED_BY, by, reason), by=by, origin=origin)
    return run


@unit_of_work
def abort(run: Run, *, by: By, reason: str = "", origin: str = Origin.API) -> Run:
    """Abort a run, an executing one before its next step. Raises NotFound, PermissionRefused, Conflict."""
    run, incident = runs.lock_run(run.pk)
    require_propose(by, incident)
    require_state(run, *LIVE)
    why = _said(ABORTED_BY, by, reason)
    if run.state in WAITING:
        runs.finish(run, RunState.ABORTED, why, by=by, origin=origin)
        return run
    run.is_stopping, run.stopping_because = True, why
    runs.save(run, "is_stopping", "stopping_because")
    wake(runs.JOB)
    return run


def _said(sentence: Sentence, by: By, reason: str) -> str:
    user = person(by)
    said = sentence.say(name=user.name if user is not None else runs.RULE.machine_name)
    return f"{said} {reason.strip()[:MAX_REASON]}".rstrip()


def expire(now: dt.datetime) -> int:
    """Abort runs that nobody executed in time; return how many."""
    due = Run.objects.expired(now).order_by("expires_at")
    return sum(_expire(number, now) for number in due.values_list("pk", flat=True)[:BATCH])


@unit_of_work
def _expire(number: int, now: dt.datetime) -> bool:
    run, _incident = runs.lock_run(number)
    if run.state not in WAITING or run.expires_at > now:
        return False
    runs.finish(run, RunState.ABORTED, EXPIRED.say(), by=runs.ENGINE)
    return True


def is_idle(run: Run) -> bool:
    return run.activity == Activity.NOTHING


def of_incident(incident: Incident) -> list[Run]:
    return list(Run.objects.filter(incident=incident).select_related("version__runbook"))
