"""Runbooks and runs on pages: who may what, and what stands there."""

import datetime as dt
import json
from typing import Any

from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from console.views.remediation import examples
from core.db.clock import database_now
from incidents.models import IncidentEvent
from incidents.services import resolve
from incidents.tests.factories import make_incident, make_service, make_team
from remediation.models import Agent, FreezeWindow, Run, Runbook, RunbookVersion, Stop
from remediation.services import deciding, stopping
from remediation.steps.parameters import faults_of, parameters_of
from remediation.steps.port import Outcome, OutcomeState, step_kind
from remediation.tests.factories import (
    UNCLEAR,
    approved,
    executing_run,
    fake,
    make_runbook,
    propose,
    settle,
    unknown_run,
    work_off,
)
from remediation.vocabulary import RunState
from users.models import User
from users.tests.factories import make_admin, make_reporter, make_responder

PARAMETERS = [
    {"name": "host", "kind": "string", "pattern": "web-[0-9]", "label": "Host"},
    {"name": "count", "kind": "integer", "minimum": 1, "maximum": 3, "default": 2},
    {"name": "hard", "kind": "boolean", "default": False},
    {"name": "mode", "kind": "choice", "choices": ["soft", "firm"]},
    {"name": "service", "kind": "service"},
]
SERVICE = json.dumps([{"name": "service", "kind": "service"}, {"name": "mode", "kind": "choice", "choices": ["soft"]}])


class PageCase(TestCase):
    def setUp(self) -> None:
        fake.reset()
        self.admin, self.ada, self.bob = (
            make_admin(name="Grace"),
            make_responder(name="Ada"),
            make_responder(name="Bob"),
        )
        self.other, self.reporter = make_responder(name="Olga"), make_reporter(name="Rita")
        self.team = make_team("Web", self.ada, self.bob)
        make_team("Elsewhere", self.other)
        self.incident = make_incident(by=self.admin, team=self.team, title="Checkout is down")
        self.runbook = make_runbook("web-1", by=self.admin, risk="b", name="Restart web")

    def get(self, who: User, name: str, /, *args: Any, status: int = 200, **query: Any) -> Any:
        self.client.force_login(who)
        answer = self.client.get(reverse(f"console:{name}", args=args), query)
        self.assertEqual(answer.status_code, status, answer.content[-2000:])
        return answer

    def post(self, who: User, name: str, /, *args: Any, status: int = 302, **body: Any) -> Any:
        self.client.force_login(who)
        answer = self.client.post(reverse(f"console:{name}", args=args), body)
        self.assertEqual(answer.status_code, status, answer.content[-3000:])
        return answer

    def decide(self, who: User, run: Run, what: str, status: int = 302, **body: Any) -> Any:
        return self.post(who, "run-decide", run.pk, what, status=status, **{"digest": run.digest, **body})

    def state(self, run: Run) -> str:
        return Run.objects.values_list("state", flat=True).get(pk=run.pk)


class AccessTests(PageCase):
    def test_it_is_for_responders_and_administrators(self) -> None:
        run = propose(self.incident, self.runbook, by=self.ada)
        pages = [
            ("runs",),
            ("run", run.pk),
            ("run-decide", run.pk, "approve"),
            ("runbooks",),
            ("runbook", self.runbook.pk),
            ("freezes",),
            ("remediation-stop",),
        ]
        for name, *args in pages:
            with self.subTest(name):
                self.get(self.reporter, name, *args, status=403)
                self.get(self.ada, name, *args)
                self.get(self.admin, name, *args)

    def test_it_keeps_configuration_to_administrators(self) -> None:
        window = self._window()
        for name, *args in (
            ("runbook-new",),
            ("runbook-edit", self.runbook.pk),
            ("freeze-new",),
            ("freeze", window.pk),
        ):
            with self.subTest(name):
                self.get(self.ada, name, *args, status=403)
                self.get(self.admin, name, *args)
        for name, *args in (
            ("runbook-release", self.runbook.pk),
            ("remediation-release",),
            ("freeze-delete", window.pk),
        ):
            self.post(self.ada, name, *args, status=403)

    def test_it_shows_nothing_of_incidents_that_others_see(self) -> None:
        secret = make_incident(by=self.admin, team=self.team, title="Leaked", is_restricted=True)
        run = propose(secret, self.runbook, by=self.ada)

        self.get(self.other, "run", run.pk, status=404)
        self.get(self.other, "run-decide", run.pk, "approve", status=404)
        for name, *args in (("runs",), ("runbook", self.runbook.pk), ("runbooks",)):
            answer = self.get(self.other, name, *args)
            self.assertNotContains(answer, "Leaked")
            self.assertNotContains(answer, f"/runs/{run.pk}/")
        self.assertContains(self.get(self.bob, "runs"), "Leaked")
        self.assertContains(self.get(self.bob, "runbooks"), f"/runs/{run.pk}/")

    def test_it_lets_other_teams_read_and_nothing_else(self) -> None:
        run = propose(self.incident, self.runbook, by=self.ada)

        page = self.get(self.other, "run", run.pk)

        self.assertNotContains(page, "/approve/")
        self.assertNotContains(page, "/abort/")
        self.decide(self.other, run, "approve", status=403)
        self.decide(self.other, run, "abort", status=403)
        self.get(self.other, "run-new", self.incident.reference, status=403)
        self.get(self.reporter, "run-new", self.incident.reference, status=403)
        self.assertEqual(self.state(run), RunState.PROPOSED)

    def _window(self) -> FreezeWindow:
        now = database_now()
        return FreezeWindow.objects.create(name="Sale", starts_at=now, ends_at=now + dt.timedelta(hours=1))


class ProposingTests(PageCase):
    def test_it_takes_typed_parameters_and_shows_what_would_be_done(self) -> None:
        make_service("shop")
        runbook = make_runbook("web-1", by=self.admin, parameters=PARAMETERS, risk="b")
        self.assertContains(self.get(self.ada, "run-new", self.incident.reference), runbook.name)
        form = self.get(self.ada, "run-new", self.incident.reference, runbook=runbook.pk).context["form"]
        kinds = {name: type(field).__name__ for name, field in form.fields.items()}
        self.assertEqual(
            kinds,
            {
                "host": "CharField",
                "count": "IntegerField",
                "hard": "BooleanField",
                "mode": "ChoiceField",
                "service": "ChoiceField",
            },
        )
        given = {"runbook": runbook.pk, "p-host": "web-1", "p-count": 3, "p-mode": "firm", "p-service": "shop"}

        seen = self.post(self.ada, "run-new", self.incident.reference, status=200, preview="1", **given)

        self.assertContains(seen, "It would change 1 target")
        self.assertContains(seen, "Propose it")
        self.assertFalse(Run.objects.exists())
        self.post(self.ada, "run-new", self.incident.reference, propose="1", **given)
        run = Run.objects.get()
        self.assertEqual((run.proposed_by, run.origin), (self.ada, "console"))
        self.assertEqual(
            run.parameters, {"host": "web-1", "count": 3, "hard": False, "mode": "firm", "service": "shop"}
        )

    def test_it_says_at_its_field_what_is_wrong(self) -> None:
        runbook = make_runbook("web-1", by=self.admin, parameters=PARAMETERS[:2])
        given = {"runbook": runbook.pk, "p-host": "web-1; reboot", "p-count": 3}

        page = self.post(self.ada, "run-new", self.incident.reference, status=400, propose="1", **given)

        self.assertIn("Must match web-[0-9].", page.context["form"].errors["host"])
        self.assertFalse(Run.objects.exists())

    def test_it_says_before_what_would_forbid_it(self) -> None:
        stopping.stop(by=self.ada, reason="Storm")

        page = self.post(self.ada, "run-new", self.incident.reference, status=200, preview="1", runbook=self.runbook.pk)

        self.assertContains(page, "All remediation is stopped: Storm")

    def test_it_is_not_for_incidents_that_are_over(self) -> None:
        resolve(self.incident, by=self.admin)

        self.get(self.ada, "run-new", self.incident.reference, status=409)

    def test_it_says_when_targets_cannot_be_found(self) -> None:
        fake.is_lost = True

        page = self.post(self.ada, "run-new", self.incident.reference, status=409, preview="1", runbook=self.runbook.pk)

        self.assertContains(page, "nobody answers", status_code=409)


class RunPageTests(PageCase):
    def test_it_goes_from_proposal_to_verified(self) -> None:
        run = propose(self.incident, self.runbook, by=self.ada)
        page = self.get(self.ada, "run", run.pk)
        self.assertContains(page, "Waits for approval by somebody other than Ada")
        self.assertNotContains(page, "/approve/")
        self.assertContains(self.get(self.bob, "run-decide", run.pk, "approve"), f'value="{run.digest}"')

        self.decide(self.bob, run, "approve")
        self.decide(self.ada, run, "execute")
        work_off()

        self.assertEqual(self.state(run), RunState.VERIFIED)
        page = self.get(self.ada, "run", run.pk)
        self.assertContains(page, "All steps were done and verified.")
        self.assertContains(page, "web-1")
        self.assertContains(self.get(self.ada, "incident", self.incident.reference), "Step 1 · web-1 · Act: Done")
        events = IncidentEvent.objects.filter(incident=self.incident, kind="run_approved")
        self.assertEqual([(one.actor, one.origin) for one in events], [(self.bob, "console")])

    def test_it_shows_no_check_of_what_nothing_verified(self) -> None:
        runbook = make_runbook("web-1", by=self.admin, step={"phases": ["act"]})
        blind = executing_run(self.incident, runbook, by=self.ada)
        work_off()

        for page in (
            self.get(self.ada, "run", blind.pk),
            self.get(self.ada, "runs"),
            self.get(self.ada, "runbooks"),
            self.get(self.ada, "incident", self.incident.reference),
        ):
            state = page.content.decode().partition('class="run-state')[2].partition("</span>")[0]
            self.assertIn("Done, not verified", state)
            self.assertNotIn("#check", state)

    def test_it_refuses_the_proposer_and_another_digest(self) -> None:
        run = propose(self.incident, self.runbook, by=self.ada)

        page = self.decide(self.ada, run, "approve", status=403)
        self.assertContains(page, "approved by somebody else", status_code=403)
        page = self.decide(self.bob, run, "approve", status=409, digest="0" * 64)
        self.assertContains(page, "not what you saw", status_code=409)

        self.assertEqual(self.state(run), RunState.PROPOSED)

    def test_it_rejects_aborts_and_tries(self) -> None:
        first, second = (propose(self.incident, self.runbook, by=self.ada) for _number in range(2))

        self.decide(self.bob, first, "reject", reason="Not now")
        self.decide(self.ada, second, "dry-run")
        work_off()
        self.decide(self.ada, second, "abort", reason="Better")

        self.assertEqual((self.state(first), self.state(second)), (RunState.REJECTED, RunState.ABORTED))
        self.assertContains(self.get(self.ada, "run", first.pk), "Bob rejected it. Not now")
        self.assertIn(("web-1", "dry_run"), fake.calls)

    def test_it_puts_forward_what_nobody_knows(self) -> None:
        fake.answers[("web-1", "act")] = UNCLEAR
        runbook = make_runbook("web-1", by=self.admin, step={"phases": ["act"]})
        run = executing_run(self.incident, runbook, by=self.ada)
        work_off()

        self.assertContains(self.get(self.ada, "run", run.pk), "Unknown: check this.")
        self.assertContains(self.get(self.ada, "runs", state="unknown"), f"/runs/{run.pk}/")

    def test_it_settles_what_nobody_knew(self) -> None:
        run = unknown_run(self.incident, "web-1", by=self.ada)
        card = self.get(self.bob, "incident", self.incident.reference)
        self.assertContains(card, f"/runs/{run.pk}/settle/")
        self.assertContains(self.get(self.bob, "run", run.pk), f"/runs/{run.pk}/settle/")
        self.assertNotContains(self.get(self.other, "run", run.pk), f"/runs/{run.pk}/settle/")
        self.assertContains(self.get(self.bob, "run-decide", run.pk, "settle"), "web-1")

        self.decide(self.other, run, "settle", status=403, finding="acted", note="x")
        self.assertContains(self.decide(self.bob, run, "settle", status=400, note="Kept"), "Kept", status_code=400)
        self.decide(self.bob, run, "settle", finding="did_not_act", note="Same <pod>")
        again = self.decide(self.ada, run, "settle", status=409, finding="acted", note="Mine")

        self.assertContains(again, "Bob settled this run already.", status_code=409)
        page = self.get(self.ada, "run", run.pk)
        self.assertContains(page, "It did not act.")
        self.assertContains(page, "Same &lt;pod&gt;")
        self.assertNotContains(page, f"/runs/{run.pk}/settle/")
        event = IncidentEvent.objects.get(incident=self.incident, kind="run_settled")
        self.assertEqual((event.actor, event.origin), (self.bob, "console"))

    def test_it_says_which_run_to_settle_before_another(self) -> None:
        run = unknown_run(self.incident, "web-1", by=self.ada)
        given = {"runbook": self.runbook.pk}

        for what, status in (("preview", 200), ("propose", 409)):
            page = self.post(self.ada, "run-new", self.incident.reference, status=status, **{what: "1"}, **given)
            self.assertContains(page, f"Run {run.pk} ended unknown and holds web-1", status_code=status)

    def test_it_counts_what_waits_to_be_settled(self) -> None:
        secret = make_incident(by=self.admin, team=self.team, is_restricted=True)
        unknown_run(secret, "db", by=self.ada)
        run = unknown_run(self.incident, "web-1", by=self.ada)

        for who, number in ((self.bob, 2), (self.other, 1)):
            self.assertEqual(self.get(who, "runs").context["unsettled"], number)
        self.assertContains(self.get(self.other, "runs"), "1 run ended unknown and holds its targets.")
        self.assertContains(self.get(self.admin, "system"), "2 wait to be settled")
        settle(run, by=self.ada)
        self.assertEqual(self.get(self.other, "runs").context["unsettled"], 0)
        for query, rows in (("false", 0), ("true", 1)):
            self.assertEqual(len(self.get(self.other, "runs", is_settled=query).context["rows"]), rows)

    def test_it_offers_an_administrator_a_reason_during_a_freeze(self) -> None:
        now = database_now()
        FreezeWindow.objects.create(name="Sale", starts_at=now, ends_at=now + dt.timedelta(hours=1))
        run = propose(self.incident, self.runbook, by=self.ada)

        self.assertNotContains(self.get(self.bob, "run-decide", run.pk, "approve"), "override_reason")
        self.decide(self.bob, run, "approve", status=409)
        self.assertContains(self.get(self.admin, "run-decide", run.pk, "approve"), "override_reason")
        self.decide(self.admin, run, "approve", override_reason="Customers cannot pay")

        self.assertContains(self.get(self.ada, "run", run.pk), "Customers cannot pay")

    def test_it_shows_outputs_and_escapes_them(self) -> None:
        fake.answers[("web-1", "act")] = Outcome(OutcomeState.DONE, "<script>alert(1)</script>")
        runbook = make_runbook("web-1", by=self.admin)
        run = executing_run(self.incident, runbook, by=self.ada)
        work_off()

        self.assertContains(self.get(self.ada, "run", run.pk), "&lt;script&gt;alert(1)")

    def test_it_lists_runs_in_constant_queries(self) -> None:
        counts = []
        self.get(self.bob, "runs")
        for number in (1, 5):
            for _time in range(number):
                propose(self.incident, self.runbook, by=self.ada)
            with CaptureQueriesContext(connection) as queries:
                page = self.get(self.bob, "runs", state="proposed")
            counts.append(len(queries))

        self.assertEqual(len(page.context["rows"]), 6)
        self.assertEqual(counts[0], counts[1])
        self.get(self.bob, "runs", state="nonsense", status=400)


class CardTests(PageCase):
    def card(self, who: User) -> Any:
        return self.get(who, "incident", self.incident.reference)

    def test_it_shows_runs_with_what_they_wait_for(self) -> None:
        self.assertContains(self.card(self.ada), "Propose a run")
        run = propose(self.incident, self.runbook, by=self.ada)

        self.assertContains(self.card(self.bob), f"/runs/{run.pk}/approve/")
        self.assertNotContains(self.card(self.ada), f"/runs/{run.pk}/approve/")
        deciding.approve(run, by=self.bob, digest=run.digest)
        self.assertContains(self.card(self.ada), f"/runs/{run.pk}/execute/")
        named = f'/runs/{run.pk}/"><bdi>Restart web</bdi> · Run {run.pk}</a>'
        self.assertContains(self.card(self.ada), named, count=2)  # proposed, approved
        self.assertNotContains(self.card(self.other), f"/runs/{run.pk}/execute/")
        self.assertNotContains(self.card(self.other), "Propose a run")

    def test_it_shows_reporters_nothing(self) -> None:
        own = make_incident(by=self.reporter)
        propose(own, self.runbook, by=self.admin)

        page = self.get(self.reporter, "incident", own.reference)

        self.assertNotContains(page, "Restart web")
        self.assertNotContains(page, "side-runs")

    def test_it_shows_what_waits_before_everything_else(self) -> None:
        unknown = unknown_run(self.incident, "db", by=self.ada, name="Vacuum")
        calm = make_runbook("cache", by=self.admin, name="Flush cache")
        for _time in range(5):
            deciding.reject(propose(self.incident, calm, by=self.ada), by=self.admin)
        waiting = propose(self.incident, self.runbook, by=self.ada)

        page = self.card(self.bob)

        found = [[one["run"].pk for one in page.context[name]] for name in ("waiting_runs", "runs")]
        self.assertEqual((found[0], len(found[1])), ([waiting.pk, unknown.pk], 3))
        places = [page.content.index(text) for text in (b"waiting-runs", b"description-title", b"side-runs")]
        self.assertEqual(places, sorted(places))
        settle(unknown, by=self.admin)
        Run.objects.filter(pk=waiting.pk).update(expires_at=database_now())
        self.assertNotContains(self.card(self.bob), "waiting-runs")

    def test_it_comes_with_live_updates(self) -> None:
        approved(self.incident, make_runbook(by=self.admin, name="Flush cache"), by=self.ada)

        self.client.force_login(self.ada)
        answer = self.client.get(
            reverse("console:incident-live", args=[self.incident.reference]), headers={"HX-Request": "true"}
        )

        self.assertContains(answer, 'data-part="runs"')
        self.assertContains(answer, 'data-part="runs-waiting"')
        self.assertContains(answer, "Flush cache")


class RunbookPageTests(PageCase):
    def form(self, **fields: Any) -> dict[str, Any]:
        steps = json.dumps([{"kind": "fake", "targets": ["web"]}])
        limits = {
            "max_targets": 1,
            "max_percent": 50,
            "cooldown_seconds": 300,
            "daily_cap": 20,
            "daily_cap_per_target": 3,
        }
        return {
            "name": "Flush",
            "risk": "a",
            "is_enabled": "on",
            "steps": steps,
            "parameters": "[]",
            **limits,
            **fields,
        }

    def test_it_creates_and_edits_in_versions(self) -> None:
        self.post(self.admin, "runbook-new", **self.form())
        made = Runbook.objects.get(name="Flush")

        self.post(self.admin, "runbook-edit", made.pk, **self.form(max_targets=2, description="When it is full"))

        made.refresh_from_db()
        version = RunbookVersion.objects.get(pk=made.current_id or 0)
        self.assertEqual((version.number, version.max_targets, made.description), (2, 2, "When it is full"))
        self.assertContains(self.get(self.ada, "runbook", made.pk), "When it is full")

    def test_it_says_at_its_field_what_is_wrong(self) -> None:
        steps = json.dumps([{"kind": "fake", "targets": ["web"]}, {"kind": "magic"}])
        for fields, name, said in (
            ({"steps": '[\n{"kind": }]'}, "steps", "not JSON from line 2, column 10"),
            ({"steps": "[\n  {kind: 1}]"}, "steps", "not JSON from line 2, column 4: {kind: 1}]"),
            *(
                ({"steps": text}, "steps", "not JSON from line 1")
                for text in ("[" * 100_000, "[NaN]", '["\\ud800"]', f"[{'9' * 5000}]")
            ),
            ({"steps": steps}, "steps", "Step 2, kind: Must be one of"),
            ({"parameters": '[{"name": "host", "kind": "string"}]'}, "parameters", "Parameter 1, pattern: "),
            ({"max_percent": 101}, "max_percent", "from 1 to 100"),
            ({"steps": json.dumps([examples.HTTP]), "parameters": SERVICE}, "max_percent", "limit them by max_targets"),
            ({"automatic_for": '{"title_words": []}'}, "automatic_for", "every incident"),
            ({"name": "Restart web"}, "name", ""),
        ):
            with self.subTest(name):
                page = self.post(self.admin, "runbook-new", status=422, **self.form(**fields))

                self.assertIn(said, " ".join(page.context["form"].errors[name]))
        self.assertFalse(Runbook.objects.filter(name="Flush").exists())

    def test_it_puts_examples_into_what_was_typed(self) -> None:
        typed = self.form(name="", parameters='[{"name": "unit", "kind": "boolean"}]')
        del typed["is_enabled"]

        page = self.post(self.admin, "runbook-new", status=200, insert="agent", **typed)

        form = page.context["form"]
        steps, parameters = (json.loads(form[name].value()) for name in ("steps", "parameters"))
        self.assertEqual(steps, [{"kind": "fake", "targets": ["web"]}, examples.AGENT])
        self.assertEqual(parameters, [{"name": "unit", "kind": "boolean"}])  # theirs stays
        self.assertFalse(form["is_enabled"].value())
        self.assertNotContains(page, "Nothing was saved")
        empty = self.post(self.admin, "runbook-new", status=200, insert="http")
        names = [one["name"] for one in json.loads(empty.context["form"]["parameters"].value())]
        self.assertEqual(names, ["service", "mode"])

    def test_it_keeps_what_no_example_can_be_put_into(self) -> None:
        for steps, said in (("[{", "not JSON"), ('{"a": 1}', "must be lists")):
            page = self.post(self.admin, "runbook-new", status=200, **self.form(steps=steps, insert="http"))

            self.assertContains(page, said)
            self.assertEqual(page.context["form"]["steps"].value(), steps)

    def test_it_still_tells_of_changes_made_meanwhile_after_an_example(self) -> None:
        seen = self.get(self.admin, "runbook-edit", self.runbook.pk).context["form"].initial["seen"]
        Runbook.objects.filter(pk=self.runbook.pk).update(description="Changed")

        page = self.post(self.admin, "runbook-edit", self.runbook.pk, status=200, **self.form(seen=seen, insert="ssm"))

        self.assertEqual(page.context["form"]["seen"].value(), seen)

    def test_it_leaves_the_share_to_what_the_steps_can_tell(self) -> None:
        for steps, stored in ((self.form()["steps"], 50), (json.dumps([examples.HTTP]), 100)):
            with self.subTest(stored):
                given = self.form(name=f"Share {stored}", steps=steps, parameters=SERVICE, max_percent="")
                self.post(self.admin, "runbook-new", **given)
                self.assertEqual(RunbookVersion.objects.latest("pk").max_percent, stored)

    def test_it_tells_of_changes_made_meanwhile(self) -> None:
        page = self.get(self.admin, "runbook-edit", self.runbook.pk)
        seen = page.context["form"].initial["seen"]
        Runbook.objects.filter(pk=self.runbook.pk).update(description="Changed")

        page = self.post(self.admin, "runbook-edit", self.runbook.pk, status=422, **self.form(seen=seen))

        self.assertContains(page, "Somebody changed this", status_code=422)

    def test_it_releases_a_pause(self) -> None:
        Runbook.objects.filter(pk=self.runbook.pk).update(
            paused_at=database_now(), paused_because="It failed 2 times in a row.", failures=2
        )
        self.assertContains(self.get(self.ada, "runbooks"), "It failed 2 times in a row.")

        self.post(self.admin, "runbook-release", self.runbook.pk)

        self.assertNotContains(self.get(self.ada, "runbooks"), "in a row")

    def test_its_examples_are_valid(self) -> None:
        Agent.objects.create(name="web-1")
        self.assertEqual(faults_of(examples.PARAMETERS), {})
        for step in (examples.HTTP, examples.AGENT, examples.KUBERNETES, examples.SSM):
            kind = step_kind(str(step["kind"]))
            assert kind is not None

            self.assertEqual(kind.validate(step, parameters_of(examples.PARAMETERS)), {}, step["kind"])


class BrakeTests(PageCase):
    def test_it_stops_and_says_so_on_every_page(self) -> None:
        run = propose(self.incident, self.runbook, by=self.ada)
        self.post(self.ada, "remediation-stop", status=400, reason=" ")

        self.post(self.ada, "remediation-stop", reason="Storm in the rack")

        for name, *args in (
            ("runs",),
            ("run", run.pk),
            ("runbooks",),
            ("runbook", self.runbook.pk),
            ("freezes",),
            ("run-new", self.incident.reference),
        ):
            self.assertContains(self.get(self.bob, name, *args), "Storm in the rack")
        self.decide(self.bob, run, "approve", status=409)
        self.post(self.ada, "remediation-stop", status=409, reason="Again")
        self.post(self.admin, "remediation-release")
        self.assertFalse(Stop.objects.filter(active=1).exists())
        self.assertContains(self.get(self.ada, "remediation-stop"), "released by Grace")

    def test_it_keeps_freeze_windows(self) -> None:
        given = {"name": "Sale", "starts_at": "2026-11-27T08:00", "ends_at": "2026-11-28T08:00", "time_zone": "UTC"}
        self.post(self.admin, "freeze-new", status=422, **{**given, "ends_at": "2026-11-26T08:00"})

        self.post(self.admin, "freeze-new", teams=[self.team.pk], **given)
        window = FreezeWindow.objects.get()
        self.post(self.admin, "freeze", window.pk, is_weekly="on", **{**given, "name": "Sales"})

        window.refresh_from_db()
        self.assertEqual((window.name, window.is_weekly, window.teams.count()), ("Sales", True, 0))
        self.assertContains(self.get(self.ada, "freezes"), "Sales")
        self.post(self.admin, "freeze-delete", window.pk)
        self.assertFalse(FreezeWindow.objects.exists())
