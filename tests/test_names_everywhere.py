"""What may not be a name may not be one anywhere."""

import json
from pathlib import Path

from django.test import TestCase, override_settings

from responders.models import Service, Team
from users.models import User
from users.tests.factories import PASSWORD, client_of, make_admin, make_reporter

FINDINGS = Path(__file__).resolve().parents[2] / "shared" / "data" / "hostile-findings"


@override_settings(RATES_PER_ADDRESS={})
class EverywhereTests(TestCase):
    def setUp(self) -> None:
        self.admin = make_admin(email="ada@example.com")
        self.api = client_of(self.admin)

    def test_it_refuses_a_strangers_sentence_at_registration(self) -> None:
        for name in ("register_name_as_mail_text", "name_with_backspace"):
            path = FINDINGS / f"{name}.json"
            if not path.exists():
                self.skipTest("the hostile inputs are not beside this checkout")
            form = {"email": "victim@company.example", "password": PASSWORD, **json.loads(path.read_text("utf-8"))}
            with self.subTest(name):
                answer = self.client.post("/api/v1/auth/register/", form, content_type="application/json")

                self.assertEqual((answer.status_code, answer.json()["errors"][0]["field"]), (400, "name"))
        self.assertEqual(User.objects.count(), 1)

    def test_it_refuses_in_the_api_whatever_is_named(self) -> None:
        routes = {
            "teams": {},
            "services": {"slug": "s"},
            "categories": {"slug": "c"},
            "sla-policies": {"severity": "high", "ack_minutes": 5},
            "sources": {"kind": "generic"},
            "routes": {},
            "me/tokens": {},
        }
        for route, form in routes.items():
            with self.subTest(route):
                answer = self.api.post(f"/api/v1/{route}/", {**form, "name": "a\u202eb"})

                errors = {error["field"] for error in answer.json()["errors"]}
                self.assertEqual((answer.status_code, errors), (400, {"name"}), answer.json())
        self.assertEqual(self.api.patch("/api/v1/auth/me/", {"name": "evil.example"}).status_code, 400)

    def test_it_refuses_in_the_admin(self) -> None:
        self.client.force_login(self.admin)
        account = {"email": "n@example.com", "name": "Iv\bn", "role": "reporter", "time_zone": "UTC"}

        answers = [
            self.client.post("/admin/users/user/add/", account),
            self.client.post("/admin/responders/team/add/", {"name": "a\u202eb"}),
        ]

        for answer in answers:
            self.assertContains(answer, "control characters")
        self.assertFalse(Team.objects.exists())

    def test_it_finds_a_name_in_its_other_form_taken(self) -> None:
        self.api.post("/api/v1/teams/", {"name": "Zürich"})
        answer = self.api.post("/api/v1/teams/", {"name": "Zu\u0308rich"})

        self.assertEqual((answer.status_code, Team.objects.get().name), (400, "Zürich"))

    def test_it_lets_services_be_called_as_their_hosts(self) -> None:
        answer = self.api.post("/api/v1/services/", {"name": "shop.example.com", "slug": "shop"})

        self.assertEqual((answer.status_code, Service.objects.get().name), (201, "shop.example.com"))

    def test_it_takes_control_characters_out_of_titles(self) -> None:
        reporter = client_of(make_reporter())

        made = reporter.post("/api/v1/incidents/", {"title": "Lift\r\nBcc: x\b"})
        changed = reporter.patch(f"/api/v1/incidents/{made.json()['reference']}/", {"title": "a\tb"})
        empty = reporter.post("/api/v1/incidents/", {"title": "\b\b"})

        self.assertEqual((made.json()["title"], changed.json()["title"]), ("Lift Bcc: x", "a b"))
        self.assertEqual(empty.status_code, 400)
