"""Propose runs of runbooks for incidents."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from core.db import rows
from core.db.clock import database_now
from core.db.transactions import unit_of_work
from core.errors import Conflict, NotFound
from core.text.sentences import Sentence
from incidents.actors import By, person
from incidents.models import Incident, Origin
from incidents.services.recording import lock
from remediation.binding import target_key
from remediation.guards import Refusal
from remediation.models import Run, Runbook, RunbookVersion, RunTarget
from remediation.permissions import approvers_of, require_propose
from remediation.services import guarding, runs, telling
from remediation.services.resolving import Bound, bind, values_for
from remediation.vocabulary import Risk, RunEventKind

VALID_SECONDS = 15 * 60
NO_APPROVER = Sentence("Nobody but the proposer could approve this run: add an administrator or a member of the team.")


@dataclass(frozen=True)
class Proposal:
    """A stored run, and what would forbid it now."""

    run: Run
    warnings: list[Refusal]


@dataclass(frozen=True)
class Draft:
    """What a run would be, with its targets as they were found."""

    version: RunbookVersion
    values: dict[str, Any]
    bound: Bound


@dataclass(frozen=True)
class Preview(Draft):
    """What a run would be, and what would forbid it."""

    warnings: list[Refusal]


def propose(
    incident: Incident,
    runbook: Runbook,
    *,
    by: By,
    parameters: Mapping[str, Any],
    origin: str = Origin.API,
    is_automatic: bool = False,
) -> Proposal:
    """Store a run with its targets as they are now; what the guards forbid is said, and refused later.

    What a run that ended unknown holds is refused at once. Call it outside of transactions. Raises NotFound,
    PermissionRefused, Conflict, DomainError.
    """
    draft = prepare(incident, runbook, by=by, parameters=parameters)
    return store(incident, draft, by=by, origin=origin, is_automatic=is_automatic)


def prepare(incident: Incident, runbook: Runbook, *, by: By, parameters: Mapping[str, Any]) -> Draft:
    """Return what a run would be, with its targets as they are now; asks other systems. Raises as `propose`."""
    require_propose(by, incident)
    version = version_of(runbook)
    values = values_for(version, parameters)
    return Draft(version, values, bind(version, incident.pk, values))


def preview(incident: Incident, runbook: Runbook, *, by: By, parameters: Mapping[str, Any]) -> Preview:
    """Return what a run would do now and what would forbid it, storing nothing. Raises as `propose`."""
    draft = prepare(incident, runbook, by=by, parameters=parameters)
    version, bound = draft.version, draft.bound
    warnings = guarding.judge(version, incident, bound, is_automatic=False, now=database_now(), run=0)
    user = person(by)
    proposer = user.pk if user is not None else None
    return Preview(version, draft.values, bound, [*warnings, *without_approver(version, incident, proposer)])


def version_of(runbook: Runbook) -> RunbookVersion:
    """Return the present version. Raises NotFound."""
    if runbook.current_id is None:
        raise NotFound(_("This runbook does not exist."))
    return RunbookVersion.objects.select_related("runbook").get(pk=runbook.current_id)


@unit_of_work
def store(
    incident: Incident, draft: Draft, *, by: By, origin: str = Origin.API, is_automatic: bool = False
) -> Proposal:
    """Store what was prepared, and ask for approval; calls nobody. Raises as `propose`."""
    incident, version, bound = lock(incident), draft.version, draft.bound
    require_propose(by, incident)
    if not incident.is_still_open:
        raise Conflict(_("The incident is no longer open."), code="incident_closed")
    now, user = database_now(), person(by)
    warnings = guarding.judge(version, incident, bound, is_automatic=is_automatic, now=now, run=0)
    guarding.require_settled(warnings)
    run = Run(
        incident=incident,
        version=version,
        runbook=version.runbook,
        parameters=draft.values,
        populations=list(bound.populations),
        digest=bound.digest,
        is_automatic=is_automatic,
        origin=origin,
        proposed_by=user,
        created_at=now,
        expires_at=now + runs.seconds(VALID_SECONDS),
    )
    rows.insert(run)
    rows.insert(*_targets(run, bound))
    names = [target.name for of_step in bound.targets for target in of_step]
    body = telling.about(run, names)
    runs.note(run, RunEventKind.RUN_PROPOSED, by=by, origin=origin, body=body, data={"digest": run.digest})
    if not (is_automatic and version.risk == Risk.A):  # that executes itself
        telling.ask(run, by=by, about=body)
    return Proposal(run, [*warnings, *without_approver(version, incident, run.proposed_by_id)])


def _targets(run: Run, bound: Bound) -> list[RunTarget]:
    return [
        RunTarget(
            run=run,
            step=step,
            place=place,
            kind=target.kind,
            name=target.name,
            details=dict(target.details),
            key=target_key(target),
        )
        for step, of_step in enumerate(bound.targets)
        for place, target in enumerate(of_step)
    ]


def without_approver(version: RunbookVersion, incident: Incident, proposer: int | None) -> list[Refusal]:
    """Return that nobody could approve a run of class B, if so."""
    if version.risk != Risk.B or approvers_of(incident, risk=Risk.B, proposer=proposer):
        return []
    return [Refusal("no_approver", NO_APPROVER.say())]
