"""Lock runs, and note on the timeline what becomes of them: what every service of them begins and ends with."""

import datetime as dt
from typing import Any

from core.db import rows
from core.db.clock import database_now
from core.text.sentences import Sentence
from incidents.actors import Actor, By
from incidents.models import Incident, Origin, Visibility
from incidents.permissions import can_see
from incidents.services.recording import ChangeContext, IncidentChange, lock_many
from incidents.vocabulary import MachineKind
from remediation.models import Run, RunbookVersion, RunTarget
from remediation.permissions import absent
from remediation.services import pausing, telling
from remediation.vocabulary import Activity, RunEventKind, RunState
from responders.models import Membership
from responders.notices import Notice, announce
from users.models import User

RULE = Actor(machine=MachineKind.RUNBOOK, machine_name="Runbook rule")
ENGINE = Actor(machine=MachineKind.RUNBOOK, machine_name="Remediation")
CHECK_TITLE = Sentence("Check %(runbook)s for %(incident)s: nobody knows what it did")
ENDINGS = {
    RunState.VERIFIED: RunEventKind.RUN_VERIFIED,
    RunState.ROLLED_BACK: RunEventKind.RUN_ROLLED_BACK,
    RunState.UNKNOWN: RunEventKind.RUN_UNKNOWN,
    RunState.ABORTED: RunEventKind.RUN_ABORTED,
    RunState.REJECTED: RunEventKind.RUN_REJECTED,
}
JOB = "run_remediation"


def lock_run(number: int) -> tuple[Run, Incident]:
    """Lock the incident, then its run: the order of whatever writes to the timeline. Raises NotFound."""
    found = Run.objects.filter(pk=number).values_list("incident", flat=True).first()
    if found is None:
        raise absent()
    incident = lock_many([found])[found]
    run = Run.objects.select_for_update().filter(pk=number).first()
    if run is None:
        raise absent()
    run.incident = incident
    run.version = RunbookVersion.objects.select_related("runbook").get(pk=run.version_id)
    return run, incident


def note(
    run: Run,
    kind: RunEventKind,
    *,
    by: By,
    origin: str = Origin.JOB,
    body: str = "",
    data: dict[str, Any] | None = None,
) -> None:
    """Add an internal event to the timeline of the run's locked incident."""
    facts = {"run": run.pk, "runbook": run.version.runbook.name, "version": run.version.number, **(data or {})}
    change = IncidentChange(run.incident, ChangeContext.now(by, origin))
    change.add_event(kind, body=body, visibility=Visibility.INTERNAL, data=facts)
    change.save()


def save(run: Run, *names: str) -> None:
    rows.update(run, names)


def finish(run: Run, state: RunState, why: str, *, by: By, origin: str = Origin.JOB, is_failure: bool = False) -> None:
    """End a locked run, note it, count failures, and tell people what to check; an unknown one keeps its targets."""
    run.state, run.why, run.finished_at = state, why, database_now()
    run.activity, run.due_at, run.is_stopping = Activity.NOTHING, None, False
    save(run, "state", "why", "finished_at", "activity", "due_at", "is_stopping")
    if state != RunState.UNKNOWN:
        free_targets(run)
    note(run, RunEventKind.RUN_DONE if run.is_unverified else ENDINGS[state], by=by, origin=origin, body=why)
    telling.show_outcome(run, by=by)
    if is_failure or state == RunState.VERIFIED:
        pausing.count(run.runbook_id, is_failure=is_failure)
    if state == RunState.UNKNOWN:
        _tell(run)


def free_targets(run: Run) -> None:
    RunTarget.objects.filter(run=run, held_key__isnull=False).update(held_key=None)


def _tell(run: Run) -> None:
    words = {"runbook": run.version.runbook.name, "incident": run.incident.reference}
    announce(
        Notice(
            key=f"run-unknown:{run.pk}",
            kind="remediation",
            title=CHECK_TITLE.say(**words),
            body=run.why,
            users=concerned(run),
            incident=run.incident_id,
            path=telling.path_of(run),
            is_urgent=True,
        )
    )


def concerned(run: Run) -> list[int]:
    """Return who is told: the incident's team and assignee, who proposed, approved or executed, administrators."""
    members = Membership.objects.filter(team=run.incident.team_id).values_list("user", flat=True)
    ids = {*members, run.incident.assignee_id, run.proposed_by_id, run.approved_by_id, run.executed_by_id}
    people = {*User.objects.filter(pk__in=ids - {None}, is_active=True), *User.objects.admins()}
    return sorted(user.pk for user in people if user.is_staff and can_see(user, run.incident))


def seconds(number: float) -> dt.timedelta:
    return dt.timedelta(seconds=number)
