"""Azure Monitor's severities, its events that say Fired for everything, and its older schemas."""

import datetime as dt
import json
from typing import Any

from django.test import SimpleTestCase

from alerts.tests.factories import Snapshot
from alerts.transitions import Transition, next_state
from alerts.updates import AlertUpdate
from alerts.vocabulary import AlertStatus
from intake.requests import IntakeError, IntakeRequest
from integrations.azure import payload as azure
from integrations.tests.reports import needs_reports, requests_of

ESSENTIALS = {"alertId": "/subscriptions/0/alerts/a-1", "alertRule": "Store is down", "monitorCondition": "Fired"}


def parse(body: Any) -> list[AlertUpdate]:
    return azure.parse(IntakeRequest("POST", "/", {}, json.dumps(body).encode()))


def common(context: dict[str, Any] | None = None, **essentials: Any) -> list[AlertUpdate]:
    return parse({"data": {"essentials": {**ESSENTIALS, **essentials}, "alertContext": context}})


class CommonSchemaTests(SimpleTestCase):
    def test_it_knows_the_severities_of_which_the_first_two_are_the_worst(self):
        found = [common(severity=f"Sev{number}")[0].severity for number in range(6)]

        self.assertEqual(found, ["critical", "critical", "high", "medium", "low", "low"])

    @needs_reports
    def test_it_takes_the_worst_severity_for_critical(self):
        [request] = requests_of("azure-sev0")

        [found] = azure.parse(request)

        self.assertEqual((found.severity, found.fingerprint), ("critical", "/subscriptions/0/alerts/a-1"))

    def test_it_says_which_words_it_does_not_know(self):
        [found] = common(severity="Grave-ish", monitorCondition="Sleeping")

        self.assertEqual((found.action, found.is_guess, found.status_word), ("fire", True, "Sleeping"))
        self.assertEqual((found.severity, found.severity_word), ("", "Grave-ish"))

    def test_it_ends_the_firing_that_it_began(self):
        fired = {"firedDateTime": "2026-11-20T10:00:00.1234567Z"}
        [end] = common(monitorCondition="Resolved", resolvedDateTime="2026-11-20T10:20:00Z", **fired)
        known = Snapshot(AlertStatus.FIRING, dt.datetime(2026, 11, 20, 10, 0, 0, 123456, dt.UTC))

        self.assertEqual(next_state(known, end), Transition.RESOLVED)
        self.assertEqual(end.ends_at, dt.datetime(2026, 11, 20, 10, 20, tzinfo=dt.UTC))

    def test_it_lets_expire_what_azure_never_ends(self):
        for service, never in {
            "Platform": False,
            "Log Alerts V2": False,
            "Log Analytics": True,
            "Activity Log - Administrative": True,
            "CostAlerts": True,
        }.items():
            with self.subTest(service=service):
                self.assertEqual(common(monitoringService=service)[0].may_never_end, never)

    def test_it_takes_nothing_from_the_test_of_an_action_group(self):
        test = "/subscriptions/11111111-1111-1111-1111-111111111111/providers/Microsoft.AlertsManagement/alerts/1"

        self.assertEqual(common(alertId=test), [])
        self.assertEqual(common({"eventSource": "ServiceHealth", "properties": {"trackingId": "T"}}, alertId=test), [])


class EventTests(SimpleTestCase):
    def health(self, status: str, number: int = 1) -> AlertUpdate:
        context = {"eventSource": "ResourceHealth", "properties": {"currentHealthStatus": status}}
        return common(context, alertId=f"/alerts/{number}", alertTargetIDs=["/subscriptions/0/vm"])[0]

    def test_it_reads_the_health_of_a_resource_not_that_its_alert_fired(self):
        for status, ours in {
            "Unavailable": "fire",
            "Degraded": "fire",
            "Unknown": "fire",
            "Available": "resolve",
        }.items():
            with self.subTest(status=status):
                self.assertEqual(self.health(status).action, ours)
        self.assertEqual(self.health("Unavailable", 1).fingerprint, self.health("Available", 2).fingerprint)

    def test_it_follows_the_stages_of_a_service_health_event(self):
        for stage, ours in {
            "Active": "fire",
            "Planned": "fire",
            "InProgress": "fire",
            "Resolved": "resolve",
            "Complete": "resolve",
            "Canceled": "resolve",
            "RCA": "note",
        }.items():
            with self.subTest(stage=stage):
                context = {"eventSource": "ServiceHealth", "properties": {"trackingId": "VN9-R4G", "stage": stage}}

                [found] = common(context)

                self.assertEqual((found.action, found.fingerprint, found.is_guess), (ours, "VN9-R4G", False))

    def test_it_takes_the_level_of_an_event_before_the_severity_of_its_alert(self):
        [found] = common({"eventSource": "Administrative", "level": "Error"}, severity="Sev4")

        self.assertEqual((found.severity, found.may_never_end), ("high", True))


class OtherSchemaTests(SimpleTestCase):
    def metric(self, status: str, *, resource: str = "/vm", **context: Any) -> AlertUpdate:
        context = {"id": "/rules/cpu", "name": "cpu", "resourceId": resource, **context}
        return parse({"schemaId": "AzureMonitorMetricAlert", "data": {"status": status, "context": context}})[0]

    def test_it_ends_a_metric_alert_of_the_same_rule_resource_and_dimensions(self):
        at = {"condition": {"allOf": [{"dimensions": [{"name": "disk", "value": "sda"}]}]}}
        fired, over = self.metric("Activated", **at), self.metric("Deactivated", **at)

        self.assertEqual((fired.action, over.action), ("fire", "resolve"))
        self.assertEqual(fired.fingerprint, over.fingerprint)
        self.assertNotEqual(fired.fingerprint, self.metric("Activated", resource="/other", **at).fingerprint)
        self.assertNotEqual(fired.fingerprint, self.metric("Activated").fingerprint)

    def test_it_reads_a_bare_number_as_a_severity_of_azure(self):
        self.assertEqual([self.metric("Activated", severity=one).severity for one in ("0", 4)], ["critical", "low"])

    def test_it_names_what_is_missing(self):
        for body, name in (
            ({}, "data.essentials"),
            ({"data": {"essentials": {"alertRule": "x"}}}, "alertId"),
            ({"data": {"status": "Activated", "context": {"severity": "1"}}}, "context.id"),
            ({"context": {"id": "x"}}, "status"),
            ({"schemaId": "AIP", "data": {}}, "data.essentials"),
        ):
            with self.subTest(body=body), self.assertRaisesRegex(IntakeError, name):
                parse(body)
