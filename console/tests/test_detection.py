import datetime as dt

from django.test import TestCase
from django.urls import reverse
from django.utils import timezone

from console.views.detection import phrase_of
from logs.lines import Line
from logs.models import DetectionRule, Mode
from logs.services.rules import ensure_builtin, save_rule
from logs.tests.factories import make_lines
from logs.vocabulary import Level
from users.models import Role
from users.tests.factories import make_admin, make_responder, make_user

NEW = "console:detection-rule-new"
HOSTILE = "<script>alert(1)</script>"


def given(**changes):
    """The form as a browser sends it."""
    return {
        **{"name": "Refused", "query": "refused", "level": "", "service": "", "mode": "threshold", "threshold": "2"},
        **{"window_seconds": "300", "check_interval_seconds": "60", "group_by": "service", "severity": "high"},
        **{"is_enabled": "on", "hours": "1"},
        **changes,
    }


class RuleTests(TestCase):
    def setUp(self):
        self.client.force_login(make_admin())

    def test_it_stores_and_edits(self):
        response = self.client.post(reverse(NEW), given(level="error"))
        rule = DetectionRule.objects.get(name="Refused")
        edited = self.client.post(
            reverse("console:detection-rule", args=[rule.pk]), given(threshold="9", is_enabled="")
        )

        rule.refresh_from_db()
        self.assertEqual((response.status_code, edited.status_code), (302, 302))
        self.assertEqual((rule.threshold, rule.level, rule.group_by), (9, None, ["service"]))
        self.assertFalse(rule.is_enabled)

    def test_it_says_what_is_wrong(self):
        for changes, field in (
            ({"query": "a OR b"}, "query"),
            ({"query": "level:loud"}, "query"),
            ({"group_by": "colour"}, "group_by"),
            ({"threshold": "0"}, "threshold"),
            ({"name": ""}, "name"),
            ({"window_seconds": "86399", "check_interval_seconds": "2"}, "check_interval_seconds"),
        ):
            with self.subTest(changes=changes):
                saved = self.client.post(reverse(NEW), given(**changes))

                self.assertEqual(saved.status_code, 422)
                self.assertIn(field, saved.context["form"].errors)

    def test_it_shows_what_a_rule_would_have_raised(self):
        at = timezone.now() - dt.timedelta(minutes=20)
        make_lines(*(Line(f"Payment refused {HOSTILE}", at, service="pay") for _n in range(3)), at=at)

        response = self.client.post(reverse(NEW), given(backtest="1"))
        none = self.client.post(reverse(NEW), given(backtest="1", query="nothing"))

        self.assertEqual(len(response.context["result"].alerts), 1)
        self.assertEqual(len(response.context["chart"].hits), 48)
        self.assertContains(response, "It would have raised 1 alert.")
        self.assertNotContains(response, HOSTILE)
        self.assertContains(none, "It would have raised 0 alerts.")
        self.assertFalse(DetectionRule.objects.filter(name="Refused").exists())

    def test_it_begins_with_a_line(self):
        line = make_lines(Line('Payment 4711 of "cart" refused by bank 12', level=Level.ERROR, service="pay"))[0]

        form = self.client.get(f"{reverse(NEW)}?line={line.pk}").context["form"]
        missing = self.client.get(f"{reverse(NEW)}?line=99999999")

        self.assertEqual((form["level"].value(), form["service"].value()), ("error", "pay"))
        self.assertIn("refused by bank", form["query"].value())
        self.assertEqual(missing.status_code, 200)

    def test_it_makes_a_query_that_finds_the_line(self):
        for message in ("took 12 ms", 'say "hi" 4', "C:\\temp\\", "7", "GET /a/b/c?x=1 failed: \\"):
            phrase = phrase_of(message)
            rule = DetectionRule(name="x", query=f'"{phrase}"' if phrase else "")
            line = Line(message)

            with self.subTest(message=message, phrase=phrase):
                self.assertTrue(rule.spec.query.matches(line, message.lower()) or '"' in message)

    def test_it_guards_the_built_in_rule(self):
        rule = ensure_builtin()

        refused = self.client.post(reverse("console:detection-rule", args=[rule.pk]), given())
        kept = self.client.post(reverse("console:detection-rule-delete", args=[rule.pk]))

        self.assertEqual((refused.status_code, kept.status_code), (422, 409))

    def test_it_deletes(self):
        rule = save_rule(DetectionRule(name="Mine", mode=Mode.THRESHOLD))

        self.client.post(reverse("console:detection-rule-delete", args=[rule.pk]))

        self.assertFalse(DetectionRule.objects.filter(pk=rule.pk).exists())

    def test_it_lets_responders_read_and_try_and_admins_write(self):
        rule = save_rule(DetectionRule(name=HOSTILE))
        one = reverse("console:detection-rule", args=[rule.pk])
        urls = [reverse("console:detection-rules"), reverse(NEW), one]
        for role, status in ((Role.REPORTER, 403), (Role.RESPONDER, 200), (Role.ADMIN, 200)):
            self.client.force_login(make_user(role=role))
            for url in urls:
                response = self.client.get(url)
                self.assertEqual(response.status_code, status, (role, url))
                self.assertNotIn(HOSTILE.encode(), response.content)
        self.client.force_login(make_responder())
        delete = reverse("console:detection-rule-delete", args=[rule.pk])
        tried, saved, deleted = (
            self.client.post(one, given(backtest="1")),
            self.client.post(one, given()),
            self.client.post(delete),
        )
        self.assertEqual([tried.status_code, saved.status_code, deleted.status_code], [200, 403, 403])
