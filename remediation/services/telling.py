"""Ask people to approve a run, and tell them what became of it."""

from collections.abc import Iterable

from core.text.sentences import Sentence
from incidents.actors import By, person
from remediation.models import Run, RunTarget
from remediation.permissions import approvers_of
from remediation.vocabulary import RunEventKind, RunState
from responders.notices import Choice, Notice, amend, announce

APPROVE, REJECT = "approve_run", "reject_run"  # as buttons name them
SEEN = 16  # characters of the digest that a button carries
ABOUT = Sentence("%(runbook)s, version %(version)s, on %(targets)s.")
ASKED = Sentence("Approve %(runbook)s for %(incident)s?")
ASKED_BY = Sentence("%(name)s asks to approve %(runbook)s for %(incident)s")
APPROVED = Sentence("%(name)s approved %(runbook)s for %(incident)s")
SETTLED = Sentence("%(name)s settled %(runbook)s for %(incident)s")
APPROVE_LABEL, REJECT_LABEL = Sentence("Approve"), Sentence("Reject")
OUTCOMES = {
    RunState.APPROVED: Sentence("%(runbook)s for %(incident)s is approved"),
    RunState.REJECTED: Sentence("%(runbook)s for %(incident)s is rejected"),
    RunState.ABORTED: Sentence("%(runbook)s for %(incident)s is aborted"),
    RunState.VERIFIED: Sentence("%(runbook)s for %(incident)s is done and verified"),
    RunState.ROLLED_BACK: Sentence("%(runbook)s for %(incident)s is rolled back"),
    RunState.UNKNOWN: Sentence("%(runbook)s for %(incident)s: unknown, check it"),
}
UNVERIFIED = Sentence("%(runbook)s for %(incident)s is done, not verified")


def about(run: Run, targets: Iterable[str]) -> str:
    """Return a sentence that says what a run does."""
    names = ", ".join(dict.fromkeys(targets)) or "-"
    return ABOUT.say(runbook=run.version.runbook.name, version=run.version.number, targets=names)


def ask(run: Run, *, by: By, about: str) -> None:
    """Ask who may approve, but not who proposed it; rooms are told of nothing restricted."""
    user = person(by)
    approvers = approvers_of(run.incident, risk=run.version.risk, proposer=run.proposed_by_id)
    title = ASKED_BY.say(name=user.name, **_words(run)) if user is not None else ASKED.say(**_words(run))
    value = f"{run.pk}:{run.digest[:SEEN]}"
    announce(
        Notice(
            key=_key(run),
            kind="remediation",
            title=title,
            body=about,
            users=[one.pk for one in approvers if one.pk != run.proposed_by_id],
            incident=run.incident_id,
            path=path_of(run),
            choices=(Choice(APPROVE, APPROVE_LABEL.say(), value), Choice(REJECT, REJECT_LABEL.say(), value)),
            team=None if run.incident.is_restricted else run.incident.team_id,
            event=RunEventKind.RUN_PROPOSED,
        )
    )


def show_outcome(run: Run, *, by: By = None) -> None:
    """Have what was asked show what became of it, and tell the proposer what somebody else decided."""
    user = person(by)
    title = (UNVERIFIED if run.is_unverified else OUTCOMES[RunState(run.state)]).say(**_words(run))
    if run.state == RunState.APPROVED and user is not None:
        title = APPROVED.say(name=user.name, **_words(run))
    names = RunTarget.objects.filter(run=run).values_list("name", flat=True)
    body, path = about(run, names), path_of(run)
    if run.settled_by is not None:
        title = settled_title(run)
    amend(Notice(_key(run), "remediation", title, body, incident=run.incident_id, path=path))
    is_decision = run.state in (RunState.APPROVED, RunState.REJECTED)
    if is_decision and run.proposed_by_id is not None and user is not None and user.pk != run.proposed_by_id:
        key = f"run-decided:{run.pk}"
        announce(Notice(key, "remediation", title, body, [run.proposed_by_id], run.incident_id, path))


def _key(run: Run) -> str:
    return f"run:{run.pk}"


def settled_title(run: Run) -> str:
    name = run.settled_by.name if run.settled_by is not None else ""
    return SETTLED.say(name=name, **_words(run))


def path_of(run: Run) -> str:
    """Return the address of a run's page."""
    return f"/runs/{run.pk}/"


def _words(run: Run) -> dict[str, str]:
    return {"runbook": run.version.runbook.name, "incident": run.incident.reference}
