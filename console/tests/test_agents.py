"""Agents and secrets of runbooks on pages: who may what, and that no secret stands anywhere."""

import datetime as dt
import re
import tomllib
from typing import Any

from auditlog.models import LogEntry
from django.conf import settings
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from console.tests.test_remediation import PageCase
from console.views.remediation import installing
from incidents.tests.factories import make_incident
from remediation.models import Agent, AgentJob, RunbookSecret
from remediation.services import runbooks, secrets
from remediation.services.agents import digest_of
from remediation.tests.agents import make_agent, poll
from remediation.tests.factories import propose
from users.models import User
from users.tests.factories import make_admin

GIVEN = {
    "name": "ops",
    "url_prefix": "https://ops.example/v1/",
    "header": "Authorization",
    "value": "Bearer swordfish-7",
}
STEP: dict[str, Any] = {
    "kind": "http",
    "secret": "ops",
    "act": {"method": "POST", "url": "https://ops.example/v1/restart"},
    "verify": {"url": "https://ops.example/v1/state"},
}


def key_in(page: Any) -> str:
    [key] = set(re.findall(r"agent_[\w-]{40,}", page.content.decode()))
    return key


def audit_of(row: Any) -> list[tuple[User | None, str]]:
    return [(entry.actor, str(entry.changes)) for entry in LogEntry.objects.get_for_object(row).order_by("pk")]


class AccessTests(PageCase):
    def test_it_is_for_administrators(self) -> None:
        agent, secret = make_agent()[0], secrets.set_secret(None, by=self.admin, **GIVEN)
        pages = [
            *(("agents",), ("agent-new",), ("agent", agent.pk), ("agent-edit", agent.pk), ("agent-heard", agent.pk)),
            *(("runbook-secrets",), ("runbook-secret-new",), ("runbook-secret", secret.pk)),
        ]
        for name, *args in pages:
            with self.subTest(name):
                self.get(self.reporter, name, *args, status=403)
                self.get(self.ada, name, *args, status=403)
                self.get(self.admin, name, *args)
        writes = [
            *(("agent-key", agent.pk), ("agent-switch", agent.pk), ("agent-delete", agent.pk), ("agent-new",)),
            *(("runbook-secret-delete", secret.pk), ("runbook-secret", secret.pk), ("runbook-secret-new",)),
        ]
        for who in (self.reporter, self.ada):
            for name, *args in writes:
                with self.subTest(name):
                    self.post(who, name, *args, status=403, **{**GIVEN, "name": "other", "is_enabled": "false"})
        self.assertEqual(list(Agent.objects.values_list("name", "key_digest")), [(agent.name, agent.key_digest)])
        self.assertEqual(RunbookSecret.objects.get().updated_by, self.admin)

    def test_it_links_them_for_administrators_only(self) -> None:
        self.assertContains(self.get(self.admin, "runbooks"), reverse("console:agents"))
        self.assertNotContains(self.get(self.ada, "runbooks"), reverse("console:agents"))

    def test_it_knows_what_there_is_not(self) -> None:
        for name in ("agent", "runbook-secret"):
            for number in (1, 2**63):
                self.get(self.admin, name, number, status=404)


class AgentPageTests(PageCase):
    def test_it_shows_a_key_in_one_answer_only(self) -> None:
        made = self.post(self.admin, "agent-new", status=201, name="web-1", description="First")
        agent, key = Agent.objects.get(), key_in(made)

        self.assertEqual((digest_of(key), poll(key).status_code), (agent.key_digest, 200))
        self.assertIn("no-store", made["Cache-Control"])
        for name, *args in (("agents",), ("agent", agent.pk), ("agent-edit", agent.pk), ("agent-heard", agent.pk)):
            self.assertNotContains(self.get(self.admin, name, *args), key)
        [(actor, changes)] = audit_of(agent)
        self.assertEqual(actor, self.admin)
        self.assertNotIn(key, changes)
        self.assertNotIn(agent.key_digest, changes)

    def test_it_keeps_what_was_typed_beside_what_is_wrong(self) -> None:
        make_agent("web-1")

        page = self.post(self.admin, "agent-new", status=422, name="WEB-1", description="First of the shop")

        self.assertIn("name", page.context["form"].errors)
        self.assertContains(page, "First of the shop", status_code=422)
        self.assertEqual(Agent.objects.count(), 1)

    def test_it_replaces_a_key(self) -> None:
        agent, old = make_agent()

        page = self.post(self.admin, "agent-key", agent.pk, status=201)

        new = key_in(page)
        self.assertContains(self.get(self.admin, "agent-heard", agent.pk), "Waiting for it")
        self.assertContains(self.get(self.admin, "agent", agent.pk), "The old one works until then")
        self.assertEqual([poll(key).status_code for key in (old, new, old)], [200, 200, 401])
        self.assertContains(self.get(self.admin, "agent-heard", agent.pk), "It asked with this key.")
        self.assertEqual(audit_of(agent)[-1], (self.admin, "{'key': ['', 'replaced']}"))

    def test_it_disables_and_enables(self) -> None:
        agent, key = make_agent()

        self.post(self.admin, "agent-switch", agent.pk, is_enabled="false")
        self.assertEqual(poll(key).status_code, 401)
        self.post(self.admin, "agent-switch", agent.pk, is_enabled="true")

        self.assertEqual(poll(key).status_code, 200)
        self.assertEqual([actor for actor, _changes in audit_of(agent)[-2:]], [self.admin] * 2)

    def test_it_edits_and_deletes(self) -> None:
        agent, _key = make_agent()
        self.post(self.admin, "agent-edit", agent.pk, name="web-2", description="Second")
        agent.refresh_from_db()
        self.assertEqual((agent.name, agent.description), ("web-2", "Second"))

        self.post(self.admin, "agent-delete", agent.pk)

        self.assertFalse(Agent.objects.exists())

    def test_it_marks_silent_ones(self) -> None:
        for name, seen in (("early", 1), ("late", 6), ("off", 6)):
            moment = timezone.now() - dt.timedelta(minutes=seen)
            make_agent(name, last_seen_at=moment, is_enabled=name != "off", version="1.0")
        make_agent("fresh", last_seen_at=None)

        rows = self.get(self.admin, "agents").context["rows"]

        states = {row["agent"].name: row["state"] for row in rows}
        self.assertEqual(states, {"early": "connected", "late": "silent", "off": "disabled", "fresh": "new"})

    def test_it_lists_its_latest_jobs(self) -> None:
        agent, _key = make_agent()
        run = propose(self.incident, self.runbook, by=self.ada)
        self._job(agent, run.pk, command="restart-web", arguments={"unit": "<web>"}, state="failed", exit_code=3)

        page = self.get(self.admin, "agent", agent.pk)

        self.assertContains(page, "restart-web unit=&lt;web&gt;")
        self.assertContains(page, reverse("console:run", args=[run.pk]))
        self.assertContains(page, "exit code 3")

    def test_it_takes_the_same_queries_for_more(self) -> None:
        agent, _key = make_agent()
        counts = []
        for number in range(1, 4):
            make_agent(f"more-{number}")
            run = propose(make_incident(by=self.admin), self.runbook, by=self.admin)
            self._job(agent, run.pk)
            for name, *args in (("agents",), ("agent", agent.pk)):
                self.get(self.admin, name, *args)
                with CaptureQueriesContext(connection) as queries:
                    self.get(self.admin, name, *args)
                counts.append((name, len(queries)))

        self.assertEqual(len(set(counts)), 2, counts)

    def _job(self, agent: Agent, run: int, **fields: Any) -> AgentJob:
        now = timezone.now()
        values = {"phase": "act", "command": "about", "seconds": 30, "nonce": "", "expires_at": now, "gives_up_at": now}
        key = f"job-{AgentJob.objects.count()}"
        return AgentJob.objects.create(agent=agent, run=run, incident=1, idempotency_key=key, **{**values, **fields})


class InstallationTests(PageCase):
    @override_settings(PUBLIC_URL="https://incidents.example.org/")
    def test_it_says_how_to_install_it_without_its_key(self) -> None:
        made = self.post(self.admin, "agent-new", status=201, name="web-1")
        command = made.context["install"]

        self.assertNotIn(key_in(made), command)
        self.assertIn("https://incidents.example.org/agents/files/incident_agent.py\n", command)
        [written] = re.findall(r"<<'END'\n(.*)\nEND\n", command, re.DOTALL)
        self.assertEqual(tomllib.loads(written)["agent"], Agent.objects.get().pk)
        self.assertNotContains(made, "need PUBLIC_URL", status_code=201)

    def test_it_warns_of_an_address_that_agents_refuse(self) -> None:
        for url, is_fit in (
            ("http://127.0.0.1:8000", False),
            ("https://localhost", False),
            ("http://incidents.example.org", False),
            ("https://incidents.example.org", True),
        ):
            with self.subTest(url), override_settings(PUBLIC_URL=url):
                self.assertEqual(installing.is_reachable(), is_fit)

    def test_it_sends_the_agent_and_nothing_else(self) -> None:
        program = self.client.get(reverse("console:agent-file", args=["incident_agent.py"]))
        unit = self.client.get(reverse("console:agent-file", args=["incident-agent.service"]))

        self.assertEqual(program.content, (settings.BASE_DIR / "agent/incident_agent.py").read_bytes())
        self.assertContains(unit, "ExecStart=/usr/bin/python3 /usr/local/lib/incident_agent.py")
        for name in ("__init__.py", "..%2F.env", "key"):
            self.assertEqual(self.client.get(f"/agents/files/{name}").status_code, 404)


class SecretPageTests(PageCase):
    def assert_nowhere(self, *pages: Any) -> None:
        for page in pages:
            self.assertNotIn("swordfish", page.content.decode())
        self.assertNotIn("swordfish", str(list(LogEntry.objects.values_list("changes", "object_repr"))))

    def test_it_sets_one_and_never_shows_it(self) -> None:
        with self.assertNoLogs("django.request"):
            self.post(self.admin, "runbook-secret-new", **GIVEN)
        secret = RunbookSecret.objects.get()
        runbooks.create(by=self.admin, name="Restart the shop", steps=[STEP])

        pages = self.get(self.admin, "runbook-secrets"), self.get(self.admin, "runbook-secret", secret.pk)

        for page in pages:
            self.assertContains(page, "Restart the shop")
            self.assertContains(page, "Grace")
        self.assert_nowhere(*pages)
        self.assertEqual([actor for actor, _changes in audit_of(secret)], [self.admin])

    def test_it_replaces_the_value_or_leaves_it(self) -> None:
        secret = secrets.set_secret(None, by=self.admin, **GIVEN)
        other = make_admin(name="Ina")

        self.post(other, "runbook-secret", secret.pk, **{**GIVEN, "value": "", "header": "X-Token"})
        secret.refresh_from_db()
        kept = secret.sealed
        self.post(other, "runbook-secret", secret.pk, **{**GIVEN, "header": "X-Token", "value": "new swordfish"})
        secret.refresh_from_db()

        self.assertEqual((secret.header, secret.updated_by), ("X-Token", other))
        self.assertNotEqual(secret.sealed, kept)
        self.assertEqual(audit_of(secret)[-1], (other, "{'value': ['', 'replaced']}"))
        self.assert_nowhere()

    def test_it_says_at_its_field_what_is_wrong_and_keeps_the_rest(self) -> None:
        secret = secrets.set_secret(None, by=self.admin, **GIVEN)
        for name, fields in (
            ("name", {"name": "two words"}),
            ("url_prefix", {"url_prefix": "ftp://ops.example/"}),
            ("header", {"header": "Host"}),
            ("value", {"value": " swordfish"}),
            ("value", {"value": "", "url_prefix": "https://elsewhere.example/"}),
        ):
            with self.subTest(name):
                page = self.post(self.admin, "runbook-secret", secret.pk, status=422, **{**GIVEN, **fields})

                self.assertEqual(list(page.context["form"].errors), [name])
                self.assertContains(page, fields.get("url_prefix", GIVEN["url_prefix"]), status_code=422)
                self.assert_nowhere(page)
        self.post(self.admin, "runbook-secret-new", status=422, **{**GIVEN, "name": "new", "value": ""})

    def test_it_tells_of_a_value_that_somebody_else_set_meanwhile(self) -> None:
        secret = secrets.set_secret(None, by=self.admin, **GIVEN)
        seen = self.get(self.admin, "runbook-secret", secret.pk).context["form"].initial["seen"]
        secrets.set_secret(secret, by=self.admin, value="theirs")

        page = self.post(self.admin, "runbook-secret", secret.pk, status=422, **{**GIVEN, "seen": seen})

        self.assertContains(page, "Somebody changed this", status_code=422)

    def test_it_stays_while_a_runbook_uses_it(self) -> None:
        secret = secrets.set_secret(None, by=self.admin, **GIVEN)
        runbook = runbooks.create(by=self.admin, name="Restart the shop", steps=[STEP])

        refused = self.post(self.admin, "runbook-secret-delete", secret.pk, status=409)
        renamed = self.post(self.admin, "runbook-secret", secret.pk, status=422, **{**GIVEN, "name": "other"})
        self.assertContains(refused, "The runbook Restart the shop uses it.", status_code=409)
        self.assertContains(renamed, "The runbook Restart the shop uses it.", status_code=422)

        runbooks.edit(runbook, by=self.admin, steps=[{**STEP, "secret": "ops", "check": {"url": STEP["act"]["url"]}}])
        self.post(self.admin, "runbook-secret-delete", secret.pk, status=409)
        runbook.delete()
        self.post(self.admin, "runbook-secret-delete", secret.pk)
        self.assertFalse(RunbookSecret.objects.exists())
