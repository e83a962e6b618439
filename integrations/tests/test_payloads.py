"""Real payloads, where the folder with them lies beside the checkout."""

import base64
import json
from pathlib import Path
from typing import Any
from unittest import skipUnless

from django.test import SimpleTestCase

from intake.requests import IntakeRequest
from integrations.generic import payload as generic
from integrations.opsgenie import payload as opsgenie
from integrations.pagerduty import payload as pagerduty
from integrations.sentry import payload as sentry
from integrations.sns import payload as sns

PAYLOADS = Path(__file__).resolve().parents[3] / "shared" / "data" / "payloads"


@skipUnless(PAYLOADS.is_dir(), "the real payloads are not beside this checkout")
class PayloadTests(SimpleTestCase):
    def payload(self, name: str) -> Any:
        return json.loads((PAYLOADS / name).read_text(encoding="utf-8"))

    def recorded(self, name: str) -> IntakeRequest:
        """A recorded request, byte for byte."""
        found = self.payload(f"captured_examples/{name}")
        headers = {header.lower(): value for header, value in found["headers"]}
        return IntakeRequest(found["method"], found["path"], headers, base64.b64decode(found["raw_b64"]))

    def sent(self, body: Any) -> IntakeRequest:
        return IntakeRequest("POST", "/", {"content-type": "text/plain; charset=UTF-8"}, json.dumps(body).encode())

    def test_it_reads_what_the_opsgenie_sdk_sends(self):
        (update,) = opsgenie.parse(self.recorded("002_POST_v2_alerts.json"))

        self.assertEqual((update.title, update.identity), ("disk full on db-3", "db-3/disk"))
        self.assertEqual((update.severity, update.labels["mount"], update.labels["db"]), ("critical", "/var", "true"))

    def test_it_reads_what_the_pagerduty_client_sends(self):
        (update,) = pagerduty.parse(self.recorded("024_POST_v2_enqueue.json"))

        self.assertEqual((update.title, update.identity), ("HighErrorRate on checkout", "svc/checkout/5xx"))
        self.assertEqual(update.labels["region"], "eu-west-1")

    def test_it_reads_the_examples_of_pagerdutys_schema(self):
        schema = self.payload("pagerduty/events-v2.openapi.json")
        content = schema["paths"]["/enqueue"]["post"]["requestBody"]["content"]["application/json"]

        updates = [pagerduty.parse(self.sent(one["value"]))[0] for one in content["examples"].values()]

        self.assertTrue(updates)
        self.assertEqual({update.identity for update in updates}, {"srv01/mysql"})

    def test_it_reads_cloudwatch_alarms(self):
        (alarm,) = sns.parse(self.sent(self.payload("alerta/cloudwatch_notification.json")))
        (lost,) = sns.parse(self.sent(self.payload("alerta/cloudwatch_insufficient_data.json")))

        self.assertEqual((alarm.title, alarm.labels["StorageType"]), ("bucketbytesAlarm", "StandardStorage"))
        self.assertEqual(str(alarm.starts_at), "2019-02-15 23:53:45.093000+00:00")
        self.assertEqual((lost.action, lost.severity, lost.starts_at), ("fire", "", None))

    def test_it_raises_nothing_for_a_subscription(self):
        self.assertEqual(sns.parse(self.sent(self.payload("alerta/cloudwatch_subscription_confirmation.json"))), [])

    def test_it_reads_alarms_whose_message_is_an_object(self):
        for case in self.payload("keep/cloudwatch.json").values():
            (update,) = sns.parse(self.sent(case["payload"]))

            self.assertEqual(update.title, case["payload"]["Message"]["AlarmName"])

    def test_it_reads_sentrys_events(self):
        for case in self.payload("keep/sentry.json").values():
            (update,) = sentry.parse(self.sent(case["payload"]))

            self.assertEqual(update.identity, f"issue:{case['payload']['id']}")
            self.assertEqual((update.severity, update.labels["environment"]), ("high", "production"))

    def test_it_finds_its_way_in_what_another_tool_sends(self):
        body = self.payload("alerta/pingdom_down.json")
        templates = {"title": "{{ check_name }}", "key": "pingdom-{{ check_id }}", "status": "{{ current_state }}"}

        (update,) = generic.parse(self.sent(body), templates)

        self.assertEqual((update.title, update.action), (body["check_name"], "fire"))
        self.assertEqual(update.identity, f"pingdom-{body['check_id']}")
