import base64
import datetime as dt
import json
from unittest import mock

from auditlog.models import LogEntry
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.conf import settings
from django.test import SimpleTestCase, TestCase, override_settings
from django.utils import timezone

from agent.incident_agent import PREFIX
from incidents.tests.factories import make_incident
from remediation.agent.signing import public_key, sign
from remediation.models import Agent, AgentJob, Run, Stop
from remediation.services import agent_jobs
from remediation.services.agents import digest_of
from remediation.tests.agents import agent_client, make_agent, poll, report
from remediation.tests.factories import make_runbook, propose
from remediation.vocabulary import Activity, JobState, PhaseWord
from tests.people import signed_in
from users.tests.factories import make_admin, make_reporter, make_responder


def make_job(agent: Agent, key: str = "key", **fields: object) -> AgentJob:
    values = {"run": 1, "incident": 1, "phase": PhaseWord.ACT, "command": "restart-web", "arguments": {"unit": "web"}}
    return agent_jobs.queue(agent, key, {**values, "seconds": 30, **fields}, seconds_left=120)


def later(seconds: float) -> mock._patch:  # type: ignore[type-arg]
    """Let the services' clock run ahead."""
    moment = timezone.now() + dt.timedelta(seconds=seconds)
    return mock.patch.multiple("remediation.services.agent_jobs", database_now=lambda: moment)


class SigningTests(SimpleTestCase):
    def test_it_signs_what_only_this_secret_can(self) -> None:
        signed = sign(settings.SECRET_KEY, {"job": 1})
        payload, signature = base64.b64decode(signed["payload"]), base64.b64decode(signed["signature"])
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key(settings.SECRET_KEY)))

        key.verify(signature, PREFIX + payload)
        self.assertEqual(json.loads(payload), {"job": 1})
        for forged in (PREFIX + payload.replace(b"1", b"2"), payload):
            with self.subTest(forged), self.assertRaises(InvalidSignature):
                key.verify(signature, forged)
        self.assertNotEqual(public_key("another secret"), public_key(settings.SECRET_KEY))


class AgentApiTests(TestCase):
    def setUp(self) -> None:
        self.admin = make_admin()
        self.client = signed_in(self.admin)

    def test_it_shows_a_key_once_and_keeps_its_digest(self) -> None:
        made = self.client.post("/api/v1/agents/", {"name": "web-1"})
        read = self.client.get(f"/api/v1/agents/{made.data['id']}/")

        agent = Agent.objects.get()
        self.assertEqual((made.status_code, made.headers["Cache-Control"]), (201, "no-store"))
        self.assertEqual(agent.key_digest, digest_of(made.data["key"]))
        self.assertNotIn("key", read.data)
        self.assertIn(f'public_key = "{public_key(settings.SECRET_KEY)}"', made.data["configuration"])
        self.assertIn(f"agent = {agent.pk}", made.data["configuration"])
        self.assertNotIn(made.data["key"], made.data["configuration"])
        self.assertEqual(poll(made.data["key"]).status_code, 200)
        changes = str(LogEntry.objects.get_for_object(agent).values_list("changes", flat=True))
        self.assertNotIn(agent.key_digest, changes)

    def test_it_replaces_a_key_without_a_gap(self) -> None:
        agent, old = make_agent()

        made = self.client.post(f"/api/v1/agents/{agent.pk}/key/").data
        new = made["key"]

        self.assertNotIn(new, made["configuration"])
        self.assertEqual(poll(old).status_code, 200)
        self.assertEqual(poll(new).status_code, 200)
        self.assertEqual(poll(old).status_code, 401)  # since the new one is used
        audited = LogEntry.objects.get_for_object(agent).get(changes__icontains="replaced")
        self.assertEqual(audited.actor, self.admin)

    def test_it_keeps_the_key_in_use_when_a_new_one_is_replaced_before_its_use(self) -> None:
        agent, used = make_agent()
        address = f"/api/v1/agents/{agent.pk}/key/"

        lost, new = (self.client.post(address).data["key"] for _time in range(2))

        self.assertEqual(poll(lost).status_code, 401)
        self.assertEqual(poll(used).status_code, 200)
        self.assertEqual(poll(new).status_code, 200)
        self.assertEqual(poll(used).status_code, 401)

    def test_it_does_not_revive_a_key_whose_day_is_over(self) -> None:
        agent, first = make_agent()
        second = self.client.post(f"/api/v1/agents/{agent.pk}/key/").data["key"]
        Agent.objects.update(old_key_until=timezone.now() - dt.timedelta(seconds=1))

        self.client.post(f"/api/v1/agents/{agent.pk}/key/")

        self.assertEqual([poll(key).status_code for key in (first, second)], [401, 200])

    def test_it_ends_all_keys_of_a_disabled_agent_when_one_is_made(self) -> None:
        agent, leaked = make_agent(is_enabled=False)

        new = self.client.post(f"/api/v1/agents/{agent.pk}/key/").data["key"]
        self.client.patch(f"/api/v1/agents/{agent.pk}/", {"is_enabled": True})

        self.assertEqual([poll(key).status_code for key in (leaked, new)], [401, 200])

    def test_it_ends_an_old_key_after_a_day(self) -> None:
        agent, old = make_agent()
        self.client.post(f"/api/v1/agents/{agent.pk}/key/")

        Agent.objects.update(old_key_until=timezone.now() - dt.timedelta(seconds=1))

        self.assertEqual(poll(old).status_code, 401)

    def test_it_lets_nobody_but_enabled_agents_ask(self) -> None:
        _agent, key = make_agent()
        Agent.objects.update(is_enabled=False)
        people = [signed_in(person) for person in (make_reporter(), make_responder(), self.admin)]

        for client in (*people, agent_client("wrong"), agent_client(key)):
            answer = client.post("/api/v1/agents/poll/", {"version": "1", "commands": []})
            self.assertEqual(answer.status_code, 401)

    def test_it_keeps_what_an_agent_says_of_itself(self) -> None:
        agent, key = make_agent(last_seen_at=None)

        poll(key, ("one", "two"))

        read = self.client.get(f"/api/v1/agents/{agent.pk}/").data
        self.assertEqual((read["commands"], read["version"]), (["one", "two"], "1.0"))
        self.assertIsNotNone(read["last_seen_at"])
        self.assertEqual(agent_client(key).post("/api/v1/agents/poll/", {"version": "1"}).status_code, 400)

    def test_it_deletes_an_agent_with_its_jobs(self) -> None:
        agent, _key = make_agent()
        make_job(agent)

        self.assertEqual(self.client.delete(f"/api/v1/agents/{agent.pk}/").status_code, 204)
        self.assertEqual(AgentJob.objects.count(), 0)


class JobTests(TestCase):
    def setUp(self) -> None:
        self.agent, self.key = make_agent()
        self.other, self.other_key = make_agent("web-2")

    def test_it_hands_out_a_job_once_to_its_agent_only(self) -> None:
        job = make_job(self.agent)

        none = poll(self.other_key).data
        first, second = poll(self.key).data, poll(self.key).data

        payload = json.loads(base64.b64decode(first["job"]["payload"]))
        self.assertEqual((none["job"], second["job"]), (None, None))
        self.assertEqual((payload["job"], payload["agent"]), (job.pk, self.agent.pk))
        self.assertEqual((payload["command"], payload["arguments"]), ("restart-web", {"unit": "web"}))
        self.assertEqual(payload["expires"], int(job.expires_at.timestamp()))
        self.assertLess(payload["not_before"], job.created_at.timestamp())

    def test_it_asks_for_haste_only_while_runs_use_the_agent(self) -> None:
        self.assertEqual(poll(self.key).data["poll_seconds"], agent_jobs.CALM_SECONDS)
        make_job(self.agent)
        self.assertEqual(poll(self.key).data["poll_seconds"], agent_jobs.BRISK_SECONDS)

    def test_it_makes_one_job_of_a_key(self) -> None:
        self.assertEqual(make_job(self.agent).pk, make_job(self.agent).pk)

    def test_it_fits_the_command_into_the_time_left(self) -> None:
        values = {"run": 1, "incident": 1, "phase": "act", "command": "a", "arguments": {}, "seconds": 600}
        job = agent_jobs.queue(self.agent, "short", values, seconds_left=50)

        self.assertEqual((job.seconds, (job.expires_at - job.created_at).total_seconds()), (25, 25))

    def test_it_keeps_the_first_result(self) -> None:
        job = make_job(self.agent)
        poll(self.key)

        first = report(self.key, job.pk, output="restarted")
        second = report(self.key, job.pk, state="failed", exit_code=3, output="other")

        job.refresh_from_db()
        self.assertEqual([first.data, second.data], [{"id": job.pk, "state": "done"}] * 2)
        self.assertEqual((job.state, job.exit_code, job.output), ("done", 0, "restarted"))

    def test_it_takes_results_from_the_agent_that_fetched_only(self) -> None:
        job = make_job(self.agent)

        self.assertEqual(report(self.key, job.pk).status_code, 409)
        poll(self.key)
        self.assertEqual(report(self.other_key, job.pk).status_code, 404)
        self.assertEqual(report(self.key, job.pk + 1).status_code, 404)
        self.assertEqual(report(self.key, job.pk, state="queued").status_code, 400)
        self.assertEqual(AgentJob.objects.get().state, JobState.FETCHED)

    def test_it_expires_what_a_silent_agent_never_fetched(self) -> None:
        job = make_job(self.agent)

        with later(61):
            found = agent_jobs.look("key")
            fetched = agent_jobs.fetch(self.agent)

        self.assertEqual((found.state, fetched), (JobState.EXPIRED, None))
        self.assertEqual(report(self.key, job.pk).status_code, 409)

    def test_it_gives_up_on_a_fetched_job_and_still_keeps_a_late_result(self) -> None:
        job = make_job(self.agent)
        poll(self.key)

        with later(60 + 30 + 21):
            self.assertEqual(agent_jobs.look("key").state, JobState.UNKNOWN)
        report(self.key, job.pk, output="late")

        self.assertEqual(agent_jobs.look("key").output, "late")

    def test_it_hands_out_nothing_that_acts_during_a_global_stop(self) -> None:
        Stop.objects.create(active=1, reason="wrong")
        make_job(self.agent)
        reading = make_job(self.agent, "other", phase=PhaseWord.VERIFY)

        self.assertEqual(poll(self.key).data["job"]["id"], reading.pk)
        self.assertIsNone(poll(self.key).data["job"])

    def test_it_hands_out_nothing_of_a_run_that_has_ended(self) -> None:
        admin = make_admin()
        run = propose(make_incident(by=admin), make_runbook("web", by=admin), by=admin)
        job = make_job(self.agent, run=run.pk)

        self.assertIsNone(poll(self.key).data["job"])
        Run.objects.filter(pk=run.pk).update(activity=Activity.EXECUTION)
        self.assertEqual(poll(self.key).data["job"]["id"], job.pk)

    def test_it_forgets_jobs_after_a_day(self) -> None:
        make_job(self.agent)

        self.assertEqual(agent_jobs.prune(timezone.now() + dt.timedelta(hours=24)), 0)
        self.assertEqual(agent_jobs.prune(timezone.now() + dt.timedelta(hours=25)), 1)

    def test_it_signs_by_another_key_after_the_secret_changed(self) -> None:
        make_job(self.agent)

        with override_settings(SECRET_KEY="another-" * 8):
            envelope = poll(self.key).data["job"]

        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key(settings.SECRET_KEY)))
        with self.assertRaises(InvalidSignature):
            key.verify(base64.b64decode(envelope["signature"]), PREFIX + base64.b64decode(envelope["payload"]))
