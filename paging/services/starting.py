"""Start escalations for what the incidents' feed brings."""

import datetime as dt
from collections.abc import Collection, Sequence

from core.db import rows
from core.db.clock import database_now
from core.db.transactions import unit_of_work
from core.server.jobs import wake
from core.severity import Severity
from core.text.sentences import Sentence
from incidents.models import EventKind, Incident, IncidentEvent, Status
from incidents.services import feed
from incidents.services.recording import lock_many
from paging.models import EscalationAlarm, EscalationRun
from paging.planning import first_delay, importance_of
from paging.services import answering
from paging.services.choosing import freeze, policies_for
from paging.services.writing import Batch
from paging.vocabulary import AlarmReason, Importance, PagingEventKind, RunState
from responders.models import EscalationPolicy
from responders.policies import policy_of

READER = "escalation"
STARTING = frozenset({EventKind.CREATED, EventKind.REOPENED, EventKind.RESTORED})
RECHOOSING = frozenset({EventKind.TEAM_CHANGED})
SERVICES = "services"
REPLACED = Sentence("replaced by another policy")
OTHER = Sentence("%(before)s was replaced by %(policy)s.")
ANEW = Sentence("%(policy)s starts again.")
NO_POLICY = Sentence(
    "No escalation policy fits %(incident)s, of %(severity)s severity: "
    "neither its services nor its team have one, and there is no default policy."
)


def follow_feed(limit: int = feed.BATCH) -> int:
    """Start escalations for the next events of the feed; return how many events were read."""
    return feed.consume(READER, _handle, limit=limit)


def _handle(events: list[IncidentEvent]) -> None:
    now = database_now()
    starting, rechosen, worse = set(), set(), set()
    for event in events:
        if event.kind in STARTING:
            starting.add(event.incident_id)
        elif event.kind in RECHOOSING or SERVICES in event.data.get("changes", {}):
            rechosen.add(event.incident_id)
        elif event.kind == EventKind.SEVERITY_CHANGED:
            worse.add(event.incident_id)
    again = answering.paging_again({event.incident_id for event in events if event.actor_id is not None})
    incidents = lock_many({*starting, *worse, *rechosen, *again})  # all at once, in one order
    _start([incidents[number] for number in sorted(starting | worse | rechosen) if number in incidents], now, rechosen)
    answering.note_work(again, now)


@unit_of_work
def start_for(incident_ids: Collection[int], now: dt.datetime, *, rechosen: Collection[int] = ()) -> int:
    """Start escalations of open incidents that have none; those of `rechosen` may change to another policy.

    Doing it again changes nothing. Returns how many started.
    """
    wanted = {*incident_ids, *rechosen}
    return _start(list(lock_many(wanted).values()), now, rechosen) if wanted else 0


def _start(locked: Sequence[Incident], now: dt.datetime, rechosen: Collection[int]) -> int:
    incidents = [one for one in locked if one.deleted_at is None and one.status == Status.OPEN]
    if not incidents:
        return 0
    current = {run.incident_id: run for run in rows.select_in(EscalationRun, "open_key", [one.pk for one in incidents])}
    policies = policies_for(incidents)
    alarms = _known_alarms([one for one in incidents if policies[one.pk] is None])
    batch = Batch(now)
    starts: list[tuple[Incident, EscalationPolicy, dt.datetime]] = []
    ending: list[EscalationRun] = []
    for incident in incidents:
        run, policy = current.get(incident.pk), policies[incident.pk]
        if run is None and policy is not None:
            starts.append((incident, policy, _opened(incident, now)))
        elif run is None:
            _note_no_policy(batch, incident, alarms)
        elif policy is not None and _should_replace(run, policy, is_rechosen=incident.pk in rechosen):
            ending.append(run)
            starts.append((incident, policy, now))
            _note_replaced(batch, run, incident, policy)
    answering.end_runs(ending, now, because=REPLACED.say())
    _insert_runs(starts, now)
    batch.write()
    if starts:
        wake("perform_steps")
    return len(starts)


def incidents_of(policy: EscalationPolicy) -> list[int]:
    """Return the incidents that a policy runs for."""
    running = EscalationRun.objects.current().filter(policy=policy).order_by("incident_id")
    return list(running.values_list("incident_id", flat=True))


def _opened(incident: Incident, now: dt.datetime) -> dt.datetime:
    """Return when the first step's delay begins: at the opening, so that lateness is caught up."""
    return min(incident.clock_started_at, now)


def _should_replace(run: EscalationRun, policy: EscalationPolicy, *, is_rechosen: bool) -> bool:
    """Return whether another policy takes over, or the same starts again after it was exhausted without a page."""
    if is_rechosen and run.policy_id != policy.pk:
        return True
    return not is_rechosen and run.state == RunState.EXHAUSTED and not run.pages.exists()


def _insert_runs(starts: Sequence[tuple[Incident, EscalationPolicy, dt.datetime]], now: dt.datetime) -> None:
    values = freeze(list({policy.pk: policy for _, policy, _ in starts}.values())) if starts else {}
    delays = {number: dt.timedelta(minutes=first_delay(policy_of(one))) for number, one in values.items()}
    rows.insert(
        *(
            EscalationRun(
                incident=incident,
                open_key=incident.pk,
                policy=policy,
                policy_values=values[policy.pk],
                next_step_at=begins + delays[policy.pk],
                started_at=now,
            )
            for incident, policy, begins in starts
        )
    )


def _known_alarms(incidents: Sequence[Incident]) -> set[str]:
    found = EscalationAlarm.objects.filter(incident__in=incidents, reason=AlarmReason.NO_POLICY)
    return set(found.values_list("key", flat=True)) if incidents else set()


def _note_no_policy(batch: Batch, incident: Incident, known: Collection[str]) -> None:
    if importance_of(incident.severity) == Importance.LOW:
        return
    detail = NO_POLICY.say(incident=incident.reference, severity=Severity(incident.severity).word)
    key = f"policy-{incident.pk}-{incident.reopen_count}"
    if key not in known:
        batch.add_alarm(incident, None, AlarmReason.NO_POLICY, detail, key=key, name="Escalation")


def _note_replaced(batch: Batch, run: EscalationRun, incident: Incident, policy: EscalationPolicy) -> None:
    before = run.policy_values.get("name", "")
    text = ANEW.say(policy=policy.name) if before == policy.name else OTHER.say(before=before, policy=policy.name)
    batch.add_event(incident, policy.name, PagingEventKind.ESCALATION_ENDED, text)
