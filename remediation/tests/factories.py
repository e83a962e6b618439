"""Builders for tests, and a kind of step that does what a test says."""

import datetime as dt
from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any

from core.db.clock import database_now
from incidents.models import Incident
from remediation.models import Run, Runbook
from remediation.services import deciding, engine, executing, proposing, runbooks, settling
from remediation.steps.parameters import Parameter
from remediation.steps.port import (
    Context,
    Outcome,
    OutcomeState,
    Phase,
    StepFailed,
    StepKind,
    Target,
    Targets,
    TargetsUnknown,
    register_step_kind,
)
from remediation.steps.schemas import ANYTHING, Shape
from users.models import User
from users.tests.factories import make_admin

_numbers = count(1)
DONE = Outcome(OutcomeState.DONE, "done")
WAIT = Outcome(OutcomeState.WAIT, "not yet", pause=5)
FAILED = Outcome(OutcomeState.FAILED, "no")


class FakeStep(StepKind):
    """`{kind: fake, targets: […], population?, phases?: […]}`; `answers` say what comes of each phase on a target."""

    kind, label = "fake", "Fake"
    fields: Mapping[str, Shape] = dict.fromkeys(("targets", "population", "phases", *Phase), ANYTHING)
    required = ("targets",)

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.calls: list[tuple[str, str]] = []
        self.contexts: list[Context] = []
        self.answers: dict[tuple[str, str], Any] = {}
        self.targets: list[str] | None = None
        self.is_lost = False

    def validate(self, spec: Mapping[str, Any], parameters: Sequence[Parameter]) -> dict[str, str]:
        return {} if isinstance(spec.get("targets"), list) else {"targets": "Must be a list."}

    def phases(self, spec: Mapping[str, Any]) -> frozenset[Phase]:
        return frozenset(Phase(word) for word in spec.get("phases", list(Phase)))

    def resolve(self, spec: Mapping[str, Any], values: Mapping[str, Any]) -> Targets:
        if self.is_lost:
            raise TargetsUnknown("nobody answers")
        names = self.targets if self.targets is not None else spec["targets"]
        return Targets([Target(self.kind, name) for name in names], spec.get("population", 0))

    def render(self, spec: Mapping[str, Any], values: Mapping[str, Any], target: Target) -> dict[str, Any]:
        return {**spec, "rendered_for": target.name}

    def perform(self, context: Context) -> Outcome:
        return self._answer(context, str(context.phase))

    def poll(self, context: Context) -> Outcome:
        return self._answer(context, "poll")

    def _answer(self, context: Context, word: str) -> Outcome:
        self.calls.append((context.target.name, word))
        self.contexts.append(context)
        answer = self.answers.get((context.target.name, word), DONE)
        if isinstance(answer, list):
            answer = answer.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        outcome: Outcome = answer
        return outcome


fake = FakeStep()
register_step_kind(fake)
NOTHING = StepFailed("refused", did_nothing=True)
UNCLEAR = StepFailed("no answer", did_nothing=False)


def make_runbook(*targets: str, by: User | None = None, **fields: Any) -> Runbook:
    """A runbook of class A with one fake step on these targets, without cool-down, so that tests can repeat it."""
    step = {"kind": "fake", "targets": list(targets or ("web",)), **fields.pop("step", {})}
    given = {
        "name": f"Runbook {next(_numbers)}",
        "risk": "a",
        "steps": [step],
        "cooldown_seconds": 0,
        "daily_cap_per_target": 100,
        "max_targets": 10,
        "max_percent": 100,
    }
    return runbooks.create(by=by or make_admin(), **{**given, **fields})


def propose(incident: Incident, runbook: Runbook, *, by: User, **parameters: Any) -> Run:
    return proposing.propose(incident, runbook, by=by, parameters=parameters).run


def approved(incident: Incident, runbook: Runbook, *, by: User, proposer: User | None = None) -> Run:
    run = propose(incident, runbook, by=proposer or by)
    return deciding.approve(run, by=by, digest=run.digest)


def executing_run(incident: Incident, runbook: Runbook, *, by: User) -> Run:
    return executing.execute(approved(incident, runbook, by=by), by=by)


def unknown_run(incident: Incident, *targets: str, by: User, **fields: Any) -> Run:
    """A run of a runbook that only acts, whose last act got no answer."""
    runbook = make_runbook(*targets, step={"phases": ["act"]}, **fields)
    fake.answers[targets[-1], "act"] = UNCLEAR
    run = executing_run(incident, runbook, by=by)
    work_off()
    del fake.answers[targets[-1], "act"]
    run.refresh_from_db()
    return run


def settle(run: Run, *, by: User, finding: str = "acted") -> Run:
    return settling.settle(run, by=by, finding=finding, note="Looked at the pods.")


def work_off(seconds: float = 0) -> None:
    """Let the engine do what is due, or will be in so many seconds."""
    now = database_now() + dt.timedelta(seconds=seconds)
    while engine.run_due(now):
        pass
