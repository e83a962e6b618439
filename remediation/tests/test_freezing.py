import datetime as dt
from typing import Any
from unittest.mock import patch

from django.test import TestCase
from django.urls import reverse

from core.db.clock import database_now
from core.errors import Conflict
from incidents.tests.factories import make_incident, make_service, make_team
from remediation.models import FreezeWindow, Run
from remediation.services import deciding, executing, proposing
from remediation.steps.port import Context, Outcome
from remediation.tests.factories import FAILED, approved, executing_run, fake, make_runbook, propose, work_off
from remediation.vocabulary import RunState
from users.tests.factories import client_of, make_admin, make_responder

SERVICE = [{"name": "service", "kind": "service"}]
TEXT = [{"name": "name", "kind": "choice", "choices": ["orders-db", "mail"]}]


class FreezeCase(TestCase):
    def setUp(self) -> None:
        fake.reset()
        self.admin, self.ada = make_admin(), make_responder(name="Ada")
        self.team, self.keepers = make_team("Web", self.ada), make_team("Keepers")
        self.checkout = make_service("checkout", team=self.team)
        self.db = make_service("orders-db", team=self.keepers)
        self.incident = make_incident(by=self.admin, team=self.team, services=[self.checkout])

    def freeze(self, **concerned: Any) -> FreezeWindow:
        now = database_now()
        window = FreezeWindow.objects.create(name="Sale", starts_at=now, ends_at=now + dt.timedelta(hours=1))
        for name, rows in concerned.items():
            getattr(window, name).set(rows)
        return window

    def warned(self, *targets: str, parameters: Any = (), **values: Any) -> list[str]:
        runbook = make_runbook(*targets, by=self.admin, parameters=list(parameters))
        proposal = proposing.propose(self.incident, runbook, by=self.ada, parameters=values)
        return [one.code for one in proposal.warnings]


class ConcernedTests(FreezeCase):
    def test_it_judges_the_services_that_a_run_changes(self) -> None:
        self.freeze(services=[self.db])
        for targets, parameters, values, is_frozen in (
            (["web"], SERVICE, {"service": "orders-db"}, True),
            (["web"], SERVICE, {"service": "checkout"}, False),
            (["web"], TEXT, {"name": "orders-db"}, True),
            (["web"], TEXT, {"name": "mail"}, False),
            (["deployment shop/orders-db"], (), {}, True),
            (["https://ops.example/v1/hosts/Orders-DB/restart"], (), {}, True),
            (["deployment shop/orders-db-2"], (), {}, False),
        ):
            with self.subTest(targets=targets, values=values):
                found = self.warned(*targets, parameters=parameters, **values)
                self.assertEqual(found, ["frozen"] if is_frozen else [])

    def test_it_judges_the_teams_of_services(self) -> None:
        self.freeze(teams=[self.keepers])

        self.assertEqual(self.warned("web", parameters=SERVICE, service="orders-db"), ["frozen"])
        self.assertEqual(self.warned("web", parameters=SERVICE, service="checkout"), [])

        self.checkout.team = self.keepers
        self.checkout.save()
        self.assertEqual(self.warned("web"), ["frozen"])

    def test_it_is_not_lifted_by_taking_the_service_off_the_incident(self) -> None:
        self.freeze(services=[self.checkout])
        run = propose(self.incident, make_runbook(by=self.admin, parameters=SERVICE), by=self.ada, service="checkout")
        self.incident.services.clear()

        with self.assertRaises(Conflict) as caught:
            deciding.approve(run, by=self.ada, digest=run.digest)
        self.assertEqual(caught.exception.code, "frozen")

    def test_it_judges_again_when_it_starts(self) -> None:
        run = approved(self.incident, make_runbook("host orders-db", by=self.admin), by=self.ada)
        self.freeze(services=[self.db])

        with self.assertRaises(Conflict) as caught:
            executing.execute(run, by=self.ada)
        self.assertEqual(caught.exception.code, "frozen")


class BeginningTests(FreezeCase):
    """A freeze that begins while a run executes."""

    def done(self, **run_fields: Any) -> Run:
        """A run during whose first act the second target is frozen."""
        run = executing_run(self.incident, make_runbook("web", "orders-db", by=self.admin), by=self.ada)
        Run.objects.filter(pk=run.pk).update(**run_fields)
        original = fake._answer

        def freezing(context: Context, word: str) -> Outcome:
            if (context.target.name, word) == ("web", "act"):
                self.freeze(services=[self.db])
            return original(context, word)

        with patch.object(fake, "_answer", freezing):
            work_off()
        run.refresh_from_db()
        return run

    def test_it_ends_a_run_before_its_next_step(self) -> None:
        run = self.done()

        why = "Stopped after web; what was done there stays. Changes are frozen: Sale."
        self.assertEqual((run.state, run.why), (RunState.ABORTED, why))
        self.assertEqual([call for call in fake.calls if call[1] == "act"], [("web", "act")])
        self.assertIn(("web", "verify"), fake.calls)

    def test_it_lets_what_failed_be_rolled_back(self) -> None:
        fake.answers["web", "verify"] = FAILED

        self.assertEqual(self.done().state, RunState.ROLLED_BACK)

    def test_it_lets_a_run_end_that_an_administrator_wanted_during_freezes(self) -> None:
        self.assertEqual(self.done(override_reason="It burns").state, RunState.VERIFIED)


class TypedTimeTests(TestCase):
    """A time without an offset is read by the window's clocks."""

    URL = "/api/v1/freeze-windows/"
    GIVEN = {"name": "Sale", "time_zone": "Europe/Zurich"}

    def setUp(self) -> None:
        self.admin = make_admin(time_zone="Asia/Tokyo")

    def times(self) -> list[str]:
        window = FreezeWindow.objects.get()
        return [f"{moment:%d %H:%M}" for moment in (window.starts_at, window.ends_at)]

    def test_it_is_so_over_rest(self) -> None:
        api = client_of(self.admin)
        body = {**self.GIVEN, "starts_at": "2026-11-27T18:00", "ends_at": "2026-11-28T18:00:00Z"}

        made = api.post(self.URL, body, "json")
        self.assertEqual((made.status_code, self.times()), (201, ["27 17:00", "28 18:00"]))
        api.patch(f"{self.URL}{made.json()['id']}/", {"ends_at": "2026-11-28T20:00"}, "json")
        self.assertEqual(self.times(), ["27 17:00", "28 19:00"])

    def test_it_says_what_a_time_may_mean_that_the_clocks_skip_or_repeat(self) -> None:
        for moment, code in (("2026-03-29T02:30", "time_skipped"), ("2026-10-25T02:30", "time_repeated")):
            body = {**self.GIVEN, "starts_at": moment, "ends_at": "2026-11-28T18:00"}

            answer = client_of(self.admin).post(self.URL, body, "json")

            self.assertEqual((answer.status_code, answer.json()["code"]), (400, code))
            self.assertEqual(len(answer.json()["candidates"]), 2)

    def test_it_refuses_an_unknown_zone(self) -> None:
        body = {**self.GIVEN, "time_zone": "Mars/Base", "starts_at": "2026-11-27T18:00", "ends_at": "2026-11-28T18:00Z"}

        answer = client_of(self.admin).post(self.URL, body, "json")

        self.assertEqual(answer.status_code, 400)
        self.assertIn("Must be a time zone", answer.content.decode())

    def test_it_is_so_on_the_page(self) -> None:
        self.client.force_login(self.admin)
        body = {**self.GIVEN, "starts_at": "2026-10-25T02:30", "ends_at": "2026-10-26T18:00"}

        page = self.client.post(reverse("console:freeze-new"), body)
        self.assertContains(page, "2026-10-25T02:30:00+01:00", status_code=422)
        self.client.post(reverse("console:freeze-new"), {**body, "starts_at_is": "2026-10-25T02:30:00+01:00"})

        self.assertEqual(self.times(), ["25 01:30", "26 17:00"])
        page = self.client.get(reverse("console:freeze", args=[FreezeWindow.objects.get().pk]))
        self.assertContains(page, 'value="2026-10-26T18:00"')

    def test_it_is_so_in_the_back_office(self) -> None:
        self.client.force_login(self.admin)
        times = {"starts_at_0": "2026-11-27", "starts_at_1": "18:00", "ends_at_0": "2026-11-28", "ends_at_1": "18:00"}

        page = self.client.post(reverse("admin:remediation_freezewindow_add"), {**self.GIVEN, **times})

        self.assertEqual((page.status_code, self.times()), (302, ["27 17:00", "28 17:00"]))
        change = reverse("admin:remediation_freezewindow_change", args=[FreezeWindow.objects.get().pk])
        self.assertContains(self.client.get(change), 'value="18:00:00"', count=4)  # each also as it was opened
        opened = {f"initial-{name}": value for name, value in {**self.GIVEN, **times}.items()}
        self.client.post(change, {**self.GIVEN, **times, **opened, "time_zone": "Asia/Tokyo"})
        self.assertEqual(self.times(), ["27 09:00", "28 09:00"])
        skipped = {**self.GIVEN, **times, "starts_at_0": "2026-03-29", "starts_at_1": "02:30"}
        page = self.client.post(reverse("admin:remediation_freezewindow_add"), skipped)
        self.assertContains(page, "it may be ambiguous or it may not exist")
