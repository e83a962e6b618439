"""What is in use is switched off, not deleted; what is retired gets nothing new."""

from django.test import TestCase
from django.urls import reverse

from alerts.models import Route
from alerts.services.reassign import split
from alerts.tests.factories import fire, make_source
from core.errors import DomainError
from incidents import services
from incidents.tests.factories import make_category, make_incident, make_service, make_team, report
from logs.models import DetectionRule
from responders.models import Service, Team
from users.tests.factories import client_of, make_admin, make_responder

TEAMS = "/api/v1/teams/"


class RetiringTests(TestCase):
    def setUp(self) -> None:
        self.admin = make_admin()
        self.api = client_of(self.admin)
        self.team = make_team("Network")

    def retire(self) -> None:
        answer = self.api.patch(f"{TEAMS}{self.team.pk}/", {"is_active": False})
        self.assertEqual(answer.status_code, 200, answer.content)
        self.team.refresh_from_db()

    def test_it_keeps_the_history_of_a_retired_team(self) -> None:
        incident = make_incident(by=self.admin, team=self.team)
        self.retire()

        answer = self.api.patch(f"/api/v1/incidents/{incident.pk}/", {"location": "Cellar", "team": self.team.pk})

        self.assertEqual((answer.status_code, answer.json()["team"]), (200, self.team.pk))

    def test_it_gives_nothing_new_to_what_is_retired(self) -> None:
        self.retire()
        service, category = make_service(), make_category()
        type(service).objects.update(is_active=False)
        type(category).objects.update(is_active=False)
        incident = make_incident()
        table = {"team": self.team.pk, "services": [service.slug], "category": category.slug}

        for field, value in table.items():
            with self.subTest(field):
                changed = self.api.patch(f"/api/v1/incidents/{incident.pk}/", {field: value}, "json")
                reported = self.api.post("/api/v1/incidents/", {"title": "x", field: value}, "json")

                self.assertEqual((changed.status_code, reported.status_code), (400, 400))
                self.assertIn("retired", changed.content.decode())
                self.assertEqual(reported.json()["errors"][0]["field"], field)

    def test_it_does_not_retire_a_team_that_work_still_comes_to(self) -> None:
        make_service(team=self.team)
        Route.objects.create(name="Network", position=1, team=self.team)

        answer = self.api.patch(f"{TEAMS}{self.team.pk}/", {"is_active": False})

        self.assertEqual((answer.status_code, answer.json()["errors"][0]["field"]), (400, "is_active"))
        self.assertIn("1 service", answer.content.decode())
        self.assertIn("1 route", answer.content.decode())

    def test_it_hands_no_configuration_to_a_retired_team(self) -> None:
        self.retire()
        table = {
            "/api/v1/services/": {"name": "Mail", "slug": "mail", "team": self.team.pk},
            "/api/v1/categories/": {"name": "Mail", "slug": "mail", "default_team": self.team.pk},
            "/api/v1/sources/": {"name": "Mail", "kind": "generic", "team": self.team.pk},
            "/api/v1/routes/": {"name": "Mail", "matchers": [], "team": self.team.pk},
        }

        for path, body in table.items():
            with self.subTest(path):
                self.assertEqual(self.api.post(path, body, "json").status_code, 400)

    def test_it_leaves_what_is_retired_out_of_pickers(self) -> None:
        make_team("Networking")
        self.retire()
        self.client.force_login(self.admin)
        asked = {"app_label": "incidents", "model_name": "incident", "field_name": "team", "term": "network"}

        found = self.client.get(reverse("admin:autocomplete"), asked).json()["results"]

        self.assertEqual([row["text"] for row in found], ["Networking"])

    def test_it_splits_alerts_off_an_incident_of_a_retired_team(self) -> None:
        service = make_service()
        source = make_source(group_by=["rack"], team=self.team)
        alert = fire(source, labels={"rack": "4"})
        incident = alert.incident
        incident.services.add(service)
        type(service).objects.update(is_active=False)
        type(self.team).objects.update(is_active=False)

        new = split([alert], by=self.admin)

        self.assertEqual((new.team, list(new.services.all())), (None, []))
        self.assertEqual(new.alerts.get(), alert)

    def test_a_service_refuses_what_is_retired(self) -> None:
        self.retire()

        with self.assertRaisesMessage(DomainError, "Network is retired"):
            report(by=self.admin, title="x", team=self.team)


class InUseTests(TestCase):
    def setUp(self) -> None:
        self.admin = make_admin()
        self.team = make_team("Network", make_responder())
        self.client.force_login(self.admin)

    def test_it_says_by_how_many_of_what(self) -> None:
        for _ in range(2):
            make_incident(by=self.admin, team=self.team)
        make_service(team=self.team)

        answer = client_of(self.admin).delete(f"{TEAMS}{self.team.pk}/")

        told = answer.json()
        self.assertEqual((answer.status_code, told["code"]), (409, "in_use"))
        self.assertIn("2 incidents", told["detail"])
        self.assertIn("Work still comes to Network from 1 service;", told["detail"])
        self.assertNotIn("instead", told["detail"])
        self.assertCountEqual(told["used_by"], [{"kind": "incident", "count": 2}, {"kind": "service", "count": 1}])

    def test_it_tells_callers_to_retire_what_only_history_names(self) -> None:
        make_incident(by=self.admin, team=self.team)

        answer = client_of(self.admin).delete(f"{TEAMS}{self.team.pk}/")

        self.assertIn("Retire it instead: is_active = false.", answer.json()["detail"])

    def test_it_links_what_names_it(self) -> None:
        incident = make_incident(by=self.admin, team=self.team)
        services.resolve(incident, by=self.admin)

        page = self.client.get(reverse("admin:responders_team_delete", args=[self.team.pk])).content.decode()
        url = f"{reverse('admin:incidents_incident_changelist')}?team__id__exact={self.team.pk}"
        listed = self.client.get(url)

        self.assertIn(f'href="{url}">1 incident</a>', page)
        self.assertEqual(list(listed.context["cl"].result_list), [incident])

    def test_it_offers_to_retire_what_only_history_names(self) -> None:
        make_incident(by=self.admin, team=self.team)
        url = reverse("admin:responders_team_delete", args=[self.team.pk])

        offered = self.client.get(url)
        make_service(team=self.team)
        refused = self.client.get(url)
        Service.objects.all().delete()
        Team.objects.filter(pk=self.team.pk).update(is_active=False)
        retired = self.client.get(url)

        self.assertContains(offered, "Retire it instead")
        for page, reason in ((refused, "Work still comes to Network"), (retired, "It is already retired.")):
            with self.subTest(reason):
                self.assertContains(page, reason)
                self.assertNotContains(page, "instead")

    def test_it_switches_off_instead(self) -> None:
        make_incident(by=self.admin, team=self.team)
        source = make_source()
        rule = DetectionRule.objects.first()

        for name, row in (("responders_team", self.team), ("intake_source", source), ("logs_detectionrule", rule)):
            with self.subTest(name):
                answer = self.client.post(reverse(f"admin:{name}_switch_off", args=[row.pk]))

                row.refresh_from_db()
                self.assertEqual(answer.status_code, 302)
                self.assertFalse(getattr(row, "is_active", getattr(row, "is_enabled", None)))

    def test_it_does_not_switch_off_a_team_that_work_still_comes_to(self) -> None:
        make_service(team=self.team)

        answer = self.client.post(reverse("admin:responders_team_switch_off", args=[self.team.pk]), follow=True)

        self.team.refresh_from_db()
        self.assertTrue(self.team.is_active)
        self.assertContains(answer, "Work still comes to Network")

    def test_only_who_may_delete_switches_off(self) -> None:
        self.client.force_login(make_responder())
        url = reverse("admin:responders_team_switch_off", args=[self.team.pk])

        self.assertEqual(self.client.post(url).status_code, 403)

    def test_it_deactivates_nobody_that_way(self) -> None:
        answer = self.client.post(reverse("admin:users_user_switch_off", args=[self.admin.pk]))

        self.admin.refresh_from_db()
        self.assertEqual((answer.status_code, self.admin.is_active), (403, True))
