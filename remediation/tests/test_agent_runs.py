"""Runs of runbooks whose step is an agent's, by the engine."""

import datetime as dt
from typing import Any

from django.test import TestCase
from django.utils import timezone

from incidents.tests.factories import make_incident, make_team
from remediation.models import AgentJob, Run, RunPhase, Stop
from remediation.tests.agents import make_agent, poll, report
from remediation.tests.factories import executing_run, make_runbook, work_off
from remediation.vocabulary import RunState
from users.tests.factories import make_admin, make_responder

STEP = {
    "kind": "agent",
    "agent": "web-1",
    "check": {"command": "check-web"},
    "act": {"command": "restart-web"},
    "verify": {"command": "check-web"},
}


class AgentRunTests(TestCase):
    def setUp(self) -> None:
        self.agent, self.key = make_agent()
        admin, ada = make_admin(), make_responder(name="Ada")
        incident = make_incident(by=admin, team=make_team("Web", ada))
        self.run_now = executing_run(incident, make_runbook(by=admin, steps=[STEP]), by=ada)

    def serve(self, **result: Any) -> None:
        """Let the engine ask, and the agent answer what is waiting."""
        work_off()
        report(self.key, poll(self.key).data["job"]["id"], **result)
        work_off(2)

    def state(self) -> tuple[str, str]:
        run = Run.objects.get(pk=self.run_now.pk)
        return run.state, run.why

    def test_it_checks_acts_and_verifies_by_jobs_of_the_agent(self) -> None:
        for _phase in range(3):
            self.serve()

        self.assertEqual(self.state()[0], RunState.VERIFIED)
        self.assertEqual(
            list(AgentJob.objects.values_list("command", flat=True)), ["check-web", "restart-web", "check-web"]
        )

    def test_it_aborts_when_the_check_fails_or_the_agent_refuses(self) -> None:
        self.serve(state="failed", exit_code=1)

        self.assertEqual(self.state()[0], RunState.ABORTED)

    def test_it_knows_that_nothing_was_done_when_nobody_fetched(self) -> None:
        self.serve()
        AgentJob.objects.filter(state="queued").update(expires_at=timezone.now())
        work_off(4)

        self.assertEqual(self.state()[0], RunState.ABORTED)
        self.assertIsNone(poll(self.key).data["job"])

    def test_it_does_not_know_what_an_agent_did_that_fell_silent(self) -> None:
        self.serve()
        fetched = poll(self.key).data["job"]["id"]
        AgentJob.objects.filter(pk=fetched).update(gives_up_at=timezone.now())
        work_off(4)
        AgentJob.objects.filter(state="queued").update(expires_at=timezone.now())
        work_off(8)

        self.assertEqual(self.state()[0], RunState.UNKNOWN)
        self.assertEqual(report(self.key, fetched, output="restarted").status_code, 200)
        self.assertEqual(self.state()[0], RunState.UNKNOWN)
        said = RunPhase.objects.get(phase="act").output
        self.assertIn("The agent's result came later: done. restarted", said)

    def test_it_keeps_a_job_from_the_agent_once_everything_is_stopped(self) -> None:
        self.serve()
        Stop.objects.create(active=1, reason="wrong", stopped_at=timezone.now() - dt.timedelta(minutes=1))

        self.assertIsNone(poll(self.key).data["job"])
