"""What a kind of step offers to the engine; the kinds register themselves here."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.utils.functional import Promise

from remediation.steps.parameters import Parameter
from remediation.steps.schemas import Shape, record, word

ACTING_SECONDS, READING_SECONDS = 300, 60
MAX_OUTPUT = 8 * 1024  # characters kept of an output


class Phase(StrEnum):
    """What is asked of a step; `act` and `roll_back` change something, and happen once."""

    DRY_RUN = "dry_run"
    CHECK = "check"
    ACT = "act"
    VERIFY = "verify"
    ROLL_BACK = "roll_back"


ACTING = frozenset({Phase.ACT, Phase.ROLL_BACK})
READING = frozenset(Phase) - ACTING


class OutcomeState(StrEnum):
    DONE = "done"
    WAIT = "wait"
    FAILED = "failed"


@dataclass(frozen=True)
class Target:
    """What a step changes. The approval's digest covers all of it: `details` must not vary from hour to hour."""

    kind: str
    name: str  # unique, such as "deployment shop/web"; one run at a time holds it
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Targets:
    """The targets of a step, and how many there are of which they are a part; 0: not known."""

    found: Sequence[Target]
    population: int = 0


@dataclass(frozen=True)
class Context:
    """One phase of a step on one target.

    `spec` is rendered; `memory` is what earlier phases on this target returned, merged; `seconds_left` is the time
    before the phase counts as failed. The idempotency key is the same whenever this phase is asked again.
    """

    run: int
    incident: int
    step: int
    phase: Phase
    idempotency_key: str
    parameters: Mapping[str, Any]
    target: Target
    spec: Mapping[str, Any]
    memory: Mapping[str, Any]
    seconds_left: float
    actor: str = ""  # who executes it, to be named in the other system


@dataclass(frozen=True)
class Outcome:
    """What came of a phase: done; failed, having ended; or wait: ask again after `pause` seconds.

    An act that failed may have done a part: it is rolled back. A waiting act or roll back is asked by `poll`, a waiting
    reading phase by `perform` once more.
    """

    state: OutcomeState
    output: str = ""
    memory: Mapping[str, Any] = field(default_factory=dict)
    pause: float = 2.0


class StepFailed(Exception):
    """A phase failed; unless it `did_nothing`, nobody knows what it did."""

    def __init__(self, message: str, *, did_nothing: bool) -> None:
        super().__init__(message)
        self.message, self.did_nothing = message, did_nothing


class TargetsUnknown(Exception):
    """The targets cannot be found now; the message says why."""


class StepKind(ABC):
    """A kind of step. Nothing here is called within a transaction but `validate`, `phases` and `why_unusable`.

    A phase that raises anything but StepFailed counts as a StepFailed that did something.
    """

    kind: str
    label: str | Promise
    fields: Mapping[str, Shape]  # what a step may say besides its kind
    required: Sequence[str] = (Phase.ACT, Phase.VERIFY)
    tells_population = True  # whether `resolve` tells of how many the targets are a part

    def shape(self) -> Shape:
        """Return how the API describes a step of this kind."""
        return record({"kind": word(self.kind), **self.fields}, ["kind", *self.required])

    @abstractmethod
    def validate(self, spec: Mapping[str, Any], parameters: Sequence[Parameter]) -> dict[str, str]:
        """Return what is wrong with a step by place within it, such as `act.url`; nothing if it is usable."""

    @abstractmethod
    def phases(self, spec: Mapping[str, Any]) -> frozenset[Phase]:
        """Return what the step does; always `act`."""

    def verifies(self, spec: Mapping[str, Any]) -> bool:
        """Return whether the step finds out that its act worked."""
        return Phase.VERIFY in self.phases(spec)

    @abstractmethod
    def resolve(self, spec: Mapping[str, Any], values: Mapping[str, Any]) -> Targets:
        """Return what the step would change, now; `spec` is not rendered. Raises TargetsUnknown."""

    @abstractmethod
    def render(self, spec: Mapping[str, Any], values: Mapping[str, Any], target: Target) -> dict[str, Any]:
        """Return the spec with its placeholders filled, escaped for where they stand. Raises ValueError."""

    def seconds(self, spec: Mapping[str, Any], phase: Phase) -> int:
        """Return how long a phase may take with all its waiting: its `timeout_seconds`, if the step says so."""
        given = spec.get(phase)
        default = ACTING_SECONDS if phase in ACTING else READING_SECONDS
        return int(given.get("timeout_seconds", default)) if isinstance(given, Mapping) else default

    @abstractmethod
    def perform(self, context: Context) -> Outcome:
        """Do a phase. Raises StepFailed."""

    def poll(self, context: Context) -> Outcome:
        """Ask how far a waiting act or roll back is; changes nothing. Raises StepFailed, about the act."""
        raise StepFailed("This kind of step does not wait.", did_nothing=False)

    def why_unusable(self) -> str:
        """Return why the kind cannot be used here, such as a missing setting; empty if it can."""
        return ""


_kinds: dict[str, StepKind] = {}


def register_step_kind(kind: StepKind) -> None:
    _kinds[kind.kind] = kind


def step_kind(word: str) -> StepKind | None:
    return _kinds.get(word)


def all_kinds() -> Iterable[StepKind]:
    return _kinds.values()


def kinds() -> list[str]:
    """Return the words of all kinds."""
    return sorted(_kinds)
