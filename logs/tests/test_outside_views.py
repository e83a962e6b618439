"""Rules over outside stores over REST and in the back office."""

from django.test import TestCase, override_settings
from django.urls import reverse

from logs.models import DetectionRule
from logs.monitoring import collect
from logs.services import searching
from logs.sources.outside import Found, Limits, Row, StoreFailed
from logs.tests.rules import START, after
from logs.tests.stores import make_outside_rule, serve
from logs.tests.test_searching import DUE, WRONG, begin
from tests.people import signed_in
from users.tests.factories import make_admin, make_responder

URL = "/api/v1/detection-rules/"
RULE = {"name": "Errors", "store": "splunk", "query": "failed", "threshold": 2, "check_interval_seconds": 120}
RANGE = {"since": START.isoformat(), "until": after(600).isoformat()}


class OutsideRuleTests(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        cls.admin, cls.responder = signed_in(make_admin()), signed_in(make_responder())

    def setUp(self) -> None:
        self.store = serve(self, "splunk")

    def test_it_makes_windows_that_follow_each_other_unless_told_otherwise(self):
        made = self.admin.post(URL, RULE, "json")
        longer = self.admin.post(URL, {**RULE, "name": "Longer", "window_seconds": 600}, "json")

        self.assertEqual((made.status_code, made.json()["store"], made.json()["window_seconds"]), (201, "splunk", 120))
        self.assertEqual(longer.json()["window_seconds"], 600)

    def test_it_says_what_is_wrong_and_which_setting_is_missing(self):
        for changes, field in (
            ({"level": "error"}, "level"),
            ({"service": "pay"}, "service"),
            ({"mode": "immediate"}, "mode"),
            ({"query": ""}, "query"),
            ({"store": "elsewhere"}, "store"),
        ):
            with self.subTest(changes):
                response = self.admin.post(URL, {**RULE, **changes}, "json")

                self.assertEqual(
                    (response.status_code, [one["field"] for one in response.json()["errors"]]), (400, [field])
                )
        self.store.reason = "Set SPLUNK_URL."
        self.assertIn("Set SPLUNK_URL.", self.admin.post(URL, RULE, "json").content.decode())

    def test_it_shows_that_searches_fail(self):
        rule = make_outside_rule(store="splunk")
        begin(rule)
        self.store.troubles = [WRONG]
        searching.run_due(after(DUE))

        shown = self.responder.get(f"{URL}{rule.pk}/").json()
        failing = {sample.labels["store"]: sample.value for family in collect() for sample in family.samples}

        self.assertEqual((shown["is_failing"], shown["last_error"]), (True, WRONG.message))
        self.assertEqual(shown["failing_since"][:16], "2026-11-21T10:02")
        self.assertEqual(failing["splunk"], 1)

    def test_it_backtests_window_by_window(self):
        self.store.add(61, 62, 121, 122, 123, 300)
        rule = make_outside_rule(store="splunk", name="Errors")

        found = self.responder.post(f"{URL}{rule.pk}/backtest/", RANGE, "json").json()

        self.assertEqual((found["windows"], found["lines_read"], found["is_truncated"]), (11, 6, False))
        self.assertEqual((found["peak"], found["threshold"]), (3, 2))
        alert = found["alerts"][0]
        self.assertEqual((len(found["alerts"]), alert["windows"], alert["peak"]), (1, 2, 3))
        self.assertEqual((alert["starts_at"], alert["ends_at"]), ("2026-11-21T10:02:00Z", "2026-11-21T10:04:00Z"))
        self.assertEqual(DetectionRule.objects.get(pk=rule.pk).state, {})

    def test_it_ends_no_group_of_a_backtest_by_a_cut_answer(self):
        self.store.add(61, 62, host="a")
        self.store.add(*[121] * (Limits().rows + 1), host="b")
        rule = make_outside_rule(store="splunk", group_by=["host"])

        found = self.responder.post(f"{URL}{rule.pk}/backtest/", RANGE, "json").json()

        ends = {alert["group"]["host"]: alert["ends_at"] for alert in found["alerts"]}
        self.assertEqual(ends, {"a": "2026-11-21T10:04:00Z", "b": "2026-11-21T10:04:00Z"})

    def test_it_says_when_the_store_fails_or_cuts_a_backtest(self):
        rule = make_outside_rule(store="splunk")
        self.store.troubles = [StoreFailed("Splunk is away.")] * 4
        away = self.responder.post(f"{URL}{rule.pk}/backtest/", RANGE, "json")
        self.store.troubles = [Found([Row({}, "failed", None)], is_cut=True)] * 4
        cut = self.responder.post(f"{URL}{rule.pk}/backtest/", RANGE, "json").json()

        self.assertEqual((away.status_code, away.json()["code"]), (400, "store_failed"))
        self.assertIn("Splunk is away.", away.json()["detail"])
        self.assertEqual((cut["is_truncated"], cut["windows"]), (True, 0))

    def test_it_lets_administrators_alone_try_unsaved_queries(self):
        self.store.add(61, 62)

        tried = self.admin.post(f"{URL}backtest/", {**RULE, **RANGE}, "json")
        refused = self.responder.post(f"{URL}backtest/", {**RULE, **RANGE}, "json")

        self.assertEqual((tried.status_code, len(tried.json()["alerts"])), (200, 1))
        self.assertEqual(refused.status_code, 403)

    def test_it_shows_in_the_back_office_that_searches_fail(self):
        rule = make_outside_rule(store="splunk")
        begin(rule)
        self.store.troubles = [WRONG]
        searching.run_due(after(DUE))
        self.client.force_login(make_admin())

        pages = [
            self.client.get(reverse("admin:logs_detectionrule_changelist")),
            self.client.get(reverse("admin:logs_detectionrule_change", args=[rule.pk])),
        ]

        self.assertContains(pages[0], "searches fail")
        self.assertContains(pages[1], WRONG.message)


@override_settings(SPLUNK_URL="https://splunk.test:8089", SPLUNK_TOKEN="token")
class TemplateTests(TestCase):
    def test_it_offers_rules_that_can_be_sent_as_they_are(self):
        admin, responder = signed_in(make_admin()), signed_in(make_responder())

        found = responder.get(f"{URL}templates/").json()["templates"]
        mine = [one for one in found if one["store"] == "splunk"]
        made = [admin.post(URL, one["rule"], "json") for one in mine]

        self.assertEqual([one["key"] for one in mine], ["error_rate", "cloudtrail_errors"])
        self.assertEqual([one.status_code for one in made], [201, 201])
        self.assertEqual(made[1].json()["group_by"], ["errorCode", "eventName"])
        self.assertEqual({one["unusable_because"] for one in mine}, {""})
        with self.settings(SPLUNK_TOKEN=""):
            unusable = responder.get(f"{URL}templates/").json()["templates"]
        self.assertIn("SPLUNK_TOKEN", next(one for one in unusable if one["store"] == "splunk")["unusable_because"])
