from collections.abc import Iterator
from itertools import product

from django.test import SimpleTestCase

from remediation.plans import Ending, Move, Perform, Planned, Result, next_of_dry_run, next_of_execution
from remediation.steps.port import ACTING, Phase
from remediation.vocabulary import PhaseState, RunState

ALL = frozenset(Phase)
DONE, FAILED, UNKNOWN, INTERRUPTED = (
    Result(PhaseState.DONE),
    Result(PhaseState.FAILED),
    Result(PhaseState.UNKNOWN),
    Result(PhaseState.INTERRUPTED),
)
NOTHING = Result(PhaseState.FAILED, did_nothing=True)


def planned_of(target: int, name: str, phases: frozenset[Phase]) -> Planned:
    return Planned(target, name, phases, verifies=Phase.VERIFY in phases)


TWO = [planned_of(1, "web", ALL), planned_of(2, "db", ALL)]


def play(
    planned: list[Planned], answers: dict[tuple[int, Phase], Result], stop_after: int | None = None
) -> tuple[list[tuple[int, str]], Ending]:
    """Execute with these answers, DONE where there is none; stop after so many phases."""
    results: dict[tuple[int, Phase], Result] = {}
    done: list[tuple[int, str]] = []
    while True:
        stopping = "Because." if stop_after is not None and len(done) >= stop_after else None
        move: Move = next_of_execution(planned, results, stopping=stopping)
        if isinstance(move, Ending):
            return done, move
        assert (move.target, move.phase) not in results, "nothing is done twice"
        results[move.target, move.phase] = answers.get((move.target, move.phase), DONE)
        done.append((move.target, str(move.phase)))


def every_answer() -> Iterator[dict[tuple[int, Phase], Result]]:
    act = (DONE, FAILED, NOTHING, UNKNOWN, INTERRUPTED)
    for first, second, verify, back in product(act, act, (DONE, FAILED), (DONE, UNKNOWN)):
        yield {
            (1, Phase.ACT): first,
            (2, Phase.ACT): second,
            (1, Phase.VERIFY): verify,
            (2, Phase.VERIFY): verify,
            (1, Phase.ROLL_BACK): back,
            (2, Phase.ROLL_BACK): back,
        }


class ExecutionTests(SimpleTestCase):
    def test_it_counts_no_failure_of_a_step_that_a_stop_kept_from_being_done(self):
        one = [planned_of(1, "web", frozenset({Phase.ACT}))]

        for stop_after, is_failure in ((None, True), (1, False)):
            _done, ending = play(one, {(1, Phase.ACT): NOTHING}, stop_after)
            self.assertEqual((ending.state, ending.is_failure), (RunState.ABORTED, is_failure))

    def test_it_tries_everything_before_it_changes_anything(self):
        done, ending = play(TWO, {})

        self.assertEqual(
            done,
            [
                (1, "dry_run"),
                (2, "dry_run"),
                *((1, phase) for phase in ("check", "act", "verify")),
                *((2, phase) for phase in ("check", "act", "verify")),
            ],
        )
        self.assertEqual(ending.state, RunState.VERIFIED)

    def test_it_ends_in_what_is_true(self):
        for answers, state, last in (
            ({(2, Phase.DRY_RUN): FAILED}, RunState.ABORTED, (2, "dry_run")),
            ({(1, Phase.CHECK): FAILED}, RunState.ABORTED, (1, "check")),
            ({(1, Phase.ACT): NOTHING}, RunState.ABORTED, (1, "act")),
            ({(1, Phase.ACT): FAILED}, RunState.ROLLED_BACK, (1, "roll_back")),
            ({(1, Phase.VERIFY): FAILED}, RunState.ROLLED_BACK, (1, "roll_back")),
            ({(1, Phase.ACT): INTERRUPTED}, RunState.UNKNOWN, (1, "act")),
            ({(1, Phase.ACT): UNKNOWN}, RunState.VERIFIED, (2, "verify")),  # its verification settled it
            ({(1, Phase.ACT): UNKNOWN, (1, Phase.VERIFY): FAILED}, RunState.UNKNOWN, (1, "verify")),
            ({(2, Phase.CHECK): FAILED}, RunState.ROLLED_BACK, (1, "roll_back")),
            ({(2, Phase.ACT): NOTHING}, RunState.ROLLED_BACK, (1, "roll_back")),
            ({(2, Phase.VERIFY): FAILED}, RunState.ROLLED_BACK, (1, "roll_back")),
            ({(1, Phase.ACT): FAILED, (1, Phase.ROLL_BACK): FAILED}, RunState.UNKNOWN, (1, "roll_back")),
            ({(1, Phase.ACT): FAILED, (1, Phase.ROLL_BACK): INTERRUPTED}, RunState.UNKNOWN, (1, "roll_back")),
        ):
            with self.subTest(answers=answers):
                done, ending = play(TWO, answers)

                self.assertEqual((ending.state, done[-1]), (state, last))
                self.assertEqual(ending.is_failure, state != RunState.VERIFIED)

    def test_it_rolls_back_the_last_first(self):
        done, _ = play(TWO, {(2, Phase.VERIFY): FAILED})

        self.assertEqual(done[-2:], [(2, "roll_back"), (1, "roll_back")])

    def test_it_never_says_rolled_back_of_what_cannot_be(self):
        lasting = [planned_of(1, "web", frozenset({Phase.ACT})), TWO[1]]

        done, ending = play(lasting, {(2, Phase.VERIFY): FAILED})

        self.assertEqual(done[-1], (2, "roll_back"))
        self.assertEqual(ending.state, RunState.UNKNOWN)
        self.assertIn("check web", ending.why)

    def test_it_does_not_trust_an_act_without_verification(self):
        blind = [planned_of(1, "web", frozenset({Phase.ACT, Phase.ROLL_BACK}))]

        done, ending = play(blind, {(1, Phase.ACT): UNKNOWN})

        self.assertEqual((done, ending.state), ([(1, "act")], RunState.UNKNOWN))

    def test_it_calls_verified_only_what_every_step_verifies(self):
        blind = planned_of(1, "web", frozenset({Phase.ACT}))
        for steps, why in (
            ([blind], "Done, not verified: no step looks whether it worked."),
            ([blind, TWO[1]], "Done, not verified: not every step looks whether it worked."),
            (TWO, "All steps were done and verified."),
        ):
            _, ending = play(steps, {})

            self.assertEqual(ending.why, why)

    def test_it_changes_nothing_more_once_stopped(self):
        for answers in every_answer():
            whole, _ = play(TWO, answers)
            for moment in range(len(whole) + 1):
                with self.subTest(answers=answers, moment=moment):
                    done, ending = play(TWO, answers, stop_after=moment)

                    self.assertEqual(done[:moment], whole[:moment])
                    self.assertEqual([phase for _, phase in done[moment:] if Phase(phase) in ACTING], [])
                    if ending.state == RunState.ABORTED and "Because." in ending.why:
                        clean = all(answers[one, Phase.ACT] == NOTHING for one, phase in done if phase == "act")
                        self.assertEqual("before anything was changed" in ending.why, clean)

    def test_it_verifies_what_was_done_before_it_stops(self):
        done, ending = play(TWO, {}, stop_after=4)  # the first act

        self.assertEqual(done[-1], (1, "verify"))
        self.assertEqual((ending.state, "after web" in ending.why), (RunState.ABORTED, True))


class DryRunTests(SimpleTestCase):
    def test_it_only_reads(self):
        planned = [
            TWO[0],
            planned_of(2, "db", frozenset({Phase.CHECK, Phase.ACT})),
            planned_of(3, "x", frozenset({Phase.ACT})),
        ]
        results: dict[tuple[int, Phase], Result] = {}
        done = []
        while isinstance(move := next_of_dry_run(planned, results), Perform):
            results[move.target, move.phase] = DONE
            done.append((move.target, str(move.phase)))

        self.assertEqual(done, [(1, "dry_run"), (2, "check")])
        self.assertEqual((move.state, move.is_failure), (None, False))

    def test_it_ends_with_the_first_failure(self):
        move = next_of_dry_run(TWO, {(1, Phase.DRY_RUN): FAILED})

        self.assertTrue(isinstance(move, Ending) and move.is_failure)
