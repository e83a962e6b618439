import datetime as dt

from django.test import TestCase

from incidents.models import Incident
from incidents.services import resolve
from incidents.tests.factories import MONDAY, make_category, make_incident, make_service, make_team
from users.tests.factories import client_of, make_responder

INCIDENTS = "/api/v1/incidents/"


class FilterTests(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        cls.user = make_responder()
        cls.team = make_team("Database", cls.user)
        cls.one = make_incident(
            by=cls.user, severity=4, category=make_category(), services=[make_service()], location="Rack 5", at=MONDAY
        )
        Incident.objects.filter(pk=cls.one.pk).update(team=cls.team, assignee=cls.user, ack_breached=True)
        cls.two = resolve(make_incident(severity=1), by=None)

    def found(self, **parameters: str) -> set[int]:
        answer = client_of(self.user).get(INCIDENTS, parameters)
        self.assertEqual(answer.status_code, 200, answer.content)
        return {row["id"] for row in answer.json()["results"]}

    def test_each_narrows(self) -> None:
        one, two = {self.one.pk}, {self.two.pk}
        later = (MONDAY + dt.timedelta(seconds=1)).isoformat()
        table = [
            ({"status": "open"}, one),
            ({"status": "resolved, closed"}, two),
            ({"status": "open,resolved"}, one | two),
            ({"is_open": "true"}, one),
            ({"is_open": "False"}, two),
            ({"severity": "critical"}, one),
            ({"severity": "LOW,high"}, two),
            ({"priority": "p1"}, one),
            ({"category": "network"}, one),
            ({"category": "absent"}, set()),
            ({"team": str(self.team.pk)}, one),
            ({"has_category": "true"}, one),
            ({"has_category": "false"}, two),
            ({"team": "none"}, two),
            ({"team": "mine"}, one),
            ({"acknowledged": "true"}, two),
            ({"acknowledged": "false"}, one),
            ({"reopened": "true"}, set()),
            ({"reopened": "false"}, one | two),
            ({"due_within": "30"}, one),
            ({"assignee": "me"}, one),
            ({"assignee": "none"}, two),
            ({"reporter": "me"}, one),
            ({"reporter": str(self.two.reporter_id)}, two),
            ({"service": "payments"}, one),
            ({"has_service": "true"}, one),
            ({"has_service": "false"}, two),
            ({"location": "Rack 5"}, one),
            ({"source": "api"}, one | two),
            ({"source": "import"}, set()),
            ({"breached": "ack"}, one),
            ({"breached": "any"}, one),
            ({"created_before": later}, one),
            ({"created_after": later}, two),
            ({"created_after": MONDAY.isoformat()}, one | two),
            ({"created_before": MONDAY.isoformat()}, set()),
            ({"created_after": "2026-03-02T11:00:01 01:00"}, two),
            ({"created_after": "2026-03-03"}, two),
            ({"severity": "critical", "status": "resolved"}, set()),
            ({"severity": ""}, one | two),
        ]
        for parameters, expected in table:
            with self.subTest(parameters):
                self.assertEqual(self.found(**parameters), expected)

    def test_what_is_not_understood_is_refused(self) -> None:
        table = [
            *(("status", text) for text in ("nonsense", "open,nonsense", ",")),
            *(("is_open", text) for text in ("banana", "1", "none")),
            *(("severity", text) for text in ("5", "worst")),
            *(("team", text) for text in ("me", "x", "-1", "1.5", "\u0661")),
            ("reporter", "none"),
            ("breached", "both"),
            *(("created_after", text) for text in ("yesterday", "2026-02-30", "2026-01-01T25:00:00Z")),
            ("created_before", "0001-01-01T00:00:00+01:00"),
        ]
        for name, text in table:
            with self.subTest(name, text=text):
                answer = client_of(self.user).get(INCIDENTS, {name: text})

                self.assertEqual((answer.status_code, answer.json()["errors"][0]["field"]), (400, name))
