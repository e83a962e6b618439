import re

from django.test import TestCase
from django.urls import reverse

from alerts.models import Heartbeat
from alerts.tests.factories import make_route, make_silence, make_source
from core.severity import Severity
from incidents.models import ReportRule
from incidents.tests.factories import make_team
from logs.tests.rules import make_rule
from reviews.tests.factories import make_rule as make_review_rule
from users.tests.factories import make_admin

SEEN = re.compile(r'name="seen" value="(\w+)"')


class SeenTests(TestCase):
    """Two administrators have the same form open; the second one hears of it before anything of the first is lost."""

    def setUp(self) -> None:
        self.client.force_login(make_admin())
        source = make_source()
        self.rows = {
            "console:route": make_route(),
            "console:source-edit": source,
            "console:heartbeat": Heartbeat.objects.create(source=source, name="backup"),
            "console:detection-rule": make_rule(),
            "console:report-rule": ReportRule.objects.create(name="Leaks", severity=Severity.HIGH, words=["leak"]),
            "console:review-rule": make_review_rule(),
            "console:silence-edit": make_silence(("host", "=", "db-3")),
        }

    def test_it_says_once_that_somebody_changed_it(self) -> None:
        for name, row in self.rows.items():
            with self.subTest(name):
                address = reverse(name, args=[row.pk])
                page = self.client.get(address)
                given = {"seen": "0" * 64, **_given(page.context["form"])}

                refused = self.client.post(address, given)

                self.assertContains(refused, "Somebody changed this", status_code=refused.status_code)
                again = SEEN.search(refused.content.decode())[1]
                self.assertEqual(again, SEEN.search(page.content.decode())[1])
                second = self.client.post(address, {**given, "seen": again}, follow=True)
                self.assertNotIn("Somebody changed this", second.content.decode())


def _given(form):
    return {name: value for name, value in form.initial.items() if isinstance(value, str | int) and name != "seen"}


class RetiredTests(TestCase):
    def test_it_keeps_a_retired_choice_in_sight_and_clears_nothing(self) -> None:
        team = make_team("Night shift")
        route = make_route(name="Disks", team=team)
        type(team).objects.filter(pk=team.pk).update(is_active=False)
        self.client.force_login(make_admin())
        address = reverse("console:route", args=[route.pk])

        page = self.client.get(address)
        given = _given(page.context["form"])
        refused = self.client.post(address, given | {"name": "Disks of all"})

        self.assertContains(page, "Night shift (retired)")
        self.assertTrue(refused.context["form"].errors["team"])
        route.refresh_from_db()
        self.assertEqual((route.team, route.name), (team, "Disks"))
