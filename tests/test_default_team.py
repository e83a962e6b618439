"""The team that gets what nobody else is named for."""

from django.test import TestCase
from django.urls import reverse

from alerts.models import Alert
from alerts.tests.factories import fire, make_route, make_source
from core.severity import Severity
from incidents.models import Incident, ReportRule
from incidents.tests.factories import make_category, make_incident, make_service, make_team
from responders.models import Team
from users.tests.factories import client_of, make_admin

TEAMS = "/api/v1/teams/"


class DefaultTeamTests(TestCase):
    def setUp(self) -> None:
        self.admin = make_admin()
        self.duty, self.other = make_team("Duty"), make_team("Other")
        Team.objects.filter(pk=self.duty.pk).update(is_default=True)

    def patch(self, team: Team, **fields: object):
        return client_of(self.admin).patch(f"{TEAMS}{team.pk}/", fields)

    def test_it_gets_what_nobody_else_is_named_for(self) -> None:
        service, category = make_service(team=self.other), make_category(default_team=self.other)
        table = [
            ({}, self.duty),
            ({"services": [make_service("lonely")], "category": make_category("lonely")}, self.duty),
            ({"services": [service]}, self.other),
            ({"category": category}, self.other),
            ({"team": self.other}, self.other),
        ]
        for fields, team in table:
            with self.subTest(fields):
                self.assertEqual(make_incident(by=self.admin, **fields).team, team)

    def test_it_gets_alerts_that_no_source_or_route_gives_to_a_team(self) -> None:
        fire(make_source())
        make_route(team=self.other)
        fire(make_source(name="Routed"), "b")

        teams = [alert.incident and alert.incident.team for alert in Alert.objects.order_by("pk")]
        self.assertEqual(teams, [self.duty, self.other])

    def test_rules_for_reports_leave_alerts_alone(self) -> None:
        ReportRule.objects.create(name="Everything", team=self.other, severity=Severity.LOW)
        fire(make_source(), title="A leak")

        incident = Incident.objects.get()
        self.assertEqual(incident.team, self.duty)
        self.assertNotIn("rules", incident.events.order_by("seq")[0].data)

    def test_it_leaves_a_report_with_nobody_where_there_is_none(self) -> None:
        Team.objects.update(is_default=False)

        self.assertIsNone(make_incident().team)

    def test_it_comes_to_see_nothing_restricted_by_it(self) -> None:
        self.assertIsNone(make_incident(is_restricted=True).team)

    def test_there_is_one(self) -> None:
        self.assertEqual(self.patch(self.other, is_default=True).json()["is_default"], True)
        self.assertEqual(list(Team.objects.filter(is_default=True)), [self.other])

        client_of(self.admin).post(TEAMS, {"name": "New", "is_default": True})
        self.assertEqual(Team.objects.get(is_default=True).name, "New")

        self.client.force_login(self.admin)
        url = reverse("admin:responders_team_change", args=[self.duty.pk])
        inline = {"memberships-TOTAL_FORMS": 0, "memberships-INITIAL_FORMS": 0}
        self.client.post(url, {"name": "Duty", "is_active": "on", "is_default": "on", **inline})
        self.assertEqual(list(Team.objects.filter(is_default=True)), [self.duty])

    def test_it_is_not_retired(self) -> None:
        answer = self.patch(self.duty, is_active=False)

        self.assertEqual(answer.status_code, 400)
        self.assertIn("default team", str(answer.json()))
        self.assertEqual(self.patch(self.duty, is_active=False, is_default=False).status_code, 200)
        self.assertIsNone(make_incident().team)
        self.assertEqual(Incident.objects.count(), 1)
