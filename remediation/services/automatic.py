"""Propose runs by rules: for new incidents that match a runbook, class A ones are executed at once."""

import datetime as dt

from core.db import rows
from core.db.clock import database_now
from core.db.leases import Lease
from core.db.transactions import unit_of_work
from core.errors import DomainError
from incidents.models import EventKind, Incident, IncidentEvent, Origin, Visibility
from incidents.services import feed
from incidents.services.recording import ChangeContext, IncidentChange, lock_many
from remediation.models import RuleMatch, Run, Runbook
from remediation.services import deciding, executing, proposing, runs
from remediation.steps.parameters import parameters_of
from remediation.validation import matches
from remediation.vocabulary import Risk, RunEventKind, RunState

READER = "remediation"
BATCH = 100
FRESH = dt.timedelta(minutes=15)  # older ones are what a worker missed: people look at those
LEASE = Lease("due_at", dt.timedelta(seconds=60))


def follow(limit: int = BATCH) -> int:
    """Store which runbooks match the next new incidents of the feed; return how many events were read."""
    return feed.consume(READER, _handle, limit=limit)


def _handle(events: list[IncidentEvent]) -> None:
    opened = [event.incident_id for event in events if event.kind == EventKind.CREATED]
    runbooks = _automatic() if opened else []
    if not runbooks:
        return
    now = database_now()
    fresh = Incident.objects.filter(pk__in=opened, created_at__gt=now - FRESH)
    incidents = fresh.filter(deleted_at=None, is_restricted=False)
    found = [
        RuleMatch(incident=incident, runbook=runbook, due_at=now)
        for incident in incidents.prefetch_related("services")
        for runbook in runbooks
        if incident.is_still_open and _matches(runbook, incident)
    ]
    RuleMatch.objects.bulk_create(found, ignore_conflicts=True)


def _automatic() -> list[Runbook]:
    enabled = Runbook.objects.filter(is_enabled=True, paused_at=None, current__isnull=False)
    return [runbook for runbook in enabled.select_related("current") if _matcher(runbook)]


def _matcher(runbook: Runbook) -> dict[str, object]:
    return (runbook.current.automatic_for if runbook.current is not None else None) or {}


def _matches(runbook: Runbook, incident: Incident) -> bool:
    services = frozenset(service.slug for service in incident.services.all())
    return matches(_matcher(runbook), title=incident.title, severity=incident.severity, services=services)


def propose_due(now: dt.datetime) -> int:
    """Propose the next runbook that matched, and execute it where its class allows; return how many."""
    due = RuleMatch.objects.filter(due_at__lte=now)
    if due.exists():  # looking costs no lock
        for number in LEASE.claim_many(due.order_by("due_at")[:1], now):
            _attempt(RuleMatch.objects.select_related("runbook__current", "incident", "run__version").get(pk=number))
            return 1
    return 0


def _attempt(match: RuleMatch) -> None:
    """Go on where an earlier attempt ended.

    What is refused stays a proposal with its reason; what cannot even be proposed is noted on the timeline.
    """
    match.attempts += 1
    try:
        run = match.run or _propose(match)
        if run.version.risk == Risk.A:
            _execute(run)
        match.why = ""
    except DomainError as error:
        match.why = error.message
        if match.run is None:
            _note_refusal(match)
    match.due_at = None
    rows.update(match, ["attempts", "why", "due_at"])


def _propose(match: RuleMatch) -> Run:
    runbook, incident = match.runbook, match.incident
    left = Run.objects.filter(incident=incident, runbook=runbook, is_automatic=True).select_related("version").first()
    if left is not None:  # its worker ended before it was remembered
        _remember(match, left)
        return left
    slugs = list(incident.services.order_by("slug").values_list("slug", flat=True))
    version = proposing.version_of(runbook)
    wanted = set((version.automatic_for or {}).get("services", ()))
    service = next((slug for slug in slugs if not wanted or slug in wanted), None)
    named = [one.name for one in parameters_of(version.parameters) if one.kind == "service" and one.default is None]
    values = dict.fromkeys(named, service) if service is not None else {}
    proposal = proposing.propose(
        incident, runbook, by=runs.RULE, parameters=values, origin=Origin.JOB, is_automatic=True
    )
    _remember(match, proposal.run)
    return proposal.run


@unit_of_work
def _note_refusal(match: RuleMatch) -> None:
    incident = lock_many([match.incident_id]).get(match.incident_id)
    if incident is None:
        return
    change = IncidentChange(incident, ChangeContext.now(runs.RULE, Origin.JOB))
    data = {"runbook": match.runbook.name}
    change.add_event(RunEventKind.RUN_REFUSED, body=match.why, visibility=Visibility.INTERNAL, data=data)
    change.save()


@unit_of_work
def _remember(match: RuleMatch, run: Run) -> None:
    match.run = run
    rows.update(match, ["run"])


def _execute(run: Run) -> None:
    if run.state == RunState.PROPOSED:
        run = deciding.approve(run, by=runs.RULE, digest=run.digest, origin=Origin.JOB)
    if run.state == RunState.APPROVED:
        executing.execute(run, by=runs.RULE, origin=Origin.JOB)
