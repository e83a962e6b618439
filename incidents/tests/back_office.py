"""What tests of the incident's pages in the admin share."""

from django.contrib.messages import get_messages
from django.test import TestCase
from django.urls import reverse

from incidents import services
from incidents.models import Incident
from incidents.tests.factories import make_incident, make_team
from users.models import User
from users.tests.factories import make_admin, make_reporter, make_responder

LIST = reverse("admin:incidents_incident_changelist")


def page(incident: Incident, name: str = "change", *more: object) -> str:
    return reverse(f"admin:incidents_incident_{name}", args=[incident.pk, *more])


class BackOfficeCase(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        cls.member, cls.outsider = make_responder(), make_responder()
        cls.team, cls.other_team = make_team("Database", cls.member), make_team("Network", cls.outsider)
        cls.admin, cls.reporter = make_admin(), make_reporter()
        cls.incident = make_incident(by=cls.reporter, title="Disk full", team=None)
        services.assign_team(cls.incident, cls.team, by=cls.admin)
        cls.incident.refresh_from_db()

    def sign_in(self, user: User) -> None:
        self.client.force_login(user)

    def form(self, **changes: object) -> dict[str, object]:
        incident = self.incident
        return {
            "title": incident.title,
            "description": incident.description,
            "severity": incident.severity,
            "priority": "",
            "category": "",
            "location": "",
            "services": [],
            "team": incident.team_id or "",
            "assignee": "",
            "seen_version": incident.version,
            **changes,
        }

    def messages(self, answer) -> str:
        return " ".join(str(message) for message in get_messages(answer.wsgi_request))
