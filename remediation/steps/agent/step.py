"""Allow-listed commands on machines that run an agent, as a kind of step."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _lazy

from core.db.clock import database_now
from remediation.models import Agent, AgentJob
from remediation.services import agent_jobs
from remediation.services.agents import is_silent
from remediation.steps.agent.spec import DEFAULT_SECONDS, FIELDS, faults_of, names_of
from remediation.steps.parameters import Parameter
from remediation.steps.placeholders import in_json, in_text
from remediation.steps.port import (
    READING,
    Context,
    Outcome,
    OutcomeState,
    Phase,
    StepFailed,
    StepKind,
    Target,
    Targets,
    TargetsUnknown,
)
from remediation.vocabulary import JobState

WAY_SECONDS = 30
PAUSE = 1.0  # seconds between looks at a job


class AgentStep(StepKind):
    """A command by each of some agents."""

    kind = "agent"
    label = _lazy("Agent")
    fields = FIELDS

    def validate(self, spec: Mapping[str, Any], parameters: Sequence[Parameter]) -> dict[str, str]:
        return faults_of(spec, parameters)

    def phases(self, spec: Mapping[str, Any]) -> frozenset[Phase]:
        return frozenset(phase for phase in Phase if spec.get(phase))

    def resolve(self, spec: Mapping[str, Any], values: Mapping[str, Any]) -> Targets:
        names = list(dict.fromkeys(in_text(name, values) for name in names_of(spec)))
        enabled = {agent.name: agent for agent in Agent.objects.filter(is_enabled=True)}
        if missing := [name for name in names if name not in enabled]:
            raise TargetsUnknown(f"There is no enabled agent {missing[0]}.")
        return Targets([_target(enabled[name]) for name in names], len(enabled))

    def render(self, spec: Mapping[str, Any], values: Mapping[str, Any], target: Target) -> dict[str, Any]:
        return {str(phase): _rendered(spec[phase], values) for phase in self.phases(spec)}

    def seconds(self, spec: Mapping[str, Any], phase: Phase) -> int:
        """Return the command's time, and that for the agent to fetch it and report."""
        return int(spec[phase].get("seconds", DEFAULT_SECONDS) + agent_jobs.FETCH_SECONDS) + WAY_SECONDS

    def perform(self, context: Context) -> Outcome:
        if agent_jobs.look(context.idempotency_key) is None:
            _queue(context)
        return self.poll(context)

    def poll(self, context: Context) -> Outcome:
        job = agent_jobs.look(context.idempotency_key)
        if job is None:
            raise StepFailed("The agent's job is gone.", did_nothing=False)
        if context.phase in READING and job.state not in agent_jobs.OPEN:
            agent_jobs.settle(job)
        return _outcome_of(job)

    def why_unusable(self) -> str:
        return "" if Agent.objects.filter(is_enabled=True).exists() else "There is no agent."


def _target(agent: Agent) -> Target:
    return Target("agent", f"agent {agent.name}", {"agent": agent.pk})


def _rendered(part: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    arguments = {name: in_text(text, values) for name, text in part.get("arguments", {}).items()}
    return {**in_json({**part, "arguments": {}}, values), "arguments": arguments}


def _queue(context: Context) -> None:
    """Make the job. Raises StepFailed, having done nothing, for an agent that is disabled, silent or cannot do it."""
    part = context.spec[context.phase]
    agent = Agent.objects.filter(pk=context.target.details["agent"], is_enabled=True).first()
    if agent is None:
        raise StepFailed(f"There is no enabled {context.target.name} any more.", did_nothing=True)
    if is_silent(agent, database_now()):
        raise StepFailed(f"The {context.target.name} has not been heard of for five minutes.", did_nothing=True)
    if part["command"] not in agent.commands:
        text = f"The {context.target.name} has no command {part['command']} in its configuration."
        raise StepFailed(text, did_nothing=True)
    values = {
        "run": context.run,
        "incident": context.incident,
        "phase": context.phase,
        "command": part["command"],
        "arguments": part["arguments"],
        "seconds": part.get("seconds", DEFAULT_SECONDS),
    }
    agent_jobs.queue(agent, context.idempotency_key, values, seconds_left=context.seconds_left)


def _outcome_of(job: AgentJob) -> Outcome:
    """Return what a job's state means. Raises StepFailed where it was not run, or nobody knows."""
    what = f"{job.command} on {job.agent.name}"
    if job.state in agent_jobs.OPEN:
        text = "waits for the agent" if job.state == JobState.QUEUED else "was fetched by the agent"
        return Outcome(OutcomeState.WAIT, f"{what} {text}.", pause=PAUSE)
    if job.state == JobState.DONE:
        return Outcome(OutcomeState.DONE, f"{what} ended with 0.\n{job.output}")
    if job.state == JobState.FAILED:
        return Outcome(OutcomeState.FAILED, f"{what} ended with {job.exit_code}.\n{job.output}")
    if job.state == JobState.TIMED_OUT:
        return Outcome(OutcomeState.FAILED, f"{what} was ended after {job.seconds} s.\n{job.output}")
    if job.state == JobState.EXPIRED:
        raise StepFailed(f"{what} was not fetched in time: the agent is silent.", did_nothing=True)
    if job.state == JobState.REFUSED:
        raise StepFailed(f"{what} was refused. {job.output}", did_nothing=True)
    raise StepFailed(f"{what} was begun, and nobody knows how it ended. {job.output}", did_nothing=False)
