from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from incidents.models import ReportRule
from incidents.tests.factories import make_category, make_service, make_team
from users.tests.factories import make_admin, make_reporter, make_responder

RULES = "/settings/report-rules/"


class ReportRulePageTests(TestCase):
    def setUp(self) -> None:
        self.client.force_login(make_admin())
        self.team = make_team("Plumbing")

    def rule(self, name: str, **fields: object) -> ReportRule:
        return ReportRule.objects.create(**{"name": name, "severity": 2, "position": 9, **fields})

    def test_it_is_for_administrators(self) -> None:
        rule = self.rule("Water")
        paths = [RULES, f"{RULES}new/", f"{RULES}{rule.pk}/", f"{RULES}{rule.pk}/delete/", f"{RULES}order/"]
        for user in (make_reporter(), make_responder()):
            self.client.force_login(user)
            for path in paths:
                with self.subTest(path, role=user.role):
                    self.assertEqual(self.client.get(path).status_code, 403)
                    self.assertEqual(self.client.post(path, {"name": "x"}).status_code, 403)
        self.assertEqual(ReportRule.objects.get().name, "Water")

    def test_it_makes_changes_and_deletes_a_rule(self) -> None:
        make_category(), make_service()
        form = {
            **{"name": "Water", "is_enabled": "on", "words": "leak\n water  damage \n", "location": "Bern"},
            **{"category": "network", "service": "payments", "team": self.team.pk, "severity": "high"},
        }

        self.client.post(f"{RULES}new/", form)

        rule = ReportRule.objects.get()
        self.assertEqual((rule.words, rule.team, rule.severity), (["leak", "water damage"], self.team, 3))
        self.assertContains(self.client.get(f"{RULES}{rule.pk}/"), "water damage")
        self.client.post(f"{RULES}{rule.pk}/", {**form, "name": "Wet", "is_enabled": "", "service": ""})
        rule.refresh_from_db()
        self.assertEqual((rule.name, rule.is_enabled, rule.service), ("Wet", False, None))
        self.client.post(f"{RULES}{rule.pk}/delete/")
        self.assertFalse(ReportRule.objects.exists())

    def test_it_says_what_is_wrong(self) -> None:
        answer = self.client.post(f"{RULES}new/", {"name": "Water", "words": "?!", "location": "--"})

        self.assertEqual(answer.status_code, 422)
        self.assertTrue(set(answer.context["form"].errors) & {"words", "location"})
        self.assertContains(
            self.client.post(f"{RULES}new/", {"name": "Water"}), "Choose a team, a severity or both.", status_code=422
        )
        self.assertEqual(self.client.get(f"{RULES}999/").status_code, 404)

    def test_it_moves_rules(self) -> None:
        one, two = self.rule("One", position=0), self.rule("Two", position=1)

        self.client.post(reverse("console:report-rule-order"), {"ids": [one.pk, two.pk], "up": two.pk})
        self.assertEqual([rule.name for rule in ReportRule.objects.all()], ["Two", "One"])

        dragged = self.client.post(
            reverse("console:report-rule-order"), {"ids": [one.pk, two.pk]}, headers={"HX-Request": "true"}
        )
        self.assertEqual((dragged.status_code, ReportRule.objects.all()[0].name), (204, "One"))

    def test_it_tries_a_report(self) -> None:
        self.rule("Water", words=["leak"], team=self.team, severity=4)
        self.rule("Everything")

        page = self.client.get(RULES, {"title": "A leak"})

        self.assertContains(page, "gives the team")
        self.assertContains(page, "an earlier rule decided")
        self.assertContains(self.client.get(RULES, {"title": "Fire"}), "None of the words.")
        self.assertContains(self.client.get(RULES, {"title": "Fire"}), "there is no default team")

    def test_it_shows_what_people_wrote_as_text(self) -> None:
        self.rule("Odd & <b>bold</b>", words=["<script>x</script>"], location="<img src=x>")

        page = self.client.get(RULES)

        self.assertNotContains(page, "<script>x")
        self.assertNotContains(page, "<img src=x")

    def test_it_asks_a_constant_number_of_questions(self) -> None:
        def count() -> int:
            with CaptureQueriesContext(connection) as queries:
                self.client.get(RULES, {"title": "A leak"})
            return len(queries)

        self.rule("One", team=self.team)
        before = count()
        for number in range(9):
            self.rule(f"Rule {number}", team=self.team)
        self.assertEqual(count(), before)
        self.assertLessEqual(before, 16)
