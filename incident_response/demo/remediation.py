"""Runbooks, runs of them, a change freeze, an agent and a secret."""

import datetime as dt
import secrets
from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings

from core.db.clock import database_now
from incidents.models import Incident
from remediation.binding import idempotency_key
from remediation.models import Agent, FreezeWindow, Run, Runbook, RunPhase, RunTarget
from remediation.plans import VERIFIED
from remediation.services import deciding, executing, proposing, runbooks, runs
from remediation.services.agents import key_fields, new_key
from remediation.services.secrets import set_secret
from remediation.steps.port import Phase
from remediation.vocabulary import PhaseState, RunState
from users.models import User

Values = dict[str, Any]
Span = Callable[[str], dt.timedelta]
DONE = (Phase.CHECK, Phase.ACT, Phase.VERIFY)


def set_up(
    content: Values, people: Mapping[str, User], incidents: Mapping[str, Incident], now: dt.datetime, span: Span
) -> None:
    """Make them through the services; what was executed before was not asked of any server."""
    made = {row["name"]: runbooks.create(by=people["ada"], **_placed(row)) for row in content["runbook"]}
    for row in content["run"]:
        _run(row, made[row["runbook"]], people, incidents[row["about"]])
    for row in content["freeze"]:
        starts_at = now + span(row["starts"])
        FreezeWindow.objects.create(name=row["name"], starts_at=starts_at, ends_at=starts_at + span(row["lasts"]))
    for row in content["agent"]:
        seen = now - span(row.pop("silent_for"))
        Agent.objects.create(**row, **key_fields(new_key()), last_seen_at=seen)
    for row in content["secret"]:
        set_secret(None, by=people["ada"], value=secrets.token_urlsafe(), **row)


def _placed(value: Any) -> Any:
    """Return a definition with this server's own address."""
    if isinstance(value, dict):
        return {name: _placed(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_placed(one) for one in value]
    return value.replace("{server}", settings.PUBLIC_URL.rstrip("/")) if isinstance(value, str) else value


def _run(row: Values, runbook: Runbook, people: Mapping[str, User], incident: Incident) -> None:
    run = proposing.propose(incident, runbook, by=people[row["by"]], parameters={}).run
    if "approved_by" not in row:
        return
    deciding.approve(run, by=people[row["approved_by"]], digest=run.digest)
    run = executing.execute(Run.objects.get(pk=run.pk), by=people[row["by"]])
    at = database_now()
    for target in RunTarget.objects.filter(run=run):
        for phase in DONE:
            RunPhase.objects.create(
                run=run,
                target=target,
                phase=phase,
                state=PhaseState.DONE,
                idempotency_key=idempotency_key(run.pk, run.digest, target.pk, phase),
                output=row["output"],
                started_at=at,
                ends_at=at,
                finished_at=at,
            )
    run, _incident = runs.lock_run(run.pk)
    runs.finish(run, RunState.VERIFIED, VERIFIED.say(), by=runs.ENGINE)
