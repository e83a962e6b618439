from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from notifications.models import NotificationRule
from notifications.services.readiness import unready_people
from notifications.tests.factories import make_method
from notifications.vocabulary import MethodState
from responders.models import EscalationPolicy
from responders.tests.schedules import make_team
from tests.reported import reported_failure
from users.models import Role
from users.tests.factories import client_of, make_admin, make_responder


def policy_of(*users: object) -> EscalationPolicy:
    targets = [{"kind": "user", "id": user.pk} for user in users]
    return EscalationPolicy.objects.create(name="Night", steps=[{"delay_minutes": 0, "targets": targets}])


class ReadinessTests(TestCase):
    def setUp(self) -> None:
        self.admin = make_admin()
        self.people = {name: make_responder(name=name) for name in ("Ana", "Ben", "Cleo", "Dan", "Eve", "Fay")}
        policy_of(*self.people.values())
        ana, _ben, cleo, dan, eve, fay = self.people.values()
        make_method(ana, "email", f"{ana.name}.of@example.org", state=MethodState.OK)
        make_method(cleo, "email", f"{cleo.name}.of@example.org", state=MethodState.UNVERIFIED)
        make_method(dan, "email", f"{dan.name}.of@example.org", state=MethodState.DISABLED, reason="User unknown")
        make_method(eve, "email", f"{eve.name}.of@example.org", state=MethodState.FAILING, reason="Greylisted")
        lost = make_method(fay, "email", f"{fay.name}.of@example.org", state=MethodState.OK)
        NotificationRule.objects.create(
            user=fay, importance="high", steps=[{"method": lost.pk + 1000, "delay_minutes": 0}]
        )

    @reported_failure(14)
    def test_it_lists_whom_nobody_can_reach_and_why(self) -> None:
        found = client_of(self.admin).get("/api/v1/readiness/").json()["results"]

        codes = {one["user"]["name"]: (one["code"], one["is_warning"]) for one in found}
        self.assertEqual(
            codes,
            {
                "Ben": ("no_method", False),
                "Cleo": ("no_verified_method", False),
                "Dan": ("no_verified_method", False),
                "Eve": ("all_failing", True),
                "Fay": ("rule_broken", True),
            },
        )
        self.assertEqual(found[0]["where"], ["policy Night"])
        self.assertIn("User unknown", next(one["reason"] for one in found if one["user"]["name"] == "Dan"))

    def test_it_reads_the_teams_of_all_policies_at_once(self) -> None:
        gil = make_responder(name="Gil")
        team = make_team("Database", gil)
        with CaptureQueriesContext(connection) as before:
            unready_people(timezone.now())
        for number in range(5):
            steps = [{"delay_minutes": 0, "targets": [{"kind": "team", "id": team.pk}]}]
            EscalationPolicy.objects.create(name=f"Day {number}", steps=steps)

        with self.assertNumQueries(len(before) + 1):  # the memberships
            found = unready_people(timezone.now())

        self.assertIn(
            (gil, tuple(f"policy Day {number}" for number in range(5))), [(one.user, one.where) for one in found]
        )

    def test_it_names_deactivated_people(self) -> None:
        ana = self.people["Ana"]
        ana.is_active = False
        ana.save(update_fields=["is_active"])

        found = client_of(self.admin).get("/api/v1/readiness/").json()["results"]

        self.assertIn(("Ana", "inactive"), [(one["user"]["name"], one["code"]) for one in found])

    def test_it_names_reporters_who_are_never_paged(self) -> None:
        ana = self.people["Ana"]
        ana.role = Role.REPORTER
        ana.save(update_fields=["role"])

        found = client_of(self.admin).get("/api/v1/readiness/").json()["results"]

        self.assertIn(("Ana", "reporter"), [(one["user"]["name"], one["code"]) for one in found])

    def test_it_shows_them_in_the_back_office(self) -> None:
        self.client.force_login(self.admin)

        home = self.client.get(reverse("admin:index"))
        page = self.client.get(reverse("admin:notifications_contactmethod_changelist"))

        self.assertContains(home, "3 people on call cannot be reached")
        self.assertContains(page, "No contact method.")
        self.assertContains(page, "A…@example.org")
        self.assertNotRegex(page.content.decode(), r"\.of@")
