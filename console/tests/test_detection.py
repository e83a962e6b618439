import datetime as dt
from unittest import mock

from django.test import TestCase, override_settings
from django.urls import reverse
from django.utils import timezone

from console.views.detection import phrase_of
from integrations.splunk.store import STORE
from logs.lines import Line
from logs.models import DetectionRule, Mode
from logs.services.rules import ensure_builtin, save_rule
from logs.sources import outside
from logs.sources.outside import Row, StoreFailed
from logs.tests.factories import make_lines
from logs.tests.stores import make_outside_rule, serve
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
        near = self.client.post(reverse(NEW), given(backtest="1", threshold="5"))

        self.assertEqual(len(response.context["result"].alerts), 1)
        self.assertEqual(len(response.context["chart"].hits), 48)
        self.assertContains(response, "It would have raised 1 alert.")
        self.assertNotContains(response, HOSTILE)
        self.assertContains(none, "It would have raised 0 alerts.")
        self.assertContains(near, "The most in one window was 3, of 5 that raise an alert.")
        self.assertNotContains(response, "The most in one window was")
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


class OutsideTests(TestCase):
    def setUp(self):
        self.store = serve(self, "splunk")
        self.client.force_login(make_admin())

    def outside(self, **changes):
        return given(store="splunk", query="failed", level="error", mode="immediate", window_seconds="", **changes)

    def test_it_stores_a_rule_over_another_store(self):
        response = self.client.post(reverse(NEW), self.outside(group_by="errorCode"))

        rule = DetectionRule.objects.get(name="Refused")
        self.assertEqual(response.status_code, 302)
        self.assertEqual((rule.store, rule.window_seconds, rule.group_by), ("splunk", 60, ["errorCode"]))
        self.assertEqual((rule.level, rule.mode), (None, Mode.THRESHOLD))

    def test_it_names_the_language_of_each_store_beside_its_example(self):
        with mock.patch.dict(outside._stores, {"splunk": STORE}):
            page = self.client.get(reverse(NEW))

        self.assertContains(page, '<div data-of-store="splunk"><dt>Splunk (SPL)</dt><dd><code>index=main level=ERROR')
        self.assertContains(page, '<span class="only-elsewhere">In the store&#x27;s own language, such as:</span>')
        self.assertNotContains(page, "Lines that contain")
        self.assertTrue(all(store.language for store in outside.stores() if store.kind != "splunk"))

    def test_a_query_keeps_its_lines(self):
        query = "index=main level=ERROR\r\n| stats count by host"
        self.client.post(reverse(NEW), {**self.outside(), "query": query})

        rule = DetectionRule.objects.get(name="Refused")
        self.assertEqual(rule.query, "index=main level=ERROR\n| stats count by host")
        page = self.client.get(reverse("console:detection-rule", args=[rule.pk]))
        self.assertContains(page, "index=main level=ERROR\n| stats count by host</textarea>")

    def test_it_says_which_setting_is_missing(self):
        self.store.reason = "Set SPLUNK_URL."

        response = self.client.post(reverse(NEW), self.outside())

        self.assertContains(response, "Set SPLUNK_URL.", status_code=422)
        self.assertContains(response, "(not set up)", status_code=422)

    def test_it_asks_for_the_window_of_our_own_lines(self):
        response = self.client.post(reverse(NEW), given(window_seconds=""))

        self.assertEqual((response.status_code, set(response.context["form"].errors)), (422, {"window_seconds"}))

    def test_it_tries_a_rule_in_its_store(self):
        now = timezone.now()
        self.store.rows = [Row({}, "it failed", now - dt.timedelta(minutes=20))] * 3

        found = self.client.post(reverse(NEW), self.outside(backtest="1"))
        self.store.troubles = [StoreFailed("Splunk is away.")] * 4
        away = self.client.post(reverse(NEW), self.outside(backtest="1"))

        self.assertContains(found, "It would have raised 1 alert.")
        self.assertEqual(found.context["result"].windows, 60)
        self.assertContains(away, "Splunk is away.", status_code=422)

    def test_it_lets_responders_try_saved_rules_alone(self):
        rule = make_outside_rule(store="splunk")
        self.client.force_login(make_responder())
        page = reverse("console:detection-rule", args=[rule.pk])
        form = self.client.get(page).context["form"]
        saved = {name: value for name, value in form.initial.items() if value not in (None, False)}
        saved = {**saved, "group_by": "", "hours": "1", "backtest": "1", "seen": ""}

        same = self.client.post(page, saved)
        changed = self.client.post(page, {**saved, "query": "| rest /services"})

        self.assertEqual((same.status_code, changed.status_code), (200, 422))
        self.assertContains(changed, "Only administrators can try unsaved queries", status_code=422)
        self.assertNotIn("| rest", "".join(query for query, _since, _until in self.store.searches))

    def test_it_shows_that_searches_fail(self):
        rule = make_outside_rule(store="splunk")
        DetectionRule.objects.filter(pk=rule.pk).update(
            is_failing=True, failing_since=timezone.now(), last_error=f"Splunk is away. {HOSTILE}"
        )

        for page in (reverse("console:detection-rules"), reverse("console:detection-rule", args=[rule.pk])):
            response = self.client.get(page)
            with self.subTest(page):
                self.assertContains(response, "Splunk is away.")
                self.assertNotContains(response, HOSTILE)

    @override_settings(SPLUNK_URL="https://splunk.test:8089", SPLUNK_TOKEN="token")
    def test_it_begins_with_a_template(self):
        with mock.patch.dict(outside._stores, {"splunk": STORE}):
            offered = self.client.get(reverse(NEW))
            form = self.client.get(f"{reverse(NEW)}?template=splunk.cloudtrail_errors").context["form"]
        hidden = self.client.get(reverse(NEW))

        self.assertContains(offered, "?template=splunk.error_rate")
        self.assertNotContains(hidden, "?template=")
        self.assertEqual((form.initial["store"], form.initial["name"]), ("splunk", "CloudTrail errors"))
        self.assertIn("sourcetype=aws:cloudtrail", form.initial["query"])
