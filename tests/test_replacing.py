"""PUT replaces what can be edited; PATCH changes what is sent."""

from django.test import TestCase

from alerts.tests.factories import make_source
from incidents.tests.factories import make_category, make_incident, make_service, make_team
from users.tests.factories import client_of, make_admin, make_reporter

API = "/api/v1/"


class ReplacingTests(TestCase):
    def setUp(self) -> None:
        self.admin = make_admin()
        self.client = client_of(self.admin)

    def test_it_replaces_configuration(self) -> None:
        team = make_team("Network")
        service = make_service("mail", team=team)
        type(service).objects.update(description="Old words", is_active=False)
        path = f"{API}services/{service.pk}/"

        answer = self.client.put(path, {"name": "Post", "slug": "mail"}, "json").json()

        self.assertEqual((answer["name"], answer["description"], answer["team"]), ("Post", "", None))
        self.assertFalse(answer["is_active"])  # switching is an act of its own

    def test_it_replaces_a_source_but_for_its_secret(self) -> None:
        source = make_source(kind="github", signing_secret="a secret", group_by=["repository"])
        path = f"{API}sources/{source.pk}/"

        answer = self.client.put(path, {"name": "Code", "kind": "github"}, "json").json()

        self.assertEqual((answer["group_by"], answer["has_signing_secret"]), ([], True))

    def test_it_replaces_what_an_incident_reports_and_nothing_else(self) -> None:
        team, category = make_team("Network", self.admin), make_category("network")
        incident = make_incident(
            by=self.admin, description="Old words", location="Cellar", category=category, team=team, is_restricted=True
        )
        path = f"{API}incidents/{incident.pk}/"

        answer = self.client.put(path, {"title": "New title"}, "json").json()

        replaced = {name: answer[name] for name in ("title", "description", "location", "category", "severity")}
        blank = {"title": "New title", "description": "", "location": "", "category": None, "severity": "medium"}
        self.assertEqual(replaced, blank)
        self.assertEqual((answer["team"], answer["is_restricted"]), (team.pk, True))

    def test_a_reporter_replaces_their_own_words(self) -> None:
        reporter = make_reporter()
        incident = make_incident(by=reporter, description="Old words", location="Cellar")

        answer = client_of(reporter).put(f"{API}incidents/{incident.pk}/", {"title": "New title"}, "json")

        self.assertEqual(answer.status_code, 200, answer.content)
        self.assertEqual((answer.json()["description"], answer.json()["location"]), ("", "Cellar"))
