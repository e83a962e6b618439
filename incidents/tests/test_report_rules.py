from typing import Any

from django.test import Client, TestCase
from django.urls import reverse

from core.errors import DomainError
from core.severity import Severity
from incidents.models import Incident, ReportRule
from incidents.services import history
from incidents.services.report_rules import Report, reorder_rules, try_report
from incidents.tests.factories import (
    make_category,
    make_incident,
    make_policy,
    make_service,
    make_team,
    minutes,
    report,
)
from responders.models import Team
from users.tests.factories import client_of, make_admin, make_reporter, make_responder

RULES = "/api/v1/report-rules/"


def make_report_rule(name: str = "Water", **fields: Any) -> ReportRule:
    return ReportRule.objects.create(**{"name": name, "position": ReportRule.objects.count(), **fields})


class RoutedReportTests(TestCase):
    def setUp(self) -> None:
        self.water, self.desk, self.other = make_team("Plumbing"), make_team("Desk"), make_team("Other")
        Team.objects.filter(pk=self.desk.pk).update(is_default=True)
        self.rule = make_report_rule(words=["leak", "flood"], team=self.water, severity=Severity.HIGH)

    def test_it_gives_reports_to_the_team_of_the_first_rule(self) -> None:
        make_report_rule("Later", team=self.other)

        leak, fire_ = make_incident(title="A leak"), make_incident(title="Fire", description="No water")

        self.assertEqual((leak.team, fire_.team), (self.water, self.other))

    def test_it_suggests_the_severity_where_none_was_given(self) -> None:
        make_policy(severity=Severity.HIGH, ack_minutes=5)
        silent, told = make_incident(title="A leak"), make_incident(title="A leak", severity=Severity.LOW)

        self.assertEqual((silent.severity, silent.priority), (Severity.HIGH, 3))
        self.assertEqual(silent.ack_due_at, silent.created_at + minutes(5))
        self.assertEqual((told.severity, told.team), (Severity.LOW, self.water))

    def test_it_tells_the_timeline_which_rule_it_was(self) -> None:
        incident = make_incident(title="A leak")

        told = {"id": self.rule.pk, "name": "Water"}
        self.assertEqual(incident.events.get().data["rules"], {"team": told, "severity": told})
        self.assertIsNone(history.verify(incident))
        self.assertNotIn("rules", make_incident(title="Fire").events.get().data)

    def test_the_more_specific_goes_first(self) -> None:
        service, category = make_service(team=self.other), make_category(default_team=self.other)
        by, unowned = make_responder(), make_category("unowned")
        table: list[tuple[dict[str, Any], Team | None]] = [
            ({"team": self.desk}, self.desk),
            ({"services": [service]}, self.other),
            ({"category": category}, self.other),
            ({"category": unowned}, self.water),
            ({"is_restricted": True}, None),
        ]
        for fields, team in table:
            with self.subTest(fields):
                self.assertEqual(make_incident(by=by, title="A leak", **fields).team, team)
        make_report_rule("Named", service=service, team=self.desk)
        self.assertEqual(make_incident(title="A leak", services=[service]).team, self.desk)

    def test_it_leaves_what_matches_nothing_to_the_default_team(self) -> None:
        ReportRule.objects.update(is_enabled=False)

        self.assertEqual(make_incident(title="A leak").team, self.desk)

    def test_it_changes_no_incident_that_is_no_report(self) -> None:
        incident = report(by=None, title="A leak", is_report=False)

        self.assertEqual((incident.team, incident.severity), (self.desk, Severity.MEDIUM))
        self.assertNotIn("rules", incident.events.get().data)

    def test_it_asks_for_the_rules_once(self) -> None:
        service = make_service(team=self.other)
        for told in (Report("A leak"), Report("Fire"), Report("A leak", services=[service])):
            with self.subTest(told), self.assertNumQueries(1):
                try_report(told)

    def test_it_keeps_what_the_rules_name(self) -> None:
        category, service = make_category(), make_service()
        make_report_rule("Named", category=category, service=service, severity=Severity.LOW)
        client = client_of(make_admin())

        for path in (f"categories/{category.pk}", f"services/{service.pk}", f"teams/{self.water.pk}"):
            with self.subTest(path):
                answer = client.delete(f"/api/v1/{path}/")
                self.assertEqual((answer.status_code, answer.json()["code"]), (409, "in_use"))
        self.assertEqual(client.patch(f"/api/v1/teams/{self.water.pk}/", {"is_active": False}).status_code, 400)

    def test_a_report_without_any_team_has_none(self) -> None:
        Team.objects.update(is_default=False)

        self.assertIsNone(report(by=make_reporter(), title="Fire").team)
        self.assertIsNone(try_report(Report("Fire")).team)


class OrderTests(TestCase):
    def setUp(self) -> None:
        self.admin = make_admin()
        self.rules = [make_report_rule(name, severity=2) for name in ("One", "Two", "Three")]

    def names(self) -> list[str]:
        return list(ReportRule.objects.values_list("name", flat=True))

    def test_it_orders_all_or_nothing(self) -> None:
        one, two, three = (rule.pk for rule in self.rules)
        reorder_rules([three, one, two], by=self.admin)
        self.assertEqual(self.names(), ["Three", "One", "Two"])
        for ids in ([one, two], [one, one, two], [one, two, three, three], [one, two, 999_999]):
            with self.subTest(ids), self.assertRaises(DomainError):
                reorder_rules(ids, by=self.admin)


class RouteTests(TestCase):
    def setUp(self) -> None:
        self.client = client_of(make_admin())
        self.team = make_team("Plumbing")

    def test_it_takes_and_shows_a_rule(self) -> None:
        make_category(), make_service()
        sent = {
            **{"name": "Water", "category": "network", "service": "payments", "location": "Bern"},
            **{"words": ["leak", "water damage"], "team": self.team.pk, "severity": "high"},
        }

        answer = self.client.post(RULES, sent)

        self.assertEqual(answer.status_code, 201, answer.content)
        self.assertEqual({name: answer.json()[name] for name in sent}, sent)
        self.assertEqual((answer.json()["position"], answer.json()["is_enabled"]), (0, True))
        self.assertEqual(self.client.post(RULES, {"name": "Next", "severity": "low"}).json()["position"], 1)

    def test_it_refuses_rules_that_decide_or_match_nothing(self) -> None:
        table: list[tuple[dict[str, Any], str]] = [
            ({}, "team"),
            ({"severity": "low", "words": ["?!"]}, "words"),
            ({"severity": "low", "words": [""]}, "words.0"),
            ({"severity": "low", "words": ["x" * 101]}, "words.0"),
            ({"severity": "low", "words": "leak"}, "words"),
            ({"severity": "low", "location": "--"}, "location"),
            ({"severity": "worst"}, "severity"),
            ({"team": 0}, "team"),
        ]
        for fields, field in table:
            with self.subTest(fields):
                answer = self.client.post(RULES, {"name": "New", **fields})
                self.assertEqual((answer.status_code, answer.json()["errors"][0]["field"]), (400, field))

    def test_it_simulates_a_report(self) -> None:
        rule = make_report_rule(words=["leak"], team=self.team, severity=4)
        later = make_report_rule("Later", location="Bern", team=self.team)

        answer = self.client.post(f"{RULES}simulate/", {"title": "A leak"}).json()

        self.assertEqual((answer["team"], answer["because"], answer["severity"]), (self.team.pk, "rule", "critical"))
        self.assertEqual((answer["team_rule"], answer["severity_rule"]), (rule.pk, rule.pk))
        self.assertEqual(
            [(one["id"], one["miss"]) for one in answer["rules"]], [(rule.pk, None), (later.pk, "location")]
        )
        nothing = self.client.post(f"{RULES}simulate/", {"title": "Fire"}).json()
        self.assertEqual((nothing["team"], nothing["because"], nothing["severity"]), (None, "default", None))
        self.assertFalse(Incident.objects.exists())

    def test_it_reorders(self) -> None:
        rules = [make_report_rule(name, severity=1) for name in ("One", "Two")]

        answer = self.client.post(f"{RULES}reorder/", {"ids": [rules[1].pk, rules[0].pk]})

        self.assertEqual(answer.status_code, 200)
        self.assertEqual([row["name"] for row in self.client.get(RULES).json()["results"]], ["Two", "One"])
        self.assertEqual(self.client.post(f"{RULES}reorder/", {"ids": [rules[1].pk]}).status_code, 400)

    def test_the_back_office_takes_a_rule(self) -> None:
        client = Client()
        client.force_login(make_admin())
        path = reverse("admin:incidents_reportrule_add")
        form = {"name": "Water", "position": "3", "is_enabled": "on", "words": "leak\n\n water   damage\nleak"}

        refused = client.post(path, form)
        client.post(path, {**form, "team": self.team.pk})

        self.assertContains(refused, "Choose a team, a severity or both.")
        rule = ReportRule.objects.get()
        self.assertEqual((rule.words, rule.team, rule.position), (["leak", "water damage"], self.team, 3))
        change = reverse("admin:incidents_reportrule_change", args=[rule.pk])
        self.assertContains(client.get(change), "water damage")
        client.post(change, {**form, "team": self.team.pk, "words": "flood"})
        self.assertEqual(ReportRule.objects.get().words, ["flood"])
        self.assertContains(client.get(reverse("admin:incidents_reportrule_changelist")), "Water")
