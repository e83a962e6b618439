"""Detection rules over REST: what is taken, what is refused, trying them out."""

import datetime as dt
from typing import Any
from unittest import mock

from auditlog.models import LogEntry as AuditEntry
from django.core import checks
from django.test import TestCase

from alerts.models import Alert
from intake.models import IntakeEvent
from logs.lines import Line
from logs.models import DetectionRule, Mode
from logs.services import rules
from logs.services.storing import store
from logs.tests.rules import START, after, make_rule, write
from logs.vocabulary import Level
from tests.people import signed_in
from users.tests.factories import make_admin, make_responder

URL = "/api/v1/detection-rules/"
RULE = {"name": "Errors", "level": "error", "threshold": 2, "window_seconds": 60, "check_interval_seconds": 60}


class RuleViewTests(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        cls.admin, cls.responder = signed_in(make_admin()), signed_in(make_responder())

    def test_it_makes_shows_changes_and_deletes_a_rule(self):
        made = self.admin.post(URL, {**RULE, "query": "timeout", "group_by": ["service"], "severity": "high"}, "json")
        one = f"{URL}{made.json()['id']}/"
        changed = self.admin.patch(one, {"level": None, "threshold": 7}, "json")
        shown = self.responder.get(one)
        deleted = self.admin.delete(one)

        self.assertEqual((made.status_code, made.json()["level"], made.json()["is_builtin"]), (201, "error", False))
        self.assertEqual((changed.status_code, shown.json()["level"], shown.json()["threshold"]), (200, None, 7))
        self.assertEqual((deleted.status_code, self.admin.get(one).status_code), (204, 404))

    def test_it_tells_of_a_query_that_was_stored_before_it_was_refused(self):
        rule = make_rule(name="Looks back")
        DetectionRule.objects.filter(pk=rule.pk).update(query="/(?<=a)b/")

        said = [(str(one), "look-behind" in why) for one, why in rules.faulty_rules()]
        tried = self.responder.post(f"{URL}{rule.pk}/backtest/", {}, "json")
        checked = [message.msg for message in checks.run_checks(tags=["database"], databases=["default"])]

        self.assertEqual(said, [("Looks back", True)])
        self.assertEqual((tried.status_code, "look-behind" in tried.json()["detail"]), (400, True))
        self.assertEqual(len(checked), 1)

    def test_it_ends_a_test_that_takes_too_long(self):
        write(*[number / 10 for number in range(300)])
        rule = make_rule(query="/x/")
        with mock.patch("logs.services.backtesting.MAX_SECONDS", -1.0):
            given = {"since": after(-600).isoformat(), "until": after(600).isoformat()}
            answer = self.responder.post(f"{URL}{rule.pk}/backtest/", given, "json")

        self.assertEqual((answer.status_code, answer.json()["is_truncated"]), (200, True))

    def test_it_refuses_what_cannot_be_evaluated(self):
        for field, value in [
            ("query", "/[/"),
            ("query", '"no end'),
            ("level", "dire"),
            ("group_by", ["colour"]),
            ("group_by", ["service", "service"]),
            ("group_by", "service"),
            ("threshold", 0),
            ("window_seconds", 0),
            ("check_interval_seconds", 86_401),
            ("severity", "dire"),
            ("store", "elsewhere"),
            ("mode", "never"),
        ]:
            with self.subTest(f"{field}={value}"):
                response = self.admin.post(URL, {**RULE, field: value}, "json")

                self.assertEqual(response.status_code, 400)
                self.assertTrue(response.json()["errors"][0]["field"].startswith(field), response.json())

    def test_it_refuses_windows_of_too_many_steps(self):
        response = self.admin.post(URL, {**RULE, "window_seconds": 86_399, "check_interval_seconds": 60}, "json")

        self.assertEqual(response.json()["errors"][0]["field"], "check_interval_seconds")

    def test_it_refuses_a_name_that_is_taken_but_for_its_case(self):
        self.admin.post(URL, RULE, "json")

        response = self.admin.post(URL, {**RULE, "name": "ERRORS"}, "json")

        self.assertEqual((response.status_code, response.json()["errors"][0]["field"]), (400, "name"))

    def test_it_lets_the_built_in_rule_be_tuned_and_no_more(self):
        one = f"{URL}{rules.ensure_builtin().pk}/"
        tuned = {"level": "error", "service": "pay", "severity": "high", "is_enabled": False, "group_by": ["host"]}

        answers = [
            self.admin.patch(one, body, "json").status_code for body in (tuned, {"query": "x"}, {"window_seconds": 5})
        ]
        shown = self.admin.get(one).json()
        again = self.admin.put(one, {**shown, **RULE, "name": shown["name"]}, "json")

        self.assertEqual(answers, [200, 409, 409])
        self.assertEqual(self.admin.delete(one).json()["code"], "built_in")
        self.assertEqual(again.status_code, 409)
        self.assertEqual({name: shown[name] for name in tuned}, tuned)

    def test_it_audits_who_changed_what_and_not_what_machines_note(self):
        made = self.admin.post(URL, RULE, "json").json()
        write(1, 2)
        AuditEntry.objects.all().delete()

        self.admin.patch(f"{URL}{made['id']}/", {"threshold": 3}, "json")

        entry = AuditEntry.objects.get_for_model(DetectionRule).get()
        self.assertEqual((list(entry.changes), entry.actor.is_admin), (["threshold"], True))


class BacktestTests(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        cls.admin, cls.responder = signed_in(make_admin()), signed_in(make_responder())
        rules.clear_cache()

    def setUp(self) -> None:
        write(61, 62, 63, service="pay", message="timeout 1")
        write(121, 122, service="pay", message="timeout 2")
        write(121, service="mail", message="timeout 3")
        self.range = {"since": START.isoformat(), "until": after(600).isoformat()}

    def test_it_tells_what_a_stored_rule_would_have_raised(self):
        rule = make_rule(name="Timeouts", query="timeout", group_by=["service"])

        response = self.responder.post(f"{URL}{rule.pk}/backtest/", self.range, "json")

        found = response.json()
        self.assertEqual((response.status_code, found["windows"], found["lines_read"]), (200, 11, 6))
        self.assertFalse(found["is_truncated"])
        self.assertEqual(
            found["alerts"],
            [
                {
                    "title": "Timeouts: pay",
                    "group": {"service": "pay"},
                    "starts_at": "2026-11-21T10:02:00Z",
                    "ends_at": "2026-11-21T10:04:00Z",
                    "windows": 2,
                    "peak": 3,
                    "lines": ["timeout 1", "timeout 1", "timeout 1"],
                }
            ],
        )

    def test_it_tries_a_rule_that_is_not_stored_and_stores_nothing(self):
        before = DetectionRule.objects.count()

        response = self.responder.post(f"{URL}backtest/", {**RULE, "threshold": 1, **self.range}, "json")

        self.assertEqual((response.status_code, len(response.json()["alerts"])), (200, 1))
        self.assertEqual(
            (DetectionRule.objects.count(), IntakeEvent.objects.count(), Alert.objects.count()), (before, 0, 0)
        )

    def test_it_says_how_near_a_rule_came(self):
        body = {**RULE, "query": "timeout", "level": None, "threshold": 10, "group_by": ["service"], **self.range}

        near = self.responder.post(f"{URL}backtest/", body, "json").json()
        far = self.responder.post(f"{URL}backtest/", {**body, "query": "nothing"}, "json").json()

        self.assertEqual(
            [(one["alerts"], one["peak"], one["threshold"]) for one in (near, far)], [([], 3, 10), ([], 0, 10)]
        )

    def test_it_tries_immediate_rules(self):
        store([Line(f"disk {number}", after(number * 600), Level.CRITICAL) for number in range(3)], None, START)
        body = {**RULE, "mode": Mode.IMMEDIATE, "level": "critical", "group_by": ["template"]}
        late = {"since": START.isoformat(), "until": after(3600).isoformat()}

        found = self.responder.post(f"{URL}backtest/", {**body, **late}, "json").json()

        self.assertEqual([one["title"] for one in found["alerts"]], ["Errors: disk <*>"] * 3)
        self.assertEqual((found["peak"], found["threshold"]), (1, 1))

    def test_it_finds_the_same_in_parts_as_at_once(self):
        for second in range(0, 36_000, 50):
            store([Line("timeout", after(second), Level.ERROR)], None, START)
        day = {"since": START.isoformat(), "until": after(36_000).isoformat()}

        found = self.responder.post(f"{URL}backtest/", {**RULE, "window_seconds": 300, "threshold": 6, **day}, "json")

        alerts = found.json()["alerts"]
        self.assertEqual((len(alerts), found.json()["windows"]), (1, 601))
        self.assertEqual(alerts[0]["peak"], 12)

    def test_it_refuses_ranges_that_are_empty_or_too_long(self):
        for since, until in [(after(5), START), (START - dt.timedelta(days=40), START)]:
            with self.subTest(since):
                given: dict[str, Any] = {"since": since.isoformat(), "until": until.isoformat()}
                response = self.responder.post(f"{URL}backtest/", {**RULE, **given}, "json")

                self.assertEqual((response.status_code, response.json()["code"]), (400, "invalid_range"))

    def test_it_bounds_what_it_reads(self):
        with mock.patch("logs.services.backtesting.MAX_LINES", 4):
            found = self.responder.post(f"{URL}backtest/", {**RULE, **self.range}, "json").json()

        self.assertTrue(found["is_truncated"])
        self.assertEqual((found["evaluated_until"], found["windows"]), ("2026-11-21T10:02:00Z", 3))


class TemplateViewTests(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        cls.responder = signed_in(make_responder())

    def test_it_groups_lines_by_what_they_say(self):
        for second in range(5):
            write(second, message=f"took {second} ms", service="pay")
        write(9, message="other", service="pay")
        write(9, message="took 7 ms", service="mail")

        found = self.responder.get("/api/v1/logs/templates/?service=pay").json()

        self.assertEqual((found["lines"], found["is_complete"]), (6, True))
        self.assertEqual(
            found["templates"],
            [
                {"template": "took <*> ms", "count": 5, "sample": "took 0 ms"},
                {"template": "other", "count": 1, "sample": "other"},
            ],
        )

    def test_it_looks_at_the_newest_lines_of_a_range(self):
        write(1, 2, 3, message="early")
        write(11, 12, message="late")

        found = self.responder.get(f"/api/v1/logs/templates/?since={after(10).isoformat().replace('+00:00', 'Z')}")

        self.assertEqual([one["template"] for one in found.json()["templates"]], ["late"])

    def test_it_refuses_filters_it_does_not_know(self):
        self.assertEqual(self.responder.get("/api/v1/logs/templates/?colour=red").status_code, 400)
