"""Jobs of agents: made for a phase of a run, fetched once, and what became of them."""

import datetime as dt
import secrets
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from core.db.clock import database_now
from core.db.transactions import unit_of_work
from core.errors import Conflict, NotFound
from remediation.agent.signing import sign
from remediation.models import Agent, AgentJob, Run, RunPhase, Stop
from remediation.steps.outputs import cleaned
from remediation.steps.port import ACTING
from remediation.vocabulary import Activity, JobState

FETCH_SECONDS = 60.0
GRACE = dt.timedelta(seconds=20)  # for the way of the result
SKEW = dt.timedelta(seconds=60)  # of the agent's clock
KEPT = dt.timedelta(days=1)
BRISK = dt.timedelta(minutes=2)
BRISK_SECONDS, CALM_SECONDS = 1.0, 5.0  # between an agent's questions
OPEN = (JobState.QUEUED, JobState.FETCHED)


@unit_of_work
def queue(agent: Agent, key: str, values: Mapping[str, Any], *, seconds_left: float) -> AgentJob:
    """Return the job of an idempotency key, made of `values` if there is none; it can be fetched for a minute at most.

    Its command and the wait for it fit into `seconds_left`.
    """
    present = AgentJob.objects.filter(idempotency_key=key).first()
    if present is not None:
        return present
    now = database_now()
    wait = min(FETCH_SECONDS, seconds_left / 2)
    seconds = max(1, min(int(values["seconds"]), int(seconds_left - wait)))
    expires_at = now + dt.timedelta(seconds=wait)
    return AgentJob.objects.create(
        **{**values, "seconds": seconds},
        agent=agent,
        idempotency_key=key,
        nonce=secrets.token_hex(16),
        created_at=now,
        expires_at=expires_at,
        gives_up_at=expires_at + dt.timedelta(seconds=seconds) + GRACE,
    )


@unit_of_work
def fetch(agent: Agent) -> dict[str, Any] | None:
    """Return the agent's next job, signed, and never again; during a global stop only what reads."""
    now = database_now()
    waiting = AgentJob.objects.filter(agent=agent, state=JobState.QUEUED, expires_at__gt=now)
    # what nobody waits for any more is not begun
    waiting = waiting.exclude(Exists(Run.objects.filter(pk=OuterRef("run"), activity=Activity.NOTHING)))
    if Stop.objects.filter(active=1).exists():
        waiting = waiting.exclude(phase__in=ACTING)
    job = waiting.order_by("id").first()
    if job is None:
        return None
    mine = AgentJob.objects.filter(pk=job.pk, state=JobState.QUEUED)
    if not mine.update(state=JobState.FETCHED, fetched_at=now):
        return None
    signed = {
        "job": job.pk,
        "agent": agent.pk,
        "run": job.run,
        "command": job.command,
        "arguments": job.arguments,
        "seconds": job.seconds,
        "not_before": int((job.created_at - SKEW).timestamp()),
        "expires": int(job.expires_at.timestamp()),
        "nonce": job.nonce,
    }
    return {"id": job.pk, **sign(settings.SECRET_KEY, signed)}


def poll_seconds(agent: Agent) -> float:
    """Return when the agent should ask again: soon, while runs use it."""
    is_busy = AgentJob.objects.filter(agent=agent, created_at__gt=database_now() - BRISK).exists()
    return BRISK_SECONDS if is_busy else CALM_SECONDS


@unit_of_work
def report(agent: Agent, number: int, *, state: str, exit_code: int | None, output: str) -> AgentJob:
    """Keep the first result of a job, also a late one. Raises NotFound, Conflict for what was never fetched."""
    job = AgentJob.objects.select_for_update().filter(pk=number, agent=agent).first()
    if job is None:
        raise NotFound(_("This agent has no such job."))
    if job.fetched_at is None:
        raise Conflict(_("This job was never fetched."), code="not_fetched")
    if job.finished_at is not None:
        return job
    is_late = job.state == JobState.UNKNOWN
    job.state, job.exit_code, job.output = JobState(state), exit_code, cleaned(output)
    job.finished_at = database_now()
    job.save(update_fields=["state", "exit_code", "output", "finished_at"])
    if is_late:
        _tell_late(job)
    return job


def _tell_late(job: AgentJob) -> None:
    """Show a result that nobody waits for beside what the run does not know."""
    phase = RunPhase.objects.select_for_update().filter(idempotency_key=job.idempotency_key).first()
    if phase is not None:
        said = f"{phase.output}\nThe agent's result came later: {job.state}. {job.output}"
        phase.output = cleaned(said.strip())
        phase.save(update_fields=["output"])


def look(key: str) -> AgentJob | None:
    """Return a job as it is now; a silent agent's is expired if nobody fetched it, and else unknown."""
    now = database_now()
    due = AgentJob.objects.filter(idempotency_key=key)
    due.filter(state=JobState.QUEUED, expires_at__lte=now).update(state=JobState.EXPIRED)
    due.filter(state=JobState.FETCHED, gives_up_at__lte=now).update(state=JobState.UNKNOWN)
    return due.select_related("agent").first()


def settle(job: AgentJob) -> None:
    """Let go of a job that only read: asked again, the phase reads anew."""
    AgentJob.objects.filter(pk=job.pk).update(idempotency_key=f"settled {job.pk}")


def prune(now: dt.datetime) -> int:
    """Delete jobs that nobody waits for any more."""
    deleted, _by_model = AgentJob.objects.filter(gives_up_at__lt=now - KEPT).delete()
    return deleted
