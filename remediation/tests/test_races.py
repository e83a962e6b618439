from django.test import TransactionTestCase

from core.db.clock import database_now
from core.db.tests.threads import at_once
from core.errors import Conflict
from incidents.tests.factories import make_incident
from notifications.models import Notification
from remediation.models import Run
from remediation.services import deciding, engine, executing, stopping
from remediation.steps.port import Target, Targets
from remediation.tests.factories import approved, fake, make_runbook, propose, settle, unknown_run
from remediation.vocabulary import Finding, RunState
from users.tests.factories import client_of, make_admin


class RaceTests(TransactionTestCase):
    def setUp(self) -> None:
        fake.reset()
        self.admin = make_admin()
        self.incident = make_incident(by=self.admin)

    def test_one_of_several_runs_takes_a_target(self) -> None:
        runs = [approved(self.incident, make_runbook("web", by=self.admin), by=self.admin) for _ in range(3)]

        found = at_once([lambda run=run: executing.execute(run, by=self.admin) for run in runs])  # type: ignore[misc]

        self.assertEqual(Run.objects.filter(state=RunState.EXECUTING).count(), 1)
        self.assertEqual([one.code for one in found if isinstance(one, Conflict)], ["target_busy"] * 2)

    def test_a_repeated_proposal_is_made_once(self) -> None:
        body = {"runbook": make_runbook("web", by=self.admin, risk="b").pk}
        url, approver = f"/api/v1/incidents/{self.incident.pk}/runs/", make_admin()

        def post() -> tuple[int, bytes]:
            answer = client_of(self.admin).post(url, body, "json", headers={"Idempotency-Key": "once"})
            return answer.status_code, answer.content

        found = at_once([post] * 4)

        self.assertEqual({status for status, _content in found}, {201}, found)
        self.assertEqual(len(set(found)), 1)
        self.assertEqual(Run.objects.count(), 1)
        self.assertEqual(Notification.objects.filter(user=approver).count(), 1)

    def test_a_run_is_executed_once(self) -> None:
        run = approved(self.incident, make_runbook("web", by=self.admin), by=self.admin)

        found = at_once([lambda: executing.execute(run, by=self.admin)] * 3)

        self.assertEqual(sum(isinstance(one, Run) for one in found), 1)
        self.assertEqual(run.incident.events.filter(kind="run_started").count(), 1)

    def test_a_daily_cap_holds_for_runs_that_start_at_once(self) -> None:
        parameters = [{"name": "n", "kind": "integer", "minimum": 1, "maximum": 3}]
        runbook = make_runbook("web", by=self.admin, daily_cap=1, parameters=parameters)
        runs = []
        for number in (1, 2, 3):
            fake.targets = [f"web-{number}"]
            run = propose(self.incident, runbook, by=self.admin, n=number)
            runs.append(deciding.approve(run, by=self.admin, digest=run.digest))
        fake.targets = None
        by_number = {run.parameters["n"]: run for run in runs}
        fake.resolve = lambda spec, values: _targets(values["n"])  # type: ignore[method-assign]
        self.addCleanup(lambda: vars(fake).pop("resolve"))

        found = at_once([lambda run=run: executing.execute(run, by=self.admin) for run in by_number.values()])  # type: ignore[misc]

        self.assertEqual(sum(isinstance(one, Run) for one in found), 1)
        self.assertEqual([one.code for one in found if isinstance(one, Conflict)], ["daily_cap"] * 2)

    def test_several_workers_act_once(self) -> None:
        run = approved(self.incident, make_runbook("web", by=self.admin), by=self.admin)
        executing.execute(run, by=self.admin)
        now = database_now()

        at_once([lambda: engine.run_due(now)] * 4)

        run.refresh_from_db()
        self.assertEqual((run.state, fake.calls.count(("web", "act"))), (RunState.VERIFIED, 1))

    def test_an_unknown_run_is_settled_once(self) -> None:
        run = unknown_run(self.incident, "web", by=self.admin)

        found = at_once([lambda word=word: settle(run, by=self.admin, finding=word) for word in Finding.values * 2])  # type: ignore[misc]

        self.assertEqual([one.code for one in found if isinstance(one, Conflict)], ["already_settled"] * 3)
        self.assertEqual(run.incident.events.filter(kind="run_settled").count(), 1)

    def test_one_of_several_stops_holds(self) -> None:
        found = at_once([lambda: stopping.stop(by=self.admin, reason="Fire")] * 3)

        self.assertEqual([one.code for one in found if isinstance(one, Conflict)], ["already_stopped"] * 2)


def _targets(number: int) -> Targets:
    return Targets([Target("fake", f"web-{number}")])
