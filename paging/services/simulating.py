"""Say who would be paged, when, how and why, without paging anybody."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from core.text.sentences import Sentence
from incidents.models import Incident
from paging.models import EscalationRun
from paging.pages import Reach, has_reach, reach_of
from paging.planning import Cursor, Facts, Planned, Recipient, importance_of, plan
from paging.services import turns
from paging.services.choosing import freeze
from paging.services.facts import Known, Reader, load, steps_named
from responders.models import EscalationPolicy
from responders.policies import Policy, policy_of

MOST = 60  # steps
AHEAD = dt.timedelta(days=7)  # is read at once

NO_WAY = Sentence("has no way to be reached")


def simulate_policy(policy: EscalationPolicy, *, severity: int, at: dt.datetime) -> dict[str, Any]:
    """Return what a policy would do for an incident that opened now."""
    return describe_plan(policy_of(freeze([policy])[policy.pk]), severity=severity, at=at)


def describe_plan(
    policy: Policy, *, severity: int, at: dt.datetime, incident: Incident | None = None
) -> dict[str, Any]:
    """Return whom a policy would notify and what it would skip, as the API shows it."""
    planned = _plan(policy, severity, at, incident)
    ways = _ways(planned, severity, at)
    return {
        "at": at,
        "policy": {"id": policy.id, "name": policy.name},
        "notified": [entry for one in planned for entry in _notified(one, ways)],
        "skipped": [
            {"after_minutes": one.after_minutes, "step": one.step, "because": one.outcome.skipped}
            for one in planned
            if one.outcome.skipped and one.step is not None
        ],
        "gives_up_after_minutes": next((one.after_minutes for one in planned if one.step is None), None),
    }


def what_follows(run: EscalationRun, incident: Incident, now: dt.datetime) -> list[dict[str, Any]]:
    """Return the coming steps of a running escalation: when, whom, by which methods."""
    if run.next_step_at is None:
        return []
    policy = policy_of(run.policy_values)
    start = Cursor(run.position, run.round, run.has_paged)
    begins = max(run.next_step_at, now)
    planned = _plan(policy, incident.severity, begins, incident, start=start)
    ways = _ways(planned, incident.severity, begins)
    return [
        {
            "at": begins + dt.timedelta(minutes=one.after_minutes),
            "step": one.step,
            "users": [{"id": who.user_id, "name": who.name} for who in one.outcome.recipients if who.user_id],
            "others": [who.name for who in one.outcome.recipients if who.user_id is None],
            "methods": sorted({way.method for who in one.outcome.recipients for way in ways.get(who.user_id or 0, ())}),
            "because": one.outcome.skipped,
        }
        for one in planned
    ]


def pages_now(policies: Sequence[EscalationPolicy], at: dt.datetime, severity: int) -> dict[int, list[Recipient]]:
    """Return whom the first step of each policy that pages anybody would page."""
    frozen = {number: policy_of(values) for number, values in freeze(policies).items()}
    known = load(steps_named(frozen.values()), at)
    found = {}
    for number, policy in frozen.items():
        planned = plan(policy, lambda _minutes: known.facts(severity), delay=0, most=MOST)
        first = next((one for one in planned if one.step is not None and one.outcome.recipients), None)
        found[number] = list(first.outcome.recipients) if first else []
    return found


def _plan(
    policy: Policy, severity: int, at: dt.datetime, incident: Incident | None, *, start: Cursor | None = None
) -> list[Planned]:
    reader = Reader(steps_named([policy]), ahead=AHEAD)
    known: dict[int, Known] = {}
    last = turns.last_turns(policy)

    def facts_at(minutes: int) -> Facts:
        if minutes not in known:
            known[minutes] = reader.at(at + dt.timedelta(minutes=minutes))
        return known[minutes].facts(severity, incident, last)

    return plan(policy, facts_at, start=start, delay=0 if start is not None else None, most=MOST)


def _ways(planned: Sequence[Planned], severity: int, at: dt.datetime) -> dict[int, list[Reach]]:
    users = {who.user_id for one in planned for who in one.outcome.recipients if who.user_id is not None}
    return reach_of(users, importance_of(severity), at)


def _notified(one: Planned, ways: dict[int, list[Reach]]) -> list[dict[str, Any]]:
    found = []
    for who in one.outcome.recipients:
        base: dict[str, Any] = {
            "step": one.step,
            "round": one.round,
            "user": who.user_id,
            "name": who.name,
            "because": who.why,
        }
        if who.user_id is None:
            found.append({**base, "after_minutes": one.after_minutes, "method": who.target.kind})
            continue
        reached = ways.get(who.user_id, [])
        for way in reached:
            found.append({**base, "after_minutes": one.after_minutes + way.after_minutes, "method": way.method})
        if not reached:
            because = f"{who.why}; {NO_WAY}" if has_reach() else who.why
            found.append({**base, "after_minutes": one.after_minutes, "method": None, "because": because})
    return found
