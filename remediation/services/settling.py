"""Settle runs that ended unknown: somebody looked, and says what was found."""

from django.utils.translation import gettext as _

from core.db.clock import database_now
from core.db.transactions import unit_of_work
from core.errors import Conflict, DomainError
from core.text.sentences import Sentence
from incidents.models import Origin
from remediation.models import Run, RunPhase
from remediation.permissions import require_propose
from remediation.services import runs, telling
from remediation.services.deciding import MAX_REASON, require_state
from remediation.steps.port import Phase
from remediation.vocabulary import Finding, PhaseState, RunEventKind, RunState
from responders.notices import Notice, announce
from users.models import User

FOUND = {
    Finding.ACTED: Sentence("%(name)s found that it acted."),
    Finding.DID_NOT_ACT: Sentence("%(name)s found that it did not act."),
}
UNCERTAIN = (PhaseState.UNKNOWN, PhaseState.INTERRUPTED)


@unit_of_work
def settle(run: Run, *, by: User, finding: str, note: str, origin: str = Origin.API) -> Run:
    """Say what an unknown run did, and free its targets. Raises NotFound, PermissionRefused, Conflict, DomainError.

    An act of which nobody knew, and that did not happen, counts for no cool-down and no cap of its target any more; as
    a failure of its runbook it stays counted.
    """
    run, incident = runs.lock_run(run.pk)
    require_propose(by, incident)
    require_state(run, RunState.UNKNOWN)
    if run.settled_by is not None:
        text = _("%(name)s settled this run already.") % {"name": run.settled_by.name}
        raise Conflict(text, code="already_settled")
    if finding not in Finding.values:
        raise DomainError(_("Must be one of %(words)s.") % {"words": ", ".join(Finding.values)}, field="finding")
    if not (said := note.strip()[:MAX_REASON]):
        raise DomainError(_("Say what you found."), field="note")
    run.settled_at, run.settled_by, run.finding, run.settled_note = database_now(), by, finding, said
    runs.save(run, "settled_at", "settled_by", "finding", "settled_note")
    runs.free_targets(run)
    if finding == Finding.DID_NOT_ACT:
        RunPhase.objects.filter(run=run, phase=Phase.ACT, state__in=UNCERTAIN).update(did_nothing=True)
    body = f"{FOUND[Finding(finding)].say(name=by.name)} {said}"
    runs.note(run, RunEventKind.RUN_SETTLED, by=by, origin=origin, body=body, data={"finding": finding})
    telling.show_outcome(run, by=by)
    _tell(run, body)
    return run


def _tell(run: Run, body: str) -> None:
    """Tell who was told to check, so that nobody else looks."""
    others = [one for one in runs.concerned(run) if one != run.settled_by_id]
    title, path = telling.settled_title(run), telling.path_of(run)
    announce(Notice(f"run-settled:{run.pk}", "remediation", title, body, others, run.incident_id, path))
