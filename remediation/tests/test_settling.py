from typing import Any

from core.errors import Conflict
from incidents.services import resolve
from incidents.tests.factories import make_incident
from notifications.models import Notification
from remediation.models import Run, RunTarget
from remediation.services import deciding, executing
from remediation.tests.factories import UNCLEAR, approved, fake, make_runbook, propose, settle, unknown_run, work_off
from remediation.tests.test_views import RUNS, People
from remediation.vocabulary import RunState
from users.tests.factories import client_of

FOUND = {"finding": "did_not_act", "note": "  The pod is two days old.  "}


class SettlingTests(People):
    def setUp(self) -> None:
        super().setUp()
        self.run_of_web = unknown_run(self.incident, "web", by=self.ada)

    def held(self) -> int:
        return RunTarget.objects.filter(held_key__isnull=False).count()

    def test_it_keeps_who_found_what_and_frees_the_targets(self) -> None:
        self.assertEqual(self.held(), 1)

        shown = self.do(self.bob, self.run_of_web, "settle", FOUND)

        self.assertEqual((shown["state"], shown["finding"]), ("unknown", "did_not_act"))
        self.assertEqual((shown["settled_by"]["name"], shown["settled_note"]), ("Bob", "The pod is two days old."))
        self.assertIsNotNone(shown["settled_at"])
        self.assertEqual(self.held(), 0)
        event = self.incident.events.get(kind="run_settled")
        self.assertEqual((event.actor, event.visibility), (self.bob, "internal"))
        self.assertEqual(event.body, "Bob found that it did not act. The pod is two days old.")
        self.assertEqual((event.data["run"], event.data["finding"]), (self.run_of_web.pk, "did_not_act"))

    def test_it_is_done_once(self) -> None:
        self.do(self.bob, self.run_of_web, "settle", FOUND)

        problem = self.do(self.ada, self.run_of_web, "settle", {"finding": "acted", "note": "No."}, 409)

        self.assertEqual((problem["code"], problem["detail"]), ("already_settled", "Bob settled this run already."))
        self.assertEqual(Run.objects.get(pk=self.run_of_web.pk).finding, "did_not_act")

    def test_it_is_for_runs_that_ended_unknown(self) -> None:
        runbook = make_runbook("db", by=self.admin)
        run = propose(self.incident, runbook, by=self.ada)
        for state in set(RunState) - {RunState.UNKNOWN}:
            with self.subTest(state):
                Run.objects.filter(pk=run.pk).update(state=state)
                self.assertEqual(self.do(self.ada, run, "settle", FOUND, 409)["code"], "invalid_state")

    def test_it_needs_a_finding_and_a_note(self) -> None:
        for body, field in (
            ({"finding": "acted"}, "note"),
            ({"finding": "acted", "note": " \n "}, "note"),
            ({"finding": "acted", "note": "x" * 1001}, "note"),
            ({"note": "Seen."}, "finding"),
            ({"finding": "perhaps", "note": "Seen."}, "finding"),
            ({**FOUND, "state": "verified"}, "state"),
        ):
            with self.subTest(body=body):
                problem = self.do(self.ada, self.run_of_web, "settle", body, 400)
                self.assertEqual([one["field"] for one in problem["errors"]], [field])
        self.assertEqual(self.held(), 1)

    def test_it_is_for_who_may_execute(self) -> None:
        secret = make_incident(by=self.admin, team=self.team, is_restricted=True)
        hidden = unknown_run(secret, "db", by=self.ada)

        for who in (self.other, self.reporter):
            self.do(who, self.run_of_web, "settle", FOUND, 403)
        self.do(self.other, hidden, "settle", FOUND, 404)
        self.assertEqual(self.held(), 2)
        self.do(self.admin, hidden, "settle", FOUND)

    def test_it_settles_after_the_incident_is_over(self) -> None:
        resolve(self.incident, by=self.ada)

        self.do(self.ada, self.run_of_web, "settle", FOUND)

        self.assertEqual(self.held(), 0)

    def test_it_tells_who_was_told_to_check(self) -> None:
        self.do(self.bob, self.run_of_web, "settle", FOUND)

        title = f"Bob settled {self.run_of_web.runbook.name} for {self.incident.reference}"
        told = Notification.objects.filter(title=title, body__contains="The pod is two days old.")
        people = {one.user_id for one in told}
        self.assertTrue({self.ada.pk, self.admin.pk} <= people)
        self.assertNotIn(self.bob.pk, people)

    def test_it_lists_what_waits(self) -> None:
        other = unknown_run(self.incident, "db", by=self.ada)
        settle(other, by=self.ada)
        propose(self.incident, make_runbook("cache", by=self.admin), by=self.ada)

        self.assertEqual(self.listed("is_settled=false"), [self.run_of_web.pk])
        self.assertEqual(self.listed("is_settled=true"), [other.pk])
        self.assertEqual(client_of(self.ada).get(f"{RUNS}?is_settled=perhaps").status_code, 400)

    def listed(self, query: str) -> Any:
        return [one["id"] for one in client_of(self.ada).get(f"{RUNS}?{query}").json()["results"]]


class HeldTargetTests(People):
    def refused(self, problem: Any, run: Run) -> None:
        self.assertEqual(problem["code"], "target_unsettled")
        text = f"Run {run.pk} ended unknown and holds db, web: look at what it did, then settle it at /runs/{run.pk}/."
        self.assertEqual([one["text"] for one in problem["reasons"]], [text])

    def test_it_refuses_to_propose_approve_and_execute_until_settled(self) -> None:
        second = make_runbook("db", "web", by=self.admin, risk="a")
        waiting, ready = propose(self.incident, second, by=self.ada), approved(self.incident, second, by=self.ada)
        run = unknown_run(self.incident, "db", "web", by=self.ada)

        self.refused(self.post(self.bob, self.runs_url, {"runbook": second.pk}, 409), run)
        self.refused(self.do(self.bob, waiting, "approve", status=409), run)
        self.refused(self.do(self.bob, ready, "execute", status=409), run)
        self.assertEqual(Run.objects.count(), 3)

        settle(run, by=self.ada)
        self.post(self.bob, self.runs_url, {"runbook": second.pk}, 201)
        self.do(self.bob, ready, "execute")

    def test_it_refuses_also_who_does_not_see_the_run(self) -> None:
        secret = make_incident(by=self.admin, team=self.team, is_restricted=True, title="Leaked")
        run = unknown_run(secret, "db", "web", by=self.ada)
        elsewhere = make_incident(by=self.admin, team=None)
        second = make_runbook("db", "web", by=self.admin)

        problem = self.post(self.other, f"/api/v1/incidents/{elsewhere.reference}/runs/", {"runbook": second.pk}, 409)

        self.refused(problem, run)
        self.assertNotIn(secret.reference, str(problem))

    def test_it_lets_other_targets_be(self) -> None:
        unknown_run(self.incident, "web", by=self.ada)

        run = executing.execute(approved(self.incident, make_runbook("db", by=self.admin), by=self.ada), by=self.ada)
        work_off()

        run.refresh_from_db()
        self.assertEqual(run.state, RunState.VERIFIED)

    def test_it_cools_down_after_what_acted_only(self) -> None:
        limits = {"cooldown_seconds": 300, "daily_cap_per_target": 1}
        for finding, code in (("acted", "daily_cap"), ("did_not_act", None)):
            with self.subTest(finding):
                run = unknown_run(self.incident, finding, by=self.ada, **limits)
                settle(run, by=self.ada, finding=finding)
                again = propose(self.incident, make_runbook(finding, by=self.admin, **limits), by=self.ada)
                try:
                    deciding.approve(again, by=self.ada, digest=again.digest)
                    found = None
                except Conflict as error:
                    found = error.code
                self.assertEqual(found, code)

    def test_it_counts_as_failed_however_it_is_settled(self) -> None:
        runbook = make_runbook("web", by=self.admin, step={"phases": ["act"]})
        for number in (1, 2):
            fake.answers["web", "act"] = UNCLEAR
            run = executing.execute(approved(self.incident, runbook, by=self.ada), by=self.ada)
            work_off()
            settle(run, by=self.ada, finding="did_not_act")
            runbook.refresh_from_db()
            self.assertEqual((runbook.failures, runbook.paused_at is not None), (number, number == 2))
