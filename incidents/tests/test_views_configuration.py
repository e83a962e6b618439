from typing import Any

from django.test import TestCase

from incidents.models import SlaPolicy
from incidents.tests.factories import make_category, make_incident, make_service, make_team
from users.models import User
from users.tests.factories import client_of, make_admin, make_reporter, make_responder

POLICIES = "/api/v1/sla-policies/"
CATEGORIES = "/api/v1/categories/"


class PolicyTests(TestCase):
    def setUp(self) -> None:
        self.client = client_of(make_admin())

    def test_there_is_one_for_each_severity_from_the_start(self) -> None:
        rows = self.client.get(POLICIES).json()["results"]

        self.assertEqual([row["severity"] for row in rows], ["critical", "high", "medium", "low"])

    def test_it_takes_one_more_for_a_category(self) -> None:
        category = make_category()
        body = {"name": "Network", "severity": "high", "category": category.pk, "ack_minutes": 5}

        first, again = self.client.post(POLICIES, body), self.client.post(POLICIES, {**body, "name": "Once more"})

        self.assertEqual(first.status_code, 201, first.content)
        self.assertEqual((again.status_code, again.json()["code"]), (409, "already_exists"))
        self.assertEqual(self.client.post(POLICIES, {"name": "x", "severity": "high"}).status_code, 409)

    def test_it_counts_for_the_next_incident(self) -> None:
        policy = SlaPolicy.objects.get(severity=3)
        running = make_incident(severity=3)

        self.client.patch(f"{POLICIES}{policy.pk}/", {"ack_minutes": 7})

        incident = self.client.post("/api/v1/incidents/", {"title": "x", "severity": "high"}).json()
        self.assertEqual(incident["sla"]["ack_due_at"][14:16], f"{(int(incident['created_at'][14:16]) + 7) % 60:02}")
        due = running.ack_due_at
        running.refresh_from_db()
        self.assertEqual(running.ack_due_at, due)

    def test_it_refuses_calendars_that_make_no_sense(self) -> None:
        policy = SlaPolicy.objects.get(severity=3)
        table: list[dict[str, Any]] = [
            {"time_zone": "Mars/Olympus"},
            {"weekdays": [7]},
            {"weekdays": [True]},
            {"weekdays": [1.0]},
            {"weekdays": {}},
            {"weekdays": None},
            {"is_round_the_clock": False, "weekdays": []},
            {"is_round_the_clock": False, "opens_at": "09:00", "closes_at": "09:00"},
            {"holidays": ["2027-02-30"]},
            {"holidays": ["20270101"]},
            {"holidays": {"2027-01-01": 1}},
            {"holidays": "2027-01-01"},
            {"ack_minutes": -1},
            {"ack_minutes": 61, "resolve_minutes": 60},
            {"ack_minutes": 10**7},
            {"severity": "awful"},
        ]
        for change in table:
            with self.subTest(change):
                answer = self.client.patch(f"{POLICIES}{policy.pk}/", change)

                self.assertEqual(answer.status_code, 400)

    def test_it_takes_hours_until_midnight_and_over_it(self) -> None:
        policy = SlaPolicy.objects.get(severity=3)
        hours = {"is_round_the_clock": False, "weekdays": [0, 1, 2, 3, 4, 5, 6]}
        for opens, closes, shown, calendar in (
            ("00:00", "24:00", "24:00:00", "24:00"),
            ("09:00", "24:00:00", "24:00:00", "24:00"),
            ("09:00", "00:00", "24:00:00", "24:00"),
            ("21:00", "02:00", "02:00:00", "02:00"),
            ("09:00", "17:00", "17:00:00", "17:00"),
        ):
            with self.subTest(closes=closes):
                answer = self.client.patch(f"{POLICIES}{policy.pk}/", {**hours, "opens_at": opens, "closes_at": closes})
                again = self.client.put(
                    f"{POLICIES}{policy.pk}/", {k: v for k, v in answer.json().items() if k != "id"}
                )

                policy.refresh_from_db()
                self.assertEqual((answer.status_code, answer.json()["closes_at"]), (200, shown), answer.content)
                self.assertEqual((again.status_code, again.json()), (200, answer.json()))
                self.assertEqual(policy.snapshot()["calendar"]["closes_at"], calendar)
        for closes in ("24:01", "25:00", "midnight", 24):
            answer = self.client.patch(f"{POLICIES}{policy.pk}/", {"closes_at": closes})
            self.assertEqual((answer.status_code, answer.json()["errors"][0]["field"]), (400, "closes_at"))


class CategoryTests(TestCase):
    def test_it_keeps_a_category_that_incidents_name(self) -> None:
        category = make_category()
        make_incident(category=category)

        answer = client_of(make_admin()).delete(f"{CATEGORIES}{category.pk}/")

        self.assertEqual((answer.status_code, answer.json()["code"]), (409, "in_use"))

    def test_it_refuses_a_name_that_is_taken_in_other_case(self) -> None:
        category = make_category()
        body = {"name": category.name.upper(), "slug": "other"}

        answer = client_of(make_admin()).post(CATEGORIES, body)

        self.assertEqual((answer.status_code, answer.json()["errors"][0]["field"]), (400, "name"))

    def test_everybody_reads_them(self) -> None:
        make_category()

        rows = client_of(make_reporter()).get(CATEGORIES, {"ordering": "-name"}).json()["results"]

        self.assertEqual([row["slug"] for row in rows], ["network"])


class TeamsAndServicesTests(TestCase):
    """What teams and services mean to incidents; their own routes are tested in responders."""

    def setUp(self) -> None:
        self.client = client_of(make_admin())

    def assert_in_use(self, path: str) -> None:
        answer = self.client.delete(path)

        self.assertEqual((answer.status_code, answer.json()["code"]), (409, "in_use"))

    def test_it_keeps_a_team_that_incidents_name(self) -> None:
        incident = make_incident(by=make_admin(), team=make_team())

        self.assert_in_use(f"/api/v1/teams/{incident.team_id}/")

    def test_it_keeps_a_service_that_incidents_name(self) -> None:
        service = make_service()
        incident = make_incident(services=[service])

        self.assert_in_use(f"/api/v1/services/{service.pk}/")

        self.assertEqual(list(incident.services.all()), [service])

    def test_it_gives_new_members_the_work_of_their_team(self) -> None:
        team, user = make_team(), make_responder()
        path = f"/api/v1/incidents/{make_incident(by=make_admin(), team=team).pk}/"
        before = client_of(user).patch(path, {"status": "acknowledged"})

        self.client.post(f"/api/v1/teams/{team.pk}/members/", {"user": user.pk})

        after = client_of(User.objects.get(pk=user.pk)).patch(path, {"status": "acknowledged"})
        self.assertEqual((before.status_code, after.status_code), (403, 200))
