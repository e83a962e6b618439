"""Trouble that is none, from lines to an incident."""

import io
import re
from unittest import mock

from django.core.management import CommandError, call_command
from django.test import TestCase

from alerts.models import Alert
from alerts.services import process_waiting
from logs.management.commands import simulate_incident
from logs.models import DetectionRule, LogEntry
from logs.services import rules
from logs.services.simulating import Scenario
from tests.people import signed_in
from users.tests.factories import make_admin


class CommandTests(TestCase):
    def setUp(self) -> None:
        rules.clear_cache()
        rules.ensure_builtin()

    def test_it_leads_to_an_incident_of_the_severity(self):
        told = self._run("--type", "high_error_rate", "--severity", "critical", "--service", "pay")

        alert = Alert.objects.get()
        self.assertRegex(told, r"Wrote 60 simulated log lines of pay\.")
        self.assertIn(f"Incident {alert.incident.reference}", told)
        self.assertEqual((alert.incident.severity, alert.labels["service"]), (4, "pay"))

    def test_it_does_so_for_every_scenario(self):
        for scenario in Scenario.values:
            with self.subTest(scenario):
                told = self._run("--type", scenario, "--service", f"of-{scenario}")

                self.assertTrue(re.search(r"Incident INC-\d+", told), told)

    def test_it_can_be_done_again(self):
        for _ in range(2):
            self._run("--severity", "low")

        self.assertEqual(Alert.objects.count(), 1)
        self.assertEqual(DetectionRule.objects.filter(name__startswith="Simulated").count(), 1)

    def test_it_waits_for_a_worker_that_holds_the_event(self):
        with mock.patch.object(simulate_incident, "process_waiting") as process:
            process.side_effect = lambda: process_waiting() if process.call_count > 2 else 0
            told = self._run()

        self.assertIn("Incident INC-", told)

    def test_it_gives_up_on_a_worker_that_is_stuck(self):
        with (
            mock.patch.object(simulate_incident, "process_waiting", return_value=0),
            mock.patch.object(simulate_incident, "WAIT_SECONDS", 0.2),
            self.assertRaisesMessage(CommandError, "still processing it"),
        ):
            self._run()

    def test_it_says_when_the_built_in_rule_is_switched_off(self):
        DetectionRule.objects.filter(is_builtin=True).update(is_enabled=False)

        with self.assertRaisesMessage(CommandError, "disabled"):
            self._run("--type", "critical_log")

        self.assertEqual(LogEntry.objects.count(), 0)

    def _run(self, *arguments: str) -> str:
        out = io.StringIO()
        call_command("simulate_incident", *arguments, stdout=out)
        return out.getvalue()


class ViewTests(TestCase):
    def test_it_puts_the_alert_into_the_queue(self):
        admin = signed_in(make_admin())

        response = admin.post("/api/v1/simulate-incident/", {"severity": "high", "service": "pay"}, "json")
        before = Alert.objects.count()
        process_waiting()

        self.assertEqual((response.status_code, before), (202, 0))
        self.assertEqual([alert.fingerprint for alert in Alert.objects.all()], response.json()["fingerprints"])
