import datetime as dt
from unittest.mock import patch

from django.db import connection, transaction
from django.test import TestCase, TransactionTestCase

from core.db.clock import database_now
from core.errors import Conflict
from incidents.models import Incident
from incidents.tests.factories import kinds_of, make_incident, make_team
from notifications.models import Notification
from remediation.models import Run, RunPhase, RunTarget
from remediation.services import deciding, engine, executing, runbooks, stopping
from remediation.steps import port
from remediation.steps.port import ACTING, Outcome, OutcomeState, Phase
from remediation.tests.factories import (
    DONE,
    FAILED,
    NOTHING,
    UNCLEAR,
    WAIT,
    approved,
    executing_run,
    fake,
    make_runbook,
    settle,
    work_off,
)
from remediation.vocabulary import PhaseState, RunState
from users.models import User
from users.tests.factories import make_admin, make_responder


class Setting:
    def setUp(self) -> None:
        fake.reset()
        self.admin, self.ada = make_admin(), make_responder(name="Ada")
        self.incident = make_incident(by=self.admin, team=make_team("Web", self.ada))

    def ended(self, *targets: str, **fields: object) -> Run:
        """A run of a new runbook, executed to its end."""
        run = executing_run(self.incident, make_runbook(*targets, by=self.admin, **fields), by=self.ada)
        work_off()
        run.refresh_from_db()
        return run


class EngineTests(Setting, TestCase):
    def test_it_executes_and_verifies(self):
        run = self.ended("web")

        self.assertEqual([word for _, word in fake.calls], ["dry_run", "check", "act", "verify"])
        self.assertEqual((run.state, run.why), (RunState.VERIFIED, "All steps were done and verified."))
        self.assertIsNone(run.due_at)
        self.assertFalse(RunTarget.objects.filter(held_key__isnull=False).exists())
        kinds = kinds_of(self.incident)
        self.assertEqual(kinds[-5:], ["run_proposed", "run_approved", "run_started", "run_step", "run_verified"])

    def test_it_calls_nothing_verified_that_a_version_from_before_did_not_verify(self):
        with patch("remediation.services.telling.amend") as amend:
            run = self.ended("web", step={"phases": ["act"]})

        self.assertEqual((run.state, run.state_label), (RunState.VERIFIED, "Done, not verified"))
        self.assertIn("Done, not verified", run.why)
        self.assertEqual(kinds_of(self.incident)[-1], "run_done")
        self.assertTrue(amend.call_args.args[0].title.endswith("is done, not verified"))

    def test_it_gives_a_step_what_it_needs(self):
        fake.answers["web", "check"] = Outcome(OutcomeState.DONE, memory={"replicas": 3})

        run = self.ended("web")

        act = next(context for context in fake.contexts if context.phase == Phase.ACT)
        self.assertEqual((act.run, act.incident, act.actor), (run.pk, self.incident.pk, "Ada"))
        self.assertEqual((act.memory["replicas"], act.spec["rendered_for"]), (3, "web"))
        keys = {context.idempotency_key for context in fake.contexts}
        self.assertEqual(len(keys), 4)

    def test_it_ends_in_what_is_true(self):
        for answers, state in (
            ({("web", "dry_run"): FAILED}, RunState.ABORTED),
            ({("web", "check"): FAILED}, RunState.ABORTED),
            ({("web", "act"): NOTHING}, RunState.ABORTED),
            ({("web", "act"): UNCLEAR}, RunState.VERIFIED),
            ({("web", "act"): UNCLEAR, ("web", "verify"): FAILED}, RunState.UNKNOWN),
            ({("web", "act"): ValueError("bug"), ("web", "verify"): FAILED}, RunState.UNKNOWN),
            ({("web", "verify"): FAILED}, RunState.ROLLED_BACK),
            ({("web", "verify"): FAILED, ("web", "roll_back"): UNCLEAR}, RunState.UNKNOWN),
            ({("db", "act"): NOTHING}, RunState.ROLLED_BACK),
        ):
            with self.subTest(answers=answers):
                fake.reset()
                fake.answers = dict(answers)

                run = self.ended("web", "db")

                self.assertEqual(run.state, state)
                acting = [call for call in fake.calls if call[1] in ACTING]
                self.assertEqual(len(acting), len(set(acting)), "nothing twice")
                if state == RunState.UNKNOWN:
                    settle(run, by=self.ada)
                self.assertFalse(RunTarget.objects.filter(held_key__isnull=False).exists())

    def test_it_waits_without_holding_anything(self):
        fake.answers["web", "act"] = WAIT
        fake.answers["web", "poll"] = [WAIT, Outcome(OutcomeState.DONE, "now")]
        run = self.ended("web")
        self.assertEqual((run.state, fake.calls[-1]), (RunState.EXECUTING, ("web", "act")))

        work_off()
        self.assertEqual(fake.calls[-1], ("web", "act"), "not before its pause is over")
        for _ in range(2):
            pass_time(run, 6)
            work_off()

        run.refresh_from_db()
        self.assertEqual(run.state, RunState.VERIFIED)
        self.assertEqual([word for _, word in fake.calls].count("act"), 1)
        self.assertEqual([word for _, word in fake.calls].count("poll"), 2)

    def test_it_gives_up_what_does_not_end_in_time(self):
        fake.answers["web", "act"] = WAIT
        fake.answers["web", "verify"] = FAILED
        run = self.ended("web")

        RunPhase.objects.filter(run=run, phase="act").update(ends_at=database_now(), due_at=database_now())
        pass_time(run, 6)
        work_off()

        run.refresh_from_db()
        self.assertEqual(run.state, RunState.UNKNOWN)
        self.assertEqual(run.phases.get(phase="act").state, PhaseState.UNKNOWN)

    def test_it_verifies_again_until_its_time_is_over(self):
        fake.answers["web", "verify"] = [WAIT, DONE]
        run = self.ended("web")
        self.assertEqual(run.state, RunState.EXECUTING)

        pass_time(run, 6)
        work_off()

        run.refresh_from_db()
        self.assertEqual(run.state, RunState.VERIFIED)

    def test_it_tries_without_effect(self):
        run = approved(self.incident, make_runbook("web", by=self.admin), by=self.ada)

        executing.dry_run(run, by=self.ada)
        work_off()

        run.refresh_from_db()
        self.assertEqual((run.state, [word for _, word in fake.calls]), (RunState.APPROVED, ["dry_run"]))
        self.assertIsNotNone(run.dry_run_at)
        self.assertIn("run_dry_run", kinds_of(self.incident))
        executing.execute(run, by=self.ada)
        work_off()
        # what was tried may be old: it is tried again
        self.assertEqual([word for _, word in fake.calls], ["dry_run", "dry_run", "check", "act", "verify"])

    def test_it_tries_nothing_of_a_runbook_that_is_off(self):
        runbook = make_runbook("web", by=self.admin)
        run = approved(self.incident, runbook, by=self.ada)
        runbooks.edit(runbook, by=self.admin, is_enabled=False)

        with self.assertRaises(Conflict) as caught:
            executing.dry_run(run, by=self.ada)

        self.assertEqual(caught.exception.code, "runbook_disabled")

    def test_it_stops_before_the_next_step_until_released_by_hand(self):
        run = executing_run(self.incident, make_runbook("web", by=self.admin), by=self.ada)
        stopping.stop(by=self.ada, reason="Wrong cluster")

        work_off()

        run.refresh_from_db()
        self.assertEqual((run.state, fake.calls), (RunState.ABORTED, []))
        self.assertIn("Wrong cluster", run.why)

    def test_it_stops_an_executing_run_even_if_the_stop_is_released_first(self):
        run = executing_run(self.incident, make_runbook("web", by=self.admin), by=self.ada)
        stopping.stop(by=self.ada, reason="Wrong cluster")
        stopping.release(by=self.admin)

        work_off()

        run.refresh_from_db()
        self.assertEqual((run.state, fake.calls), (RunState.ABORTED, []))

    def test_it_goes_on_by_itself_for_no_incident_that_was_restricted_meanwhile(self):
        for is_person, state in ((False, RunState.ABORTED), (True, RunState.VERIFIED)):
            with self.subTest(is_person=is_person):
                fake.reset()
                incident = make_incident(by=self.admin)
                run = executing_run(incident, make_runbook("web", by=self.admin), by=self.admin)
                Run.objects.filter(pk=run.pk).update(executed_by=self.admin if is_person else None)
                Incident.objects.filter(pk=incident.pk).update(is_restricted=True)

                work_off()

                run.refresh_from_db()
                self.assertEqual((run.state, ("web", "act") in fake.calls), (state, is_person))

    def test_it_executes_nothing_that_its_approver_could_not_approve_any_more(self):
        other = make_team("Mail")
        for change in (
            lambda: User.objects.filter(pk=self.ada.pk).update(is_active=False),
            lambda: User.objects.filter(pk=self.ada.pk).update(role="reporter"),
            lambda: Incident.objects.filter(pk=self.incident.pk).update(team=other),
        ):
            with self.subTest(), transaction.atomic():
                run = approved(
                    self.incident, make_runbook("web", by=self.admin, risk="b"), by=self.ada, proposer=self.admin
                )
                change()

                with self.assertRaises(Conflict) as caught:
                    executing.execute(run, by=self.admin)

                self.assertEqual((caught.exception.code, fake.calls), ("approval_void", []))
                transaction.set_rollback(True)

    def test_it_aborts_between_two_steps(self):
        run = executing_run(self.incident, make_runbook("web", "db", by=self.admin), by=self.ada)

        def abort(_context: object) -> Outcome:
            deciding.abort(run, by=self.ada, reason="Enough.")
            return DONE

        original = fake._answer
        with patch.object(
            fake, "_answer", lambda context, word: abort(context) if word == "act" else original(context, word)
        ):
            work_off()

        run.refresh_from_db()
        self.assertEqual(run.state, RunState.ABORTED)
        self.assertIn("Stopped after web", run.why)
        self.assertNotIn(("db", "check"), fake.calls)
        self.assertIn(("web", "verify"), fake.calls)

    def test_it_removes_secrets_from_outputs(self):
        fake.answers["web", "check"] = Outcome(OutcomeState.DONE, "password=hunter22 Bearer abcdefghijkl")

        run = self.ended("web")

        self.assertEqual(run.phases.get(phase="check").output, "password=[removed] Bearer [removed]")

    def test_it_pauses_a_runbook_that_fails_twice(self):
        runbook = make_runbook("web", by=self.admin)
        fake.answers["web", "check"] = FAILED
        for _ in range(2):
            executing_run(self.incident, runbook, by=self.ada)
            work_off()

        runbook.refresh_from_db()
        self.assertIsNotNone(runbook.paused_at)
        self.assertEqual(runbook.paused_because, "It failed 2 times in a row.")

    def test_it_ends_a_run_whose_kind_of_step_is_gone(self):
        run = executing_run(self.incident, make_runbook("web", by=self.admin), by=self.ada)

        with patch.dict(port._kinds, clear=True):
            work_off()

        run.refresh_from_db()
        self.assertEqual((run.state, fake.calls), (RunState.ABORTED, []))
        self.assertIn("not available here", run.why)

    def test_it_forgets_a_failure_after_a_success(self):
        runbook = make_runbook("web", by=self.admin)
        for answer in (FAILED, DONE, FAILED):
            fake.answers["web", "check"] = answer
            executing_run(self.incident, runbook, by=self.ada)
            work_off()

        runbook.refresh_from_db()
        self.assertEqual((runbook.failures, runbook.paused_at), (1, None))


def pass_time(run: Run, seconds: float) -> None:
    """Make what waits due."""
    past = database_now() - dt.timedelta(seconds=1)
    Run.objects.filter(pk=run.pk, due_at__isnull=False).update(due_at=past)
    RunPhase.objects.filter(run=run, due_at__isnull=False).update(due_at=past)


class Killed(BaseException):
    """A worker that ends at once."""


class CrashTests(Setting, TestCase):
    """A worker ends between two commits; another takes over once its lease is over."""

    def crash(self, phase: str, *, before: bool) -> Run:
        """A run whose worker ended before or after the call of a phase."""
        run = executing_run(self.incident, make_runbook("web", by=self.admin), by=self.ada)
        original = engine.perform

        def die(work: engine.Work) -> object:
            if work.context.phase != phase:
                return original(work)
            if not before:
                original(work)
            raise Killed

        with patch.object(engine, "perform", die), self.assertRaises(Killed):
            work_off()
        work_off()  # nobody else before the lease is over
        return run

    def test_it_never_acts_twice_and_says_what_to_check(self):
        for before in (True, False):
            with self.subTest(before=before):
                fake.reset()
                run = self.crash("act", before=before)
                self.assertEqual(Run.objects.get(pk=run.pk).state, RunState.EXECUTING)

                pass_time(run, 0)
                work_off()

                run.refresh_from_db()
                self.assertEqual(run.state, RunState.UNKNOWN)
                self.assertIn("on web; check whether it was done", run.why)
                self.assertEqual(fake.calls.count(("web", "act")), 0 if before else 1)
                self.assertEqual(run.phases.get(phase="act").state, PhaseState.INTERRUPTED)
                self.assertEqual(kinds_of(self.incident)[-1], "run_unknown")
                told = Notification.objects.filter(incident=self.incident)
                self.assertTrue({self.ada.pk, self.admin.pk} <= {one.user_id for one in told})
                settle(run, by=self.ada)

    def test_it_reads_again(self):
        for phase in ("dry_run", "check", "verify"):
            with self.subTest(phase=phase):
                fake.reset()
                run = self.crash(phase, before=False)

                pass_time(run, 0)
                work_off()

                run.refresh_from_db()
                self.assertEqual((run.state, fake.calls.count(("web", phase))), (RunState.VERIFIED, 2))
                self.assertEqual(fake.calls.count(("web", "act")), 1)

    def test_it_gives_up_reading_what_ends_each_worker(self):
        run = self.crash("check", before=True)
        for _ in range(engine.ATTEMPTS):
            pass_time(run, 0)
            with patch.object(engine, "perform", side_effect=Killed):
                try:
                    work_off()
                except Killed:
                    continue

        run.refresh_from_db()
        self.assertEqual(run.state, RunState.ABORTED)

    def test_it_does_not_roll_back_twice(self):
        fake.answers["web", "verify"] = FAILED
        run = self.crash("roll_back", before=False)

        pass_time(run, 0)
        work_off()

        run.refresh_from_db()
        self.assertEqual((run.state, fake.calls.count(("web", "roll_back"))), (RunState.UNKNOWN, 1))
        self.assertIn("while rolling back web", run.why)

    def test_it_keeps_a_late_answer_beside_what_was_said(self):
        run = executing_run(self.incident, make_runbook("web", step={"phases": ["act"]}, by=self.admin), by=self.ada)
        now = database_now()
        held = now + engine._lease().length
        Run.objects.filter(pk=run.pk).update(due_at=held)
        slow = engine.begin(run.pk, held)
        assert slow is not None
        result = engine.perform(slow)
        pass_time(run, 0)
        work_off()

        engine.record(slow, result)

        run.refresh_from_db()
        self.assertEqual((run.state, fake.calls), (RunState.UNKNOWN, [("web", "act")]))
        self.assertIn("Its answer came later: done. done", run.phases.get().output)

    def test_it_lets_one_of_two_workers_begin(self):
        run = executing_run(self.incident, make_runbook("web", by=self.admin), by=self.ada)
        held = database_now() + engine._lease().length
        Run.objects.filter(pk=run.pk).update(due_at=held)

        first, second = engine.begin(run.pk, held), engine.begin(run.pk, held)

        self.assertIsNotNone(first)
        self.assertIsNone(second)


class LockTests(Setting, TransactionTestCase):
    def test_it_calls_no_step_within_a_transaction(self):
        seen = []
        original = fake._answer

        def look(context: object, word: str) -> Outcome:
            seen.append(connection.in_atomic_block)
            return original(context, word)  # type: ignore[arg-type]

        with patch.object(fake, "_answer", look):
            self.ended("web")

        self.assertEqual(seen, [False] * 4)
