import datetime as dt
from typing import Any
from unittest.mock import patch

from django.db import connection
from django.test import TestCase

from core.db.clock import database_now
from incidents.services import delete, purge
from incidents.tests.factories import kinds_of, make_incident, make_service, make_team
from remediation.models import FreezeWindow, Run, Runbook, RunbookVersion
from remediation.services import deciding
from remediation.tests.factories import NOTHING, approved, executing_run, fake, make_runbook, propose, work_off
from remediation.vocabulary import RunState
from users.tests.factories import client_of, make_admin, make_reporter, make_responder

RUNBOOKS, RUNS, STOP = "/api/v1/runbooks/", "/api/v1/runs/", "/api/v1/remediation/stop/"
STEP = {"kind": "fake", "targets": ["web"]}


class People(TestCase):
    def setUp(self) -> None:
        fake.reset()
        self.admin, self.ada, self.bob = make_admin(), make_responder(name="Ada"), make_responder(name="Bob")
        self.other, self.reporter = make_responder(name="Olga"), make_reporter()
        self.team = make_team("Web", self.ada, self.bob)
        make_team("Elsewhere", self.other)
        self.incident = make_incident(by=self.admin, team=self.team)
        self.runs_url = f"/api/v1/incidents/{self.incident.reference}/runs/"

    def post(self, who: Any, url: str, body: Any = None, status: int = 200) -> Any:
        answer = client_of(who).post(url, body or {}, "json")
        self.assertEqual(answer.status_code, status, answer.content)
        return answer.json() if answer.content else None

    def do(self, who: Any, run: Run, what: str, body: Any = None, status: int = 200) -> Any:
        seen = {"digest": run.digest} if what == "approve" else {}
        return self.post(who, f"{RUNS}{run.pk}/{what}/", {**seen, **(body or {})}, status)


class RunbookViewTests(People):
    def test_it_creates_and_shows_a_runbook(self) -> None:
        made = self.post(self.admin, RUNBOOKS, {"name": "Restart", "risk": "a", "steps": [STEP]}, 201)

        self.assertEqual((made["version"], made["risk"], made["max_targets"]), (1, "a", 1))
        shown = client_of(self.ada).get(f"{RUNBOOKS}{made['id']}/").json()
        self.assertEqual(shown, made)
        self.assertEqual(client_of(self.ada).get(RUNBOOKS).json()["results"], [made])

    def test_it_makes_a_version_of_an_edit_and_none_of_a_name(self) -> None:
        runbook = make_runbook("web", by=self.admin)
        url, api = f"{RUNBOOKS}{runbook.pk}/", client_of(self.admin)

        self.assertEqual(api.patch(url, {"name": "Other"}, "json").json()["version"], 1)
        self.assertEqual(api.patch(url, {"max_targets": 10}, "json").json()["version"], 1)
        self.assertEqual(api.patch(url, {"max_targets": 2}, "json").json()["version"], 2)

        versions = api.get(f"{url}versions/").json()
        self.assertEqual([one["number"] for one in versions], [2, 1])
        self.assertEqual([one["max_targets"] for one in versions], [2, 10])
        self.assertNotEqual(versions[0]["digest"], versions[1]["digest"])

    def test_it_names_every_fault_by_its_place(self) -> None:
        wrong = {
            "name": "Wrong",
            "steps": [{"kind": "magic"}, {"kind": "fake"}],
            "max_percent": 0,
            "parameters": [],
            "automatic_for": {},
        }

        problem = self.post(self.admin, RUNBOOKS, wrong, 400)

        fields = sorted(error["field"] for error in problem["errors"])
        self.assertEqual(fields, ["automatic_for", "max_percent", "steps.0.kind", "steps.1.targets"])
        self.assertFalse(Runbook.objects.exists())

    def test_it_takes_a_share_only_where_a_step_can_tell_it(self) -> None:
        url = "https://ops.example/restart"
        http = {"kind": "http", "act": {"method": "POST", "url": url}, "verify": {"url": url}}
        for number, (steps, given, stored) in enumerate(
            (
                ([http], {}, 100),
                ([http], {"max_percent": 100}, 100),
                ([http], {"max_percent": 99}, None),
                ([STEP], {}, 50),
                ([http, STEP], {"max_percent": 25}, 25),
            )
        ):
            with self.subTest(number):
                body = {"name": f"Share {number}", "steps": steps, **given}
                made = self.post(self.admin, RUNBOOKS, body, 201 if stored else 400)
                if stored:
                    self.assertEqual(made["max_percent"], stored)
                else:
                    self.assertEqual([one["field"] for one in made["errors"]], ["max_percent"])
                    self.assertIn("limit them by max_targets", made["detail"])

    def test_it_takes_no_version_that_nobody_could_verify(self) -> None:
        act = {"method": "POST", "url": "https://ops.example/restart"}
        steps = [
            {"kind": "http", "act": act},
            {"kind": "agent", "agent": "web-1", "act": {"command": "restart-web"}},
            {"kind": "ssm", "tags": {"service": "web"}, "act": {"document": "Restart"}},
            {"kind": "kubernetes", "act": {"operation": "restart", "namespace": "shop", "name": "web"}},
        ]

        problem = self.post(self.admin, RUNBOOKS, {"name": "Restart", "steps": steps}, 400)

        faults = {error["field"]: error["message"] for error in problem["errors"]}
        self.assertEqual(list(faults), ["steps.0.verify", "steps.1.verify", "steps.2.verify"])
        self.assertTrue(all(text.startswith("Add a ") for text in faults.values()), faults)

    def test_it_keeps_runbooks_that_ran(self) -> None:
        never, ran = make_runbook("web", by=self.admin), make_runbook("web", by=self.admin)
        propose(self.incident, ran, by=self.ada)
        api = client_of(self.admin)

        self.assertEqual(api.delete(f"{RUNBOOKS}{never.pk}/").status_code, 204)
        answer = api.delete(f"{RUNBOOKS}{ran.pk}/")
        self.assertEqual((answer.status_code, answer.json()["code"]), (409, "in_use"))

    def test_it_releases_a_paused_runbook(self) -> None:
        runbook = make_runbook("web", by=self.admin)
        Runbook.objects.filter(pk=runbook.pk).update(paused_at=database_now(), paused_because="x", failures=2)

        shown = self.post(self.admin, f"{RUNBOOKS}{runbook.pk}/release/")

        self.assertIsNone(shown["paused_at"])
        self.post(self.admin, f"{RUNBOOKS}{runbook.pk}/release/", status=409)


class FreezeWindowTests(People):
    def test_it_changes_whom_a_window_names(self) -> None:
        url, api = "/api/v1/freeze-windows/", client_of(self.admin)
        given = {"name": "Sale", "starts_at": "2026-11-27T08:00:00Z", "ends_at": "2026-11-28T08:00:00Z"}
        made = self.post(self.admin, url, {**given, "teams": [self.team.pk]}, 201)

        changed = api.patch(f"{url}{made['id']}/", {"teams": [], "name": "Sales"}, "json")

        self.assertEqual(changed.status_code, 200, changed.content)
        self.assertEqual((changed.json()["name"], changed.json()["teams"]), ("Sales", []))
        self.assertFalse(FreezeWindow.objects.get().teams.exists())


class ProposalTests(People):
    def test_it_proposes_a_repeat_once(self) -> None:
        body, api = {"runbook": make_runbook("web", by=self.admin).pk}, client_of(self.ada)
        headers = {"Idempotency-Key": "once"}
        in_transaction: list[bool] = []
        atomic_at_rest = len(connection.savepoint_ids)
        resolve = fake.resolve

        def look(*args: Any) -> Any:
            in_transaction.append(len(connection.savepoint_ids) > atomic_at_rest)
            return resolve(*args)

        with patch.object(fake, "resolve", look):
            first = api.post(self.runs_url, body, "json", headers=headers)
            again = api.post(self.runs_url, body, "json", headers=headers)
        other = api.post(self.runs_url, {**body, "parameters": {"x": 1}}, "json", headers=headers)

        self.assertEqual((first.status_code, again.status_code, again.content), (201, 201, first.content))
        self.assertEqual((other.status_code, other.json()["code"]), (409, "idempotency_key_reused"))
        self.assertEqual((Run.objects.count(), kinds_of(self.incident).count("run_proposed")), (1, 1))
        self.assertEqual(in_transaction, [False])

    def test_it_proposes_with_targets_and_digest(self) -> None:
        runbook = make_runbook("web", "db", by=self.admin, risk="b")

        made = self.post(self.ada, self.runs_url, {"runbook": runbook.pk}, 201)

        self.assertEqual((made["state"], made["needs_approval_by"]), ("proposed", "somebody_else"))
        self.assertEqual([one["name"] for one in made["targets"]], ["web", "db"])
        self.assertEqual((len(made["digest"]), made["warnings"]), (64, []))
        seconds = dt.datetime.fromisoformat(made["expires_at"]) - dt.datetime.fromisoformat(made["created_at"])
        self.assertEqual(seconds, dt.timedelta(minutes=15))
        self.assertEqual(kinds_of(self.incident)[-1], "run_proposed")

    def test_it_refuses_wrong_parameters_by_name(self) -> None:
        parameters = [{"name": "host", "kind": "string", "pattern": "web-[0-9]"}, {"name": "s", "kind": "service"}]
        runbook = make_runbook("web", by=self.admin, parameters=parameters)
        make_service("shop")

        problem = self.post(self.ada, self.runs_url, {"runbook": runbook.pk, "parameters": {"host": "x; rm"}}, 400)

        self.assertEqual(problem["code"], "invalid_parameters")
        self.assertEqual(sorted(problem["parameters"]), ["host", "s"])
        given = {"host": "web-1", "s": "shop"}
        self.post(self.ada, self.runs_url, {"runbook": runbook.pk, "parameters": given}, 201)

    def test_it_says_what_would_forbid_it(self) -> None:
        runbook = make_runbook("web", by=self.admin)
        self.post(self.ada, STOP, {"reason": "Storm"}, 201)

        made = self.post(self.ada, self.runs_url, {"runbook": runbook.pk}, 201)

        self.assertEqual([one["code"] for one in made["warnings"]], ["remediation_stopped"])

    def test_it_says_when_nobody_could_approve(self) -> None:
        alone = make_incident(by=self.reporter)
        runbook = make_runbook("web", by=self.admin, risk="b")

        made = self.post(self.admin, f"/api/v1/incidents/{alone.reference}/runs/", {"runbook": runbook.pk}, 201)

        self.assertEqual([one["code"] for one in made["warnings"]], ["no_approver"])

    def test_it_says_when_targets_cannot_be_found(self) -> None:
        runbook = make_runbook("web", by=self.admin)
        fake.is_lost = True

        problem = self.post(self.ada, self.runs_url, {"runbook": runbook.pk}, 409)

        self.assertEqual((problem["code"], Run.objects.count()), ("targets_unknown", 0))

    def test_it_hides_runs_with_their_incident(self) -> None:
        runbook = make_runbook("web", by=self.admin)
        secret = make_incident(by=self.admin, team=self.team, is_restricted=True)
        run = propose(secret, runbook, by=self.ada)

        self.assertEqual(client_of(self.ada).get(f"{RUNS}{run.pk}/").status_code, 200)
        for who in (self.other,):
            self.assertEqual(client_of(who).get(f"{RUNS}{run.pk}/").status_code, 404)
            self.assertEqual(client_of(who).get(RUNS).json()["results"], [])
            self.post(who, f"{RUNS}{run.pk}/approve/", status=404)
            self.post(who, f"/api/v1/incidents/{secret.reference}/runs/", {"runbook": runbook.pk}, 404)

    def test_it_is_purged_with_its_incident(self) -> None:
        executing_run(self.incident, make_runbook("web", by=self.admin), by=self.ada)
        delete(self.incident, by=self.admin)

        purge(self.incident, by=self.admin)

        self.assertFalse(Run.objects.exists())
        work_off()

    def test_it_refuses_reporters_and_other_teams(self) -> None:
        runbook = make_runbook("web", by=self.admin)
        run = propose(self.incident, runbook, by=self.ada)

        for who in (self.reporter, self.other):
            self.post(who, self.runs_url, {"runbook": runbook.pk}, 403)
            for what in ("approve", "reject", "dry-run", "execute", "abort"):
                self.do(who, run, what, status=403)


class DecisionTests(People):
    def test_it_lets_class_b_be_approved_by_somebody_else_only(self) -> None:
        run = propose(self.incident, make_runbook("web", by=self.admin, risk="b"), by=self.ada)

        self.assertEqual(self.do(self.ada, run, "approve", status=403)["code"], "own_run")
        shown = self.do(self.bob, run, "approve")

        self.assertEqual((shown["state"], shown["approved_by"]["name"]), ("approved", "Bob"))

    def test_it_lets_not_even_an_administrator_approve_their_own_of_class_b(self) -> None:
        run = propose(self.incident, make_runbook("web", by=self.admin, risk="b"), by=self.admin)

        self.assertEqual(self.do(self.admin, run, "approve", status=403)["code"], "own_run")

    def test_it_lets_the_proposer_approve_class_a(self) -> None:
        run = propose(self.incident, make_runbook("web", by=self.admin), by=self.ada)

        self.assertEqual(self.do(self.ada, run, "approve", {"digest": run.digest})["state"], "approved")

    def test_it_refuses_another_digest(self) -> None:
        run = propose(self.incident, make_runbook("web", by=self.admin), by=self.ada)

        self.assertEqual(self.do(self.bob, run, "approve", {"digest": "0" * 64}, 409)["code"], "digest_mismatch")

    def test_it_refuses_an_outdated_version(self) -> None:
        runbook = make_runbook("web", by=self.admin)
        run = propose(self.incident, runbook, by=self.ada)
        client_of(self.admin).patch(f"{RUNBOOKS}{runbook.pk}/", {"max_targets": 2}, "json")

        self.assertEqual(self.do(self.ada, run, "approve", status=409)["code"], "runbook_changed")
        self.assertEqual(RunbookVersion.objects.get(pk=run.version_id).max_targets, 10)

    def test_it_executes_once(self) -> None:
        run = approved(self.incident, make_runbook("web", by=self.admin), by=self.ada)

        self.assertEqual(self.do(self.bob, run, "execute")["state"], "executing")
        self.assertEqual(self.do(self.bob, run, "execute", status=409)["code"], "invalid_state")
        work_off()

        shown = client_of(self.ada).get(f"{RUNS}{run.pk}/").json()
        self.assertEqual((shown["state"], shown["executed_by"]["name"]), ("verified", "Bob"))
        self.assertEqual([one["phase"] for one in shown["phases"]], ["dry_run", "check", "act", "verify"])

    def test_it_refuses_to_execute_what_nobody_approved(self) -> None:
        run = propose(self.incident, make_runbook("web", by=self.admin), by=self.ada)

        self.assertEqual(self.do(self.ada, run, "execute", status=409)["code"], "invalid_state")

    def test_it_refuses_targets_that_changed_since(self) -> None:
        run = approved(self.incident, make_runbook("web", by=self.admin), by=self.ada)
        fake.targets = ["web", "db"]

        self.assertEqual(self.do(self.ada, run, "execute", status=409)["code"], "targets_changed")

    def test_it_expires_after_15_minutes(self) -> None:
        run = approved(self.incident, make_runbook("web", by=self.admin), by=self.ada)
        late = database_now() - dt.timedelta(seconds=1)
        Run.objects.filter(pk=run.pk).update(expires_at=late)

        self.assertEqual(self.do(self.ada, run, "execute", status=409)["code"], "run_expired")
        self.assertEqual(deciding.expire(database_now()), 1)
        run.refresh_from_db()
        self.assertEqual((run.state, run.why), ("aborted", "Nobody executed it within 15 minutes."))

    def test_it_gives_an_approval_15_minutes_of_its_own(self) -> None:
        run = propose(self.incident, make_runbook("web", by=self.admin), by=self.ada)
        soon = database_now() + dt.timedelta(seconds=5)
        Run.objects.filter(pk=run.pk).update(expires_at=soon)

        shown = self.do(self.ada, run, "approve")

        self.assertGreater(dt.datetime.fromisoformat(shown["expires_at"]), soon + dt.timedelta(minutes=14))

    def test_it_rejects_and_aborts_with_a_reason(self) -> None:
        first = propose(self.incident, make_runbook("web", by=self.admin), by=self.ada)
        second = approved(self.incident, make_runbook("web", by=self.admin), by=self.ada)

        self.assertEqual(
            self.do(self.bob, first, "reject", {"reason": "Wrong host."})["why"], "Bob rejected it. Wrong host."
        )
        self.assertEqual(self.do(self.ada, second, "abort")["why"], "Ada aborted it.")
        self.do(self.bob, first, "approve", status=409)

    def test_it_tries_without_effect(self) -> None:
        run = propose(self.incident, make_runbook("web", by=self.admin), by=self.ada)

        self.assertEqual(self.do(self.ada, run, "dry-run")["activity"], "dry_run")
        work_off()

        shown = client_of(self.ada).get(f"{RUNS}{run.pk}/").json()
        self.assertEqual((shown["state"], [one["phase"] for one in shown["phases"]]), ("proposed", ["dry_run"]))


class GuardedTests(People):
    def test_it_runs_one_at_a_time_on_a_target(self) -> None:
        executing_run(self.incident, make_runbook("web", by=self.admin), by=self.ada)
        second = propose(self.incident, make_runbook("db", "web", by=self.admin), by=self.ada)

        self.assertEqual(self.do(self.ada, second, "approve", status=409)["code"], "target_busy")

    def test_it_cools_down(self) -> None:
        runbook = make_runbook("web", by=self.admin, cooldown_seconds=300)
        executing_run(self.incident, runbook, by=self.ada)
        work_off()
        second = propose(self.incident, runbook, by=self.ada)

        self.assertEqual(self.do(self.ada, second, "approve", status=409)["code"], "cooldown")

    def test_it_cools_down_only_after_changes(self) -> None:
        runbook = make_runbook("web", by=self.admin, cooldown_seconds=300, daily_cap_per_target=1)
        fake.answers[("web", "act")] = NOTHING
        run = executing_run(self.incident, runbook, by=self.ada)
        work_off()
        fake.reset()
        second = propose(self.incident, runbook, by=self.ada)

        self.do(self.ada, second, "approve")

        run.refresh_from_db()
        self.assertEqual((run.state, run.targets.get().started_at is None), (RunState.ABORTED, False))

    def test_it_caps_a_day(self) -> None:
        runbook = make_runbook("web", by=self.admin, daily_cap=1)
        executing_run(self.incident, runbook, by=self.ada)
        work_off()
        second = propose(self.incident, runbook, by=self.ada)

        self.assertEqual(self.do(self.ada, second, "approve", status=409)["code"], "daily_cap")

    def test_it_limits_the_share_of_a_population(self) -> None:
        runbook = make_runbook("a", "b", by=self.admin, max_percent=50, step={"population": 3})
        run = propose(self.incident, runbook, by=self.ada)

        problem = self.do(self.ada, run, "approve", status=409)

        self.assertEqual([one["code"] for one in problem["reasons"]], ["too_large_share"])

    def test_it_lets_an_administrator_override_a_freeze_in_writing(self) -> None:
        now = database_now()
        freeze = FreezeWindow.objects.create(name="Sale", starts_at=now, ends_at=now + dt.timedelta(hours=1))
        freeze.teams.add(self.team)
        run = propose(self.incident, make_runbook("web", by=self.admin), by=self.ada)

        self.assertEqual(self.do(self.ada, run, "approve", status=409)["code"], "frozen")
        self.do(self.ada, run, "approve", {"override_reason": "It burns"}, 403)
        self.do(self.admin, run, "approve", {"override_reason": "It burns"})
        shown = self.do(self.ada, run, "execute")

        self.assertEqual((shown["state"], shown["override_reason"]), ("executing", "It burns"))

    def test_it_checks_again_when_it_starts(self) -> None:
        run = approved(self.incident, make_runbook("web", by=self.admin), by=self.ada)
        self.post(self.ada, STOP, {"reason": "Storm"}, 201)

        self.assertEqual(self.do(self.ada, run, "execute", status=409)["code"], "remediation_stopped")

    def test_it_stops_and_is_released_by_hand(self) -> None:
        self.post(self.reporter, STOP, {"reason": "x"}, 403)
        self.post(self.ada, STOP, {}, 400)
        held = self.post(self.ada, STOP, {"reason": "Storm"}, 201)
        self.assertEqual((held["is_stopped"], held["stopped_by"]), (True, "Ada"))
        self.post(self.bob, STOP, {"reason": "Storm"}, 409)

        self.assertEqual(client_of(self.ada).delete(STOP).status_code, 403)
        self.assertEqual(client_of(self.admin).delete(STOP).status_code, 204)

        self.assertFalse(client_of(self.ada).get(STOP).json()["is_stopped"])
        self.assertEqual(client_of(self.admin).delete(STOP).status_code, 409)
        self.post(self.ada, STOP, {"reason": "Again"}, 201)
