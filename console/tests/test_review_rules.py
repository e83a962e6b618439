from django.test import TestCase

from core.severity import Severity
from incidents.tests.factories import make_team
from reviews.models import ReviewRule
from reviews.tests.factories import make_rule
from users.tests.factories import make_admin, make_reporter, make_responder

RULES = "/settings/review-rules/"


class ReviewRulePageTests(TestCase):
    def setUp(self) -> None:
        self.client.force_login(make_admin())

    def test_it_is_for_administrators(self) -> None:
        rule = make_rule(name="Grave ones")
        paths = [RULES, f"{RULES}new/", *(f"{RULES}{rule.pk}/{end}" for end in ("", "switch/", "delete/"))]
        for user in (make_reporter(), make_responder()):
            self.client.force_login(user)
            for path in paths:
                with self.subTest(path, role=user.role):
                    self.assertEqual(self.client.post(path, {"name": "x"}).status_code, 403)
        self.assertEqual(ReviewRule.objects.get().name, "Grave ones")

    def test_it_makes_changes_switches_and_deletes_a_rule(self) -> None:
        team = make_team("Plumbing")
        form = {"name": "Floods", "min_severity": "high", "team": team.pk, "within_days": "3", "is_enabled": "on"}

        self.client.post(f"{RULES}new/", form)

        rule = ReviewRule.objects.get()
        self.assertEqual((rule.min_severity, rule.team, rule.within_days), (Severity.HIGH, team, 3))
        self.assertContains(self.client.get(RULES), "Floods")
        self.client.post(f"{RULES}{rule.pk}/", {**form, "name": "Fires", "team": ""})
        self.client.post(f"{RULES}{rule.pk}/switch/", {"is_enabled": "false"})
        rule.refresh_from_db()
        self.assertEqual((rule.name, rule.team, rule.is_enabled), ("Fires", None, False))
        self.client.post(f"{RULES}{rule.pk}/switch/", {"is_enabled": "true"})
        rule.refresh_from_db()
        self.assertTrue(rule.is_enabled)
        self.client.post(f"{RULES}{rule.pk}/delete/")
        self.assertFalse(ReviewRule.objects.exists())

    def test_it_says_what_is_wrong(self) -> None:
        make_rule(name="Floods")
        form = {"name": "floods", "min_severity": "high", "team": "", "within_days": "3"}

        taken = self.client.post(f"{RULES}new/", form)
        never = self.client.post(f"{RULES}new/", {**form, "name": "New", "within_days": "0"})

        self.assertEqual((taken.status_code, set(taken.context["form"].errors)), (422, {"name"}))
        self.assertEqual((never.status_code, set(never.context["form"].errors)), (422, {"within_days"}))
        self.assertEqual(self.client.get(f"{RULES}999/").status_code, 404)
