import datetime as dt
from typing import Any

from django.test import SimpleTestCase, TestCase
from django.utils import timezone

from remediation.models import Agent, AgentJob
from remediation.services import agent_jobs
from remediation.steps.agent.step import AgentStep
from remediation.steps.parameters import Parameter, ParameterKind
from remediation.steps.port import OutcomeState, Phase, StepFailed, TargetsUnknown
from remediation.steps.tests.contexts import Rehearsal
from remediation.tests.agents import make_agent, poll, report
from remediation.vocabulary import JobState

SPEC = {
    "kind": "agent",
    "agent": "{host}",
    "check": {"command": "check-web"},
    "act": {"command": "restart-web", "arguments": {"unit": "{unit}.service"}, "seconds": 30},
}
VALUES = {"host": "web-1", "unit": "web"}
STRING = Parameter("host", ParameterKind.STRING, pattern="[a-z]+")


class AgentStepTests(TestCase):
    def setUp(self) -> None:
        self.kind = AgentStep()
        self.agent, self.key = make_agent()
        make_agent("web-2")
        target = self.kind.resolve(SPEC, VALUES).found[0]
        self.step = Rehearsal(self.kind, SPEC, target, VALUES)

    def fetch(self) -> int:
        return int(poll(self.key).data["job"]["id"])

    def test_it_finds_enabled_agents_and_counts_them_all(self) -> None:
        both = self.kind.resolve({"agents": ["web-1", "web-2", "{host}"]}, VALUES)

        self.assertEqual([target.name for target in both.found], ["agent web-1", "agent web-2"])
        self.assertEqual(both.population, 2)
        Agent.objects.filter(name="web-2").update(is_enabled=False)
        with self.assertRaisesMessage(TargetsUnknown, "no enabled agent web-2"):
            self.kind.resolve({"agents": ["web-1", "web-2"]}, VALUES)

    def test_it_waits_for_the_agent_and_tells_its_result(self) -> None:
        waiting = self.step.do(Phase.ACT)
        fetched = self.fetch()
        running = self.step.poll(Phase.ACT)
        report(self.key, fetched, output="restarted")
        done = self.step.poll(Phase.ACT)

        self.assertEqual(AgentJob.objects.get().arguments, {"unit": "web.service"})
        self.assertEqual([waiting.state, running.state], [OutcomeState.WAIT] * 2)
        self.assertEqual((done.state, "restarted" in done.output), (OutcomeState.DONE, True))

    def test_it_tells_failures_from_what_was_not_run_and_from_what_nobody_knows(self) -> None:
        cases = [("failed", "ended with 3", None), ("timed_out", "ended after", None), ("refused", "refused", True)]
        for number, (state, said, did_nothing) in enumerate([*cases, ("unknown", "nobody knows", False)]):
            self.step.run = number
            self.step.do(Phase.ACT)
            report(self.key, self.fetch(), state=state, exit_code=3)
            with self.subTest(state):
                if did_nothing is None:
                    outcome = self.step.poll(Phase.ACT)
                    self.assertEqual((outcome.state, said in outcome.output), (OutcomeState.FAILED, True))
                    continue
                with self.assertRaisesMessage(StepFailed, said) as raised:
                    self.step.poll(Phase.ACT)
                self.assertIs(raised.exception.did_nothing, did_nothing)

    def test_it_knows_that_a_silent_agent_did_nothing_unless_it_fetched(self) -> None:
        self.step.do(Phase.ACT)
        AgentJob.objects.update(expires_at=timezone.now())
        with self.assertRaisesMessage(StepFailed, "silent") as raised:
            self.step.poll(Phase.ACT)
        self.assertTrue(raised.exception.did_nothing)

        self.step.run = 8
        self.step.do(Phase.ACT)
        self.fetch()
        AgentJob.objects.update(gives_up_at=timezone.now())
        with self.assertRaisesMessage(StepFailed, "nobody knows") as raised:
            self.step.poll(Phase.ACT)
        self.assertFalse(raised.exception.did_nothing)

    def test_it_makes_no_job_that_cannot_be_done(self) -> None:
        for fields, said in (
            ({"last_seen_at": timezone.now() - dt.timedelta(minutes=6)}, "not been heard of"),
            ({"last_seen_at": None}, "not been heard of"),
            ({"commands": ["other"]}, "no command restart-web"),
            ({"is_enabled": False}, "no enabled agent"),
        ):
            Agent.objects.filter(pk=self.agent.pk).update(**fields)
            with self.subTest(said), self.assertRaisesMessage(StepFailed, said) as raised:
                self.step.do(Phase.ACT)
            self.assertTrue(raised.exception.did_nothing)
            self.assertEqual(AgentJob.objects.count(), 0)
            self.agent.save()

    def test_it_acts_once_and_reads_anew(self) -> None:
        for phase, most in ((Phase.ACT, 1), (Phase.CHECK, 2)):
            AgentJob.objects.all().delete()
            self.step.do(phase)
            report(self.key, self.fetch())
            self.assertIs(self.step.do(phase).state, OutcomeState.DONE)
            self.step.do(phase)
            with self.subTest(phase):
                self.assertEqual(AgentJob.objects.count(), most)

    def test_it_gives_each_phase_time_to_be_fetched(self) -> None:
        self.assertEqual(self.kind.seconds(SPEC, Phase.ACT), 30 + int(agent_jobs.FETCH_SECONDS) + 30)
        self.assertEqual(self.kind.phases(SPEC), {Phase.CHECK, Phase.ACT})
        self.assertEqual(JobState.QUEUED, "queued")


class AgentSpecTests(SimpleTestCase):
    def faults(self, **spec: Any) -> set[str]:
        return set(AgentStep().validate({"kind": "agent", **spec}, [STRING]))

    def test_it_names_the_place_of_each_fault(self) -> None:
        act = {"command": "restart-web"}
        self.assertEqual(self.faults(agent="web-1", act=act), {"verify"})
        for spec, places in (
            ({"agent": "web-1", "act": act}, set()),
            ({"agents": ["a", "{host}"], "act": act, "verify": act, "roll_back": act, "dry_run": act}, set()),
            ({"agent": "a"}, {"act"}),
            ({"act": act}, {"agent"}),
            ({"agent": "a", "agents": ["b"], "act": act}, {"agent"}),
            ({"agent": "{other}", "act": act}, {"agent"}),
            ({"agents": [], "act": act}, {"agents"}),
            ({"agents": [3], "act": act}, {"agents"}),
            ({"agent": "a", "act": {"command": "rm -rf /"}}, {"act.command"}),
            ({"agent": "a", "act": {**act, "shell": True}}, {"act.shell"}),
            ({"agent": "a", "act": {**act, "arguments": {"unit": 3}}}, {"act.arguments"}),
            ({"agent": "a", "act": {**act, "arguments": {"unit": "{none}"}}}, {"act.arguments"}),
            ({"agent": "a", "act": {**act, "seconds": 0}}, {"act.seconds"}),
            ({"agent": "a", "act": act, "verify": "yes"}, {"verify"}),
            ({"agent": "a", "act": act, "argv": ["ls"]}, {"argv"}),
        ):
            with self.subTest(spec):
                self.assertEqual(self.faults(**{"verify": act, **spec}), places)
