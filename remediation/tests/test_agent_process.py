"""The real agent, as a process, against the real server."""

import datetime as dt
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from django.conf import settings
from django.utils import timezone

from agent.tests.processes import Machine, eventually
from core.errors import Busy
from remediation.agent.signing import public_key, sign
from remediation.models import AgentJob
from remediation.services import agent_jobs
from remediation.tests.agents import make_agent
from remediation.vocabulary import JobState
from tests.live_server import TurnTakingTestCase, turn


class AgentProcessTests(TurnTakingTestCase):
    def setUp(self) -> None:
        self.agent, key = make_agent(last_seen_at=None, commands=[])
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        names = {"agent": self.agent.pk, "key": key, "public_key": public_key(settings.SECRET_KEY)}
        self.machine = Machine(folder, server=self.live_server_url, **names)
        self.addCleanup(self.machine.kill)

    def order(self, word: str, key: str = "key", **fields: Any) -> AgentJob:
        values = {"run": 1, "incident": 1, "phase": "act", "command": "restart-web", "arguments": {"unit": word}}
        with turn:
            return agent_jobs.queue(self.agent, key, {**values, "seconds": 5, **fields}, seconds_left=120)

    def ended(self, job: AgentJob) -> AgentJob:
        def look() -> AgentJob | None:
            with turn:
                return AgentJob.objects.filter(pk=job.pk, finished_at__isnull=False).first()

        return eventually(look)

    @contextmanager
    def signing(self, **fields: Any) -> Iterator[None]:
        """Have the server sign something else."""
        with mock.patch.object(agent_jobs, "sign", lambda secret, job: sign(secret, {**job, **fields})):
            yield

    def test_it_runs_what_was_ordered_and_reports(self) -> None:
        job = self.order("secret")

        self.machine.start()
        done = self.ended(job)

        with turn:
            self.agent.refresh_from_db()
        self.assertEqual((done.state, done.exit_code, self.machine.runs()), ("done", 0, ["secret"]))
        self.assertTrue(done.output.startswith("password=[re"), done.output)
        for secret in ("hunter2", "abc.def", "ticket-4711"):
            self.assertNotIn(secret, done.output)
        self.assertEqual((self.agent.commands, self.agent.version), (["restart-web"], "1.0"))
        self.assertEqual(self.machine.stop(), 0)

    def test_it_reports_failures_and_limits(self) -> None:
        self.machine.start()
        for word, state, seconds in (("broken", "failed", 5), ("endless", "timed_out", 1), ("huge", "done", 5)):
            with self.subTest(word):
                done = self.ended(self.order(word, word, seconds=seconds))
                self.assertEqual(done.state, state)
        self.assertEqual(len(done.output), 8 * 1024)

    def test_it_refuses_what_its_configuration_does_not_allow(self) -> None:
        self.machine.start()
        for word, fields, said in (
            ("UPPER", {}, "does not match"),
            ("web", {"arguments": {"unit": "-a"}}, "looks like an option"),
            ("web", {"arguments": {}}, "takes the arguments unit"),
            ("web", {"command": "shutdown"}, "no such command"),
        ):
            with self.subTest(said):
                done = self.ended(self.order(word, said, **fields))
                self.assertEqual((done.state, said in done.output), (JobState.REFUSED, True), done.output)
        self.assertEqual(self.machine.runs(), [])

    def test_it_refuses_what_is_forged_or_for_others_or_over(self) -> None:
        another = lambda _secret, job: sign("another secret", job)  # noqa: E731
        past = timezone.now() - dt.timedelta(minutes=10)
        self.machine.start()
        for number, (patch, said) in enumerate(
            (
                (mock.patch.object(agent_jobs, "sign", another), "signature"),
                (self.signing(agent=self.agent.pk + 1), "another agent"),
                (self.signing(expires=int(past.timestamp())), "by this machine's clock the job is over"),
            )
        ):
            with self.subTest(said), patch:
                done = self.ended(self.order("web", str(number)))
                self.assertEqual((done.state, said in done.output), (JobState.REFUSED, True), done.output)
        self.assertEqual(self.machine.runs(), [])

    def test_it_never_runs_a_replayed_job_again(self) -> None:
        job = self.order("web")
        answers = []
        true_fetch = agent_jobs.fetch

        def replay(agent: Any) -> Any:
            answers.append(answers[0] if answers else true_fetch(agent))
            return answers[0]

        with mock.patch.object(agent_jobs, "fetch", replay):
            self.machine.start()
            self.ended(job)
            eventually(lambda: len(answers) > 5)
            self.machine.kill()
            self.machine.start()
            eventually(lambda: len(answers) > 12)

        self.assertEqual(self.machine.runs(), ["web"])
        self.assertIn("not run a second time", self.machine.log())

    def test_it_does_not_know_after_a_power_cut_and_does_not_run_twice(self) -> None:
        job = self.order("slow")
        self.machine.start()
        eventually(self.machine.runs)

        self.machine.kill()
        self.machine.start()
        done = self.ended(job)

        self.assertEqual((done.state, done.exit_code), (JobState.UNKNOWN, None))
        self.assertEqual(self.machine.runs(), ["slow"])

    def test_it_keeps_a_result_while_the_server_is_away(self) -> None:
        job = self.order("web")
        with mock.patch.object(agent_jobs, "report", side_effect=Busy("later")) as away:
            self.machine.start()
            eventually(lambda: away.call_count)
            self.machine.kill()
            self.machine.start()
            eventually(lambda: away.call_count > 1)

        done = self.ended(job)

        self.assertEqual((done.state, self.machine.runs()), (JobState.DONE, ["web"]))

    def test_it_waits_for_a_server_that_does_not_answer(self) -> None:
        self.machine.write(server="http://127.0.0.1:9")
        self.machine.start()
        eventually(lambda: "cannot be reached" in self.machine.log())

        self.assertEqual(self.machine.stop(), 0)
