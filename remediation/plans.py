"""What a run does next, decided from what its phases have come to. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from core.text.sentences import Sentence
from remediation.steps.port import Phase
from remediation.vocabulary import PhaseState, RunState

VERIFIED = Sentence("All steps were done and verified.")
DONE = Sentence("Done, not verified: no step looks whether it worked.")
PARTLY = Sentence("Done, not verified: not every step looks whether it worked.")
TRIED = Sentence("The dry run found nothing against it.")
TRIED_IN_VAIN = Sentence("The dry run on %(target)s failed.")
UNFIT = Sentence("Nothing was changed: the dry run on %(target)s failed.")
UNCHECKED = Sentence("Nothing was changed: the check of %(target)s failed.")
REFUSED = Sentence("Nothing was changed: the step on %(target)s did nothing.")
UNDONE = Sentence("It failed on %(target)s; what was done was rolled back.")
LEFT = Sentence("It failed on %(target)s; check %(targets)s: what was done there cannot be rolled back.")
BACK_FAILED = Sentence("It failed on %(target)s; check %(other)s: rolling back failed.")
BACK_STOPPED = Sentence("It failed on %(target)s and was stopped before rolling back; check %(targets)s.")
NO_ANSWER = Sentence("Nobody knows what the step did to %(target)s; check it.")
INTERRUPTED = Sentence("The worker was interrupted during a step on %(target)s; check whether it was done.")
BACK_INTERRUPTED = Sentence("The worker was interrupted while rolling back %(target)s; check whether it was done.")
STOPPED_BEFORE = Sentence("Stopped before anything was changed. %(why)s")
STOPPED_AFTER = Sentence("Stopped after %(targets)s; what was done there stays. %(why)s")


@dataclass(frozen=True)
class Planned:
    """A target of a step, by its row's id, in the order of execution."""

    target: int
    name: str
    phases: frozenset[Phase]
    verifies: bool


@dataclass(frozen=True)
class Result:
    """What a phase has come to."""

    state: PhaseState
    did_nothing: bool = False


@dataclass(frozen=True)
class Perform:
    target: int
    phase: Phase


@dataclass(frozen=True)
class Ending:
    """How a run, or a dry run (`state` is None), ends; `why` is a stored sentence, a failure counts for the pause."""

    state: RunState | None
    why: str
    is_failure: bool = False


Results = Mapping[tuple[int, Phase], Result]
Move = Perform | Ending


def next_of_dry_run(planned: Sequence[Planned], results: Results) -> Move:
    """Return the next phase of a dry run: each step's dry run, or its check where it has none."""
    for one in planned:
        phase = Phase.DRY_RUN if Phase.DRY_RUN in one.phases else Phase.CHECK
        if phase not in one.phases:
            continue
        result = results.get((one.target, phase))
        if result is None:
            return Perform(one.target, phase)
        if result.state != PhaseState.DONE:
            return Ending(None, TRIED_IN_VAIN.say(target=one.name), is_failure=True)
    return Ending(None, TRIED.say())


def next_of_execution(
    planned: Sequence[Planned], results: Results, *, stopping: str | None, frozen: str | None = None
) -> Move:
    """Return the next phase of an execution, or how it ends.

    All dry runs come first, then each target's check, act and verify. `stopping` is why nothing more may be changed:
    what was changed is still verified. `frozen` is the same, but lets what failed be rolled back.
    """
    return _Execution(planned, results, stopping, frozen).next()


@dataclass(frozen=True)
class _Execution:
    planned: Sequence[Planned]
    results: Results
    stopping: str | None
    frozen: str | None

    def next(self) -> Move:
        for one in self.planned:
            move = self._before(one, Phase.DRY_RUN, UNFIT)
            if move is not None:
                return move
        for number, one in enumerate(self.planned):
            move = self._step(number, one)
            if move is not None:
                return move
        verify = {one.verifies for one in self.planned}
        why = VERIFIED if verify == {True} else PARTLY if True in verify else DONE
        return Ending(RunState.VERIFIED, why.say())

    def _result(self, one: Planned, phase: Phase) -> Result | None:
        return self.results.get((one.target, phase))

    def _before(self, one: Planned, phase: Phase, unless: Sentence) -> Move | None:
        """Do a phase that reads and must succeed before anything on the target is changed."""
        if phase not in one.phases:
            return None
        result = self._result(one, phase)
        if result is None:
            return self._stopped() or Perform(one.target, phase)
        if result.state == PhaseState.DONE:
            return None
        return self._back_out(one, unless)

    def _step(self, number: int, one: Planned) -> Move | None:
        if self._result(one, Phase.ACT) is None and (move := self._before(one, Phase.CHECK, UNCHECKED)) is not None:
            return move
        act = self._result(one, Phase.ACT)
        if act is None:
            return self._stopped() or Perform(one.target, Phase.ACT)
        if act.state == PhaseState.INTERRUPTED:
            return _unknown(INTERRUPTED, one)
        if act.state == PhaseState.FAILED:
            return self._back_out(one, REFUSED)
        return self._verify(one, act)

    def _verify(self, one: Planned, act: Result) -> Move | None:
        """Let the verification settle what an act did of which nobody knows."""
        is_unclear = act.state == PhaseState.UNKNOWN
        if Phase.VERIFY not in one.phases:
            return _unknown(NO_ANSWER, one) if is_unclear else None
        verify = self._result(one, Phase.VERIFY)
        if verify is None:
            return Perform(one.target, Phase.VERIFY)
        if verify.state == PhaseState.DONE:
            return None
        return _unknown(NO_ANSWER, one) if is_unclear else self._back_out(one, REFUSED)

    def _acted(self) -> Iterator[Planned]:
        """Yield those that an act changed, or may have changed in part."""
        for one in self.planned:
            act = self._result(one, Phase.ACT)
            if act is not None and not (act.state == PhaseState.FAILED and act.did_nothing):
                yield one

    def _back_out(self, failed: Planned, if_nothing: Sentence) -> Move:
        """Roll back what was done, the last first."""
        acted = list(self._acted())
        if not acted:
            # during a stop, agents fetch no jobs: that is not the runbook's failure
            return Ending(RunState.ABORTED, if_nothing.say(target=failed.name), is_failure=self.stopping is None)
        left = []
        for one in reversed(acted):
            if Phase.ROLL_BACK not in one.phases:
                left.append(one)
                continue
            result = self._result(one, Phase.ROLL_BACK)
            if result is None and self.stopping is not None:
                return _unknown(BACK_STOPPED, failed, targets=_names(acted))
            if result is None:
                return Perform(one.target, Phase.ROLL_BACK)
            if result.state == PhaseState.INTERRUPTED:
                return _unknown(BACK_INTERRUPTED, one)
            if result.state != PhaseState.DONE:
                return _unknown(BACK_FAILED, failed, other=one.name)
        if left:
            return _unknown(LEFT, failed, targets=_names(left))
        return Ending(RunState.ROLLED_BACK, UNDONE.say(target=failed.name), is_failure=True)

    def _stopped(self) -> Ending | None:
        why = self.stopping if self.stopping is not None else self.frozen
        if why is None:
            return None
        acted = list(self._acted())
        if not acted:
            return Ending(RunState.ABORTED, STOPPED_BEFORE.say(why=why))
        return Ending(RunState.ABORTED, STOPPED_AFTER.say(targets=_names(acted), why=why))


def _unknown(sentence: Sentence, one: Planned, **words: str) -> Ending:
    return Ending(RunState.UNKNOWN, sentence.say(target=one.name, **words), is_failure=True)


def _names(planned: Sequence[Planned]) -> str:
    return ", ".join(one.name for one in planned)
