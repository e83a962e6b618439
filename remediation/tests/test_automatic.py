from unittest import mock

from django.test import SimpleTestCase, TestCase

from core.db.clock import database_now
from core.errors import Conflict, PermissionRefused
from core.severity import Severity
from incidents.models import Incident
from incidents.services import feed
from incidents.tests.factories import kinds_of, make_incident, make_service
from remediation.models import RuleMatch, Run, Runbook
from remediation.services import automatic, deciding, stopping
from remediation.services.runs import RULE
from remediation.tests.factories import fake, make_runbook, unknown_run, work_off
from remediation.validation import matches
from remediation.vocabulary import RunState
from users.tests.factories import make_admin


class MatchingTests(SimpleTestCase):
    def test_it_matches_all_that_is_given(self) -> None:
        facts = {"title": "Disk FULL on db-3", "severity": Severity.HIGH, "services": frozenset({"shop"})}
        for matcher, is_match in (
            ({"services": ["shop", "mail"]}, True),
            ({"services": ["mail"]}, False),
            ({"severity_from": "high"}, True),
            ({"severity_from": "critical"}, False),
            ({"title_words": ["disk full"]}, True),
            ({"title_words": ["memory"]}, False),
            ({"services": ["shop"], "title_words": ["memory"]}, False),
        ):
            with self.subTest(matcher=matcher):
                self.assertEqual(matches(matcher, **facts), is_match)  # type: ignore[arg-type]


class AutomaticTests(TestCase):
    def setUp(self) -> None:
        fake.reset()
        self.admin = make_admin()
        self.service = make_service("shop")

    def opened(self, **fields: object) -> Incident:
        """An incident, after the rules were followed."""
        incident = make_incident(by=self.admin, title="Disk full", services=[self.service], **fields)
        while feed.assign_places():
            pass
        while automatic.follow():
            pass
        while automatic.propose_due(database_now()):
            pass
        return incident

    def rule(self, *targets: str, **fields: object) -> Runbook:
        return make_runbook(*targets, by=self.admin, automatic_for={"title_words": ["disk"]}, **fields)

    def test_it_executes_class_a_by_itself(self) -> None:
        self.rule()

        incident = self.opened()
        work_off()

        run = Run.objects.get()
        self.assertEqual((run.state, run.is_automatic, run.approved_by), (RunState.VERIFIED, True, None))
        event = incident.events.get(kind="run_approved")
        self.assertEqual((event.machine_kind, event.machine_name), ("runbook", "Runbook rule"))
        self.assertEqual(kinds_of(incident)[-1], "run_verified")

    def test_it_leaves_class_b_to_people(self) -> None:
        self.rule(risk="b")

        self.opened()
        work_off()

        self.assertEqual((Run.objects.get().state, fake.calls), (RunState.PROPOSED, []))

    def test_it_fills_in_the_service(self) -> None:
        self.rule(parameters=[{"name": "s", "kind": "service"}])

        self.opened()

        self.assertEqual(Run.objects.get().parameters, {"s": "shop"})

    def test_it_does_nothing_for_restricted_incidents(self) -> None:
        self.rule()

        self.opened(is_restricted=True)

        self.assertFalse(Run.objects.exists())

    def test_it_leaves_incidents_that_are_not_new_to_people(self) -> None:
        self.rule()

        self.opened(at=database_now() - automatic.FRESH)

        self.assertFalse(Run.objects.exists())

    def test_it_refuses_what_was_restricted_since(self) -> None:
        self.rule(risk="b")
        incident = self.opened()
        run = Run.objects.get()
        Incident.objects.filter(pk=incident.pk).update(is_restricted=True)

        with self.assertRaises(Conflict) as caught:
            deciding.approve(run, by=self.admin, digest=run.digest)
        self.assertEqual(caught.exception.code, "incident_restricted")

    def test_it_keeps_a_proposal_that_a_guard_forbids(self) -> None:
        self.rule()
        stopping.stop(by=self.admin, reason="Storm")

        self.opened()

        self.assertEqual(Run.objects.get().state, RunState.PROPOSED)
        self.assertIn("Storm", RuleMatch.objects.get().why)

    def test_it_never_runs_where_a_run_waits_to_be_settled(self) -> None:
        for number, risk in enumerate("ab", 1):
            with self.subTest(risk):
                run = unknown_run(make_incident(by=self.admin), f"web-{number}", by=self.admin)
                runbook = self.rule(f"web-{number}", risk=risk)

                incident = self.opened()

                self.assertFalse(Run.objects.filter(incident=incident).exists())
                event = incident.events.get(kind="run_refused")
                self.assertIn(f"Run {run.pk} ended unknown and holds web-{number}", event.body)
                self.assertEqual((event.visibility, event.data), ("internal", {"runbook": runbook.name}))
                Runbook.objects.filter(pk=runbook.pk).update(is_enabled=False)

    def test_it_proposes_once_though_its_worker_ended_before_that_was_remembered(self) -> None:
        self.rule(risk="b")
        with mock.patch.object(automatic, "_remember", side_effect=SystemExit), self.assertRaises(SystemExit):
            self.opened()
        RuleMatch.objects.update(due_at=database_now())

        automatic.propose_due(database_now())

        self.assertEqual(RuleMatch.objects.get().run, Run.objects.get())

    def test_it_cools_down_whatever_the_targets(self) -> None:
        self.rule()
        self.opened()
        work_off()
        fake.targets = ["another"]

        self.opened()

        self.assertEqual(Run.objects.latest("pk").state, RunState.PROPOSED)
        self.assertRegex(RuleMatch.objects.latest("pk").why, r"waits 300 seconds between runs, until .* UTC")

    def test_it_waits_as_long_as_its_runbook_says(self) -> None:
        self.rule(runbook_cooldown=0)
        self.opened()  # and not worked off yet
        fake.targets = ["another"]

        self.opened()

        self.assertEqual(Run.objects.filter(state=RunState.EXECUTING).count(), 2)

    def test_it_counts_what_has_only_begun(self) -> None:
        self.rule()
        self.opened()
        fake.targets = ["another"]

        self.opened()

        self.assertEqual(Run.objects.filter(state=RunState.EXECUTING).count(), 1)

    def test_its_rule_approves_nothing_of_class_b(self) -> None:
        self.rule(risk="b")
        self.opened()
        run = Run.objects.get()

        with self.assertRaises(PermissionRefused):
            deciding.approve(run, by=RULE, digest=run.digest)

    def test_it_proposes_once(self) -> None:
        self.rule()
        self.opened()
        match = RuleMatch.objects.get()
        match.due_at = database_now()
        match.save()

        automatic.propose_due(database_now())

        self.assertEqual(Run.objects.count(), 1)
