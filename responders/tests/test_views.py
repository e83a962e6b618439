from typing import Any

from auditlog.models import LogEntry
from django.test import TestCase

from responders.models import Membership, Team
from users.tests.factories import client_of, make_admin, make_responder

TEAMS = "/api/v1/teams/"
SERVICES = "/api/v1/services/"


class TeamTests(TestCase):
    def setUp(self) -> None:
        self.admin = make_admin()
        self.client = client_of(self.admin)

    def test_it_lives_from_creation_to_deletion(self) -> None:
        created = self.client.post(TEAMS, {"name": "Database", "description": "Keeps data"})
        path = f"{TEAMS}{created.json()['id']}/"
        renamed = self.client.patch(path, {"name": "Storage"})

        self.assertEqual((created.status_code, created.json()["members"]), (201, []))
        self.assertEqual((renamed.json()["name"], renamed.json()["description"]), ("Storage", "Keeps data"))
        self.assertEqual(self.client.delete(path).status_code, 204)
        self.assertEqual(self.client.get(path).status_code, 404)

    def test_it_refuses_a_name_that_is_taken(self) -> None:
        Team.objects.create(name="Database")

        answer = self.client.post(TEAMS, {"name": "Database"})

        self.assertEqual((answer.status_code, answer.json()["errors"][0]["field"]), (400, "name"))

    def test_it_refuses_a_name_that_is_taken_in_other_case(self) -> None:
        for name in ("Database", "Zürich"):
            Team.objects.create(name=name)
        own = f"{TEAMS}{Team.objects.get(name='Zürich').pk}/"

        for answer in (self.client.post(TEAMS, {"name": "ZÜRICH"}), self.client.patch(own, {"name": "dataBASE"})):
            self.assertEqual((answer.status_code, answer.json()["errors"][0]["field"]), (400, "name"))
            self.assertEqual(answer.json()["errors"][0]["code"], "unique")
        self.assertEqual(self.client.patch(own, {"name": "zürich"}).status_code, 200)

    def test_it_says_who_changed_what(self) -> None:
        pk = self.client.post(TEAMS, {"name": "Database"}).json()["id"]

        record = LogEntry.objects.get_for_object(Team.objects.get(pk=pk)).first()

        self.assertEqual(record.actor if record else None, self.admin)

    def test_it_does_a_repeat_once(self) -> None:
        first, again = (
            self.client.post(TEAMS, {"name": "Database"}, headers={"Idempotency-Key": "once"}) for _time in range(2)
        )

        self.assertEqual((again.status_code, again.content), (201, first.content))


class MemberTests(TestCase):
    def setUp(self) -> None:
        self.client = client_of(make_admin())
        self.team, self.user = Team.objects.create(name="Database"), make_responder(name="Bob")
        self.path = f"{TEAMS}{self.team.pk}/members/"

    def add(self, user: Any, **options: Any) -> Any:
        return self.client.post(self.path, {"user": user}, **options)

    def test_it_takes_people_in_once(self) -> None:
        first, again = self.add(self.user.pk), self.add(self.user.pk)

        member = {"id": self.user.pk, "name": "Bob"}
        self.assertEqual((first.status_code, first.json()), (201, member))
        self.assertEqual((again.status_code, again.json()), (200, member))
        self.assertEqual(self.client.get(self.path).json()["results"], [member])
        self.assertEqual(self.client.get(f"{TEAMS}{self.team.pk}/").json()["members"], [member])

    def test_it_lets_people_go(self) -> None:
        self.add(self.user.pk)

        self.assertEqual(self.client.delete(f"{self.path}{self.user.pk}/").status_code, 204)
        self.assertEqual(self.client.delete(f"{self.path}{self.user.pk}/").status_code, 404)
        self.assertFalse(Membership.objects.exists())

    def test_it_refuses_who_is_not_there(self) -> None:
        gone = make_responder(is_active=False)
        for user in (0, gone.pk, None, "x", 2**63):
            with self.subTest(user=user):
                self.assertEqual(self.add(user).status_code, 400)
        self.assertEqual(self.client.post(f"{TEAMS}0/members/", {"user": self.user.pk}).status_code, 404)


class ServiceTests(TestCase):
    def setUp(self) -> None:
        self.client = client_of(make_admin())

    def test_it_names_the_team_that_answers(self) -> None:
        team = Team.objects.create(name="Database")

        created = self.client.post(SERVICES, {"name": "Payments", "slug": "payments", "team": team.pk})

        self.assertEqual((created.status_code, created.json()["team"]), (201, team.pk))
        self.assertEqual(self.client.get(SERVICES).json()["results"], [created.json()])

    def test_it_wants_a_slug_for_programs(self) -> None:
        for slug in ("", "a b", "ü", "x" * 101, None):
            with self.subTest(slug=slug):
                self.assertEqual(self.client.post(SERVICES, {"name": "Payments", "slug": slug}).status_code, 400)

    def test_it_refuses_a_slug_that_is_taken_in_other_case(self) -> None:
        self.client.post(SERVICES, {"name": "Payments", "slug": "payments"})

        answer = self.client.post(SERVICES, {"name": "Others", "slug": "Payments"})

        self.assertEqual((answer.status_code, answer.json()["errors"][0]["field"]), (400, "slug"))
