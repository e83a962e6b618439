from django.db import IntegrityError, transaction
from django.test import TestCase

from core.errors import DomainError, PermissionRefused
from core.severity import Priority, Severity
from core.text.names import one_line
from incidents.models import Incident, Status
from incidents.services import external_key, history
from incidents.tests.factories import (
    MONDAY,
    folded,
    make_category,
    make_incident,
    make_policy,
    make_service,
    make_team,
    minutes,
    report,
)
from users.tests.factories import make_reporter, make_responder


class ReportTests(TestCase):
    def test_it_opens_an_incident_with_its_first_event(self) -> None:
        reporter = make_reporter(name="Alice")

        incident = report(by=reporter, title="Checkout is down", description="502", location="Bern")

        self.assertEqual((incident.status, incident.severity, incident.priority), ("open", 2, 2))
        self.assertEqual((incident.version, incident.event_count, incident.origin_system), (1, 1, "api"))
        event = incident.events.get()
        self.assertEqual((event.seq, event.kind, event.actor, event.actor_name), (1, "created", reporter, "Alice"))
        self.assertEqual(event.data["changes"]["description"], [None, "502"])
        self.assertTrue(incident.subscriptions.filter(user=reporter).exists())
        self.assertIsNone(history.verify(incident))

    def test_it_opens_at_the_time_given(self) -> None:
        make_policy(severity=Severity.MEDIUM, ack_minutes=60, resolve_minutes=240)

        incident = make_incident(at=MONDAY, occurred_at=MONDAY - minutes(30))

        self.assertEqual((incident.created_at, incident.occurred_at), (MONDAY, MONDAY - minutes(30)))
        self.assertEqual(incident.clock_started_at, MONDAY)
        self.assertEqual((incident.ack_due_at, incident.resolve_due_at), (MONDAY + minutes(60), MONDAY + minutes(240)))
        self.assertEqual(incident.next_breach_at, incident.ack_due_at)

    def test_it_copies_the_policy(self) -> None:
        make_policy(severity=Severity.MEDIUM, ack_minutes=60, resolve_minutes=240)
        incident = make_incident(at=MONDAY)

        make_policy(severity=Severity.MEDIUM, ack_minutes=1, resolve_minutes=2)

        stored = Incident.objects.get(pk=incident.pk)
        self.assertEqual((stored.sla["ack_minutes"], stored.ack_due_at), (60, MONDAY + minutes(60)))

    def test_it_works_without_a_policy(self) -> None:
        make_policy(severity=Severity.MEDIUM).delete()

        incident = make_incident()

        self.assertEqual((incident.sla, incident.ack_due_at, incident.next_breach_at), ({}, None, None))

    def test_it_finds_the_team(self) -> None:
        given, of_service, of_category = make_team("Given"), make_team("Payments"), make_team("Network")
        category, service = make_category(default_team=of_category), make_service(team=of_service)
        teamless = make_service("teamless")
        responder = make_responder()
        cases = [
            ({"team": given, "services": [service], "category": category}, given),
            ({"services": [teamless, service], "category": category}, of_service),
            ({"services": [teamless], "category": category}, of_category),
            ({"services": [teamless]}, None),
            ({}, None),
        ]
        for fields, team in cases:
            with self.subTest(fields=fields):
                self.assertEqual(report(by=responder, title="Down", **fields).team, team)

    def test_it_names_each_service_once(self) -> None:
        service = make_service()

        incident = report(by=None, title="Down", services=[service, service])

        self.assertEqual(folded(incident)["services"], ["payments"])
        self.assertEqual(incident.services.count(), 1)

    def test_it_lets_priority_follow_severity_unless_given(self) -> None:
        responder = make_responder()

        followed = report(by=responder, title="Down", severity=Severity.CRITICAL)
        given = report(by=responder, title="Down", severity=Severity.CRITICAL, priority=Priority.P4)

        self.assertEqual((followed.priority, followed.is_priority_given), (Priority.P1, False))
        self.assertEqual((given.priority, given.is_priority_given), (Priority.P4, True))

    def test_it_lets_reporters_name_no_team_assignee_or_priority(self) -> None:
        reporter, responder = make_reporter(), make_responder()
        for fields in ({"team": make_team()}, {"assignee": responder}, {"priority": Priority.P4}):
            with self.subTest(fields=fields), self.assertRaises(PermissionRefused):
                report(by=reporter, title="Down", **fields)
        self.assertFalse(Incident.objects.exists())

    def test_it_assigns_active_responders_only(self) -> None:
        for assignee in (make_reporter(), make_responder(is_active=False)):
            with self.subTest(assignee=assignee), self.assertRaises(DomainError):
                report(by=None, title="Down", assignee=assignee)

    def test_it_opens_one_incident_for_each_outside_id(self) -> None:
        report(by=None, title="Down", origin_system="jira", external_id="Ops-1")
        report(by=None, title="Down", origin_system="jira", external_id="ops-1")
        report(by=None, title="Down", origin_system="snow", external_id="Ops-1")
        report(by=None, title="Down", origin_system="jira")
        report(by=None, title="Down", origin_system="jira")

        with self.assertRaises(IntegrityError), transaction.atomic():
            report(by=None, title="Down", origin_system="jira", external_id="Ops-1")
        self.assertEqual(Incident.objects.count(), 5)
        self.assertNotEqual(external_key("a", "bc"), external_key("ab", "c"))

    def test_it_keeps_every_character_and_titles_on_one_line(self) -> None:
        text = "満杯 🔥 \u202e \"'\\ <script> e\u0301\r\n\tend "

        incident = make_incident(title=text.strip(), description=text, location=text)

        stored = Incident.objects.get(pk=incident.pk)
        self.assertEqual((stored.title, stored.description, stored.location), (one_line(text), text, text))
        self.assertEqual(stored.status, Status.OPEN)
        self.assertIsNone(history.verify(stored))
