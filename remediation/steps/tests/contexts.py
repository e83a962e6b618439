"""What the engine hands to a step, without the engine."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from remediation.steps.port import Context, Outcome, OutcomeState, Phase, StepKind, Target


@dataclass
class Rehearsal:
    """One step on one target: each phase learns what earlier ones remembered."""

    kind: StepKind
    spec: Mapping[str, Any]
    target: Target
    values: Mapping[str, Any] = field(default_factory=dict)
    memory: dict[str, Any] = field(default_factory=dict)
    run: int = 7

    def context(self, phase: Phase, **fields: Any) -> Context:
        values = {
            "run": self.run,
            "incident": 1,
            "step": 0,
            "phase": phase,
            "idempotency_key": f"run-{self.run}-0-{self.target.name}-{phase}",
            "parameters": self.values,
            "target": self.target,
            "spec": self.kind.render(self.spec, self.values, self.target),
            "memory": dict(self.memory),
            "seconds_left": 60.0,
        }
        return Context(**{**values, **fields})

    def do(self, phase: Phase) -> Outcome:
        """Perform a phase once."""
        outcome = self.kind.perform(self.context(phase))
        self.memory |= outcome.memory
        return outcome

    def poll(self, phase: Phase) -> Outcome:
        outcome = self.kind.poll(self.context(phase))
        self.memory |= outcome.memory
        return outcome

    def finish(self, phase: Phase, pause: Any, *, looks: int = 500) -> Outcome:
        """Perform a phase, and ask until it has ended; `pause` waits between."""
        outcome = self.do(phase)
        for _look in range(looks):
            if outcome.state is not OutcomeState.WAIT:
                return outcome
            pause()
            outcome = self.do(phase) if phase is Phase.VERIFY else self.poll(phase)
        raise AssertionError(f"{phase} did not end: {outcome.output}")
