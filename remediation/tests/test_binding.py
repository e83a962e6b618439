import datetime as dt
from dataclasses import replace
from typing import Any

from django.test import SimpleTestCase, TestCase

from core.db.clock import database_now
from core.errors import Conflict
from incidents.tests.factories import make_incident, make_team
from remediation.binding import run_digest
from remediation.models import Run
from remediation.services import executing
from remediation.services.secrets import set_secret
from remediation.steps.port import Target
from remediation.tests.factories import fake, make_runbook, propose
from users.tests.factories import client_of, make_admin, make_responder

WEB = Target("deployment", "deployment shop/web", {"uid": "1"})
GIVEN: dict[str, Any] = {
    "version": "v1",
    "incident": 7,
    "parameters": {"n": 1},
    "targets": [[WEB]],
    "secrets": {"ops": "1 a"},
}


def run_of(run: Run) -> Run:
    return Run.objects.select_related("version", "incident").get(pk=run.pk)


class DigestTests(SimpleTestCase):
    def test_it_is_another_for_whatever_is_approved(self) -> None:
        changes: list[dict[str, Any]] = [
            {},
            {"version": "v2"},
            {"incident": 8},
            {"parameters": {"n": 2}},
            {"parameters": {"n": "1"}},
            {"parameters": {"m": 1}},
            {"targets": [[replace(WEB, name="deployment shop/db")]]},
            {"targets": [[replace(WEB, kind="statefulset")]]},
            {"targets": [[replace(WEB, details={"uid": "2"})]]},
            {"targets": [[WEB, replace(WEB, name="deployment shop/db")]]},
            {"targets": [[replace(WEB, name="deployment shop/db"), WEB]]},
            {"targets": [[WEB], []]},
            {"targets": [[], [WEB]]},
            {"targets": []},
            {"secrets": {"ops": "1 b"}},
            {"secrets": {}},
        ]

        digests = [run_digest(**{**GIVEN, **change}) for change in changes]

        self.assertEqual(len(set(digests)), len(changes))

    def test_it_is_the_same_for_the_same_in_another_order(self) -> None:
        one = run_digest("v1", 7, {"a": 1, "b": 2}, [[Target("x", "y", {"c": 1, "d": 2})]], {})
        other = run_digest("v1", 7, {"b": 2, "a": 1}, [[Target("x", "y", {"d": 2, "c": 1})]], {})

        self.assertEqual(one, other)


class ApprovalTests(TestCase):
    def setUp(self) -> None:
        fake.reset()
        self.admin, self.ada = make_admin(), make_responder(name="Ada")
        self.incident = make_incident(by=self.admin, team=make_team("Web", self.ada))

    def proposed(self, **fields: Any) -> Run:
        return propose(self.incident, make_runbook("web", by=self.admin, **fields), by=self.ada)

    def approve(self, run: Run, body: dict[str, Any], status: int) -> Any:
        answer = client_of(self.ada).post(f"/api/v1/runs/{run.pk}/approve/", body, "json")
        self.assertEqual(answer.status_code, status, answer.content)
        return answer.json()

    def test_it_approves_nothing_unseen(self) -> None:
        run = self.proposed()

        for body in ({}, {"digest": None}, {"digest": ""}):
            with self.subTest(body=body):
                self.assertIn("Send the digest of the run that you read", str(self.approve(run, body, 400)))
        self.assertEqual(self.approve(run, {"digest": self.proposed().digest}, 409)["code"], "digest_mismatch")
        self.assertEqual(self.approve(run, {"digest": run.digest[:16]}, 409)["code"], "digest_mismatch")

        run.refresh_from_db()
        self.assertEqual((run.state, run.approved_by), ("proposed", None))

    def test_it_executes_nothing_with_a_secret_that_was_set_since(self) -> None:
        secret = set_secret(None, by=self.admin, name="ops", url_prefix="https://ops.example/", value="Bearer one")
        run = self.proposed(step={"secret": "ops"})
        self.approve(run, {"digest": run.digest}, 200)
        set_secret(secret, by=self.admin, value="Bearer two")

        with self.assertRaises(Conflict) as caught:
            executing.execute(run_of(run), by=self.ada)
        self.assertEqual(caught.exception.code, "targets_changed")

        again = self.proposed(step={"secret": "ops"})
        self.approve(again, {"digest": again.digest}, 200)
        self.assertEqual(executing.execute(run_of(again), by=self.ada).state, "executing")

    def test_it_approves_no_proposal_that_has_expired(self) -> None:
        run = self.proposed()
        Run.objects.filter(pk=run.pk).update(expires_at=database_now() - dt.timedelta(seconds=1))

        self.assertEqual(self.approve(run, {"digest": run.digest}, 409)["code"], "run_expired")

        run.refresh_from_db()
        self.assertEqual(run.state, "proposed")
