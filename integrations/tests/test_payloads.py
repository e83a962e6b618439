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
        (draft,) = opsgenie.parse(self.recorded("002_POST_v2_alerts.json"))

        self.assertEqual((draft.title, draft.identity), ("disk full on db-3", "db-3/disk"))
        self.assertEqual((draft.severity, draft.labels["mount"], draft.labels["db"]), ("critical", "/var", "true"))

    def test_it_reads_what_the_pagerduty_client_sends(self):
        (draft,) = pagerduty.parse(self.recorded("024_POST_v2_enqueue.json"))

        self.assertEqual((draft.title, draft.identity), ("HighErrorRate on checkout", "svc/checkout/5xx"))
        self.assertEqual(draft.labels["region"], "eu-west-1")

    def test_it_reads_the_examples_of_pagerdutys_schema(self):
        schema = self.payload("pagerduty/events-v2.openapi.json")
        content = schema["paths"]["/enqueue"]["post"]["requestBody"]["content"]["application/json"]

        drafts = [pagerduty.parse(self.sent(one["value"]))[0] for one in content["examples"].values()]

        self.assertTrue(drafts)
        self.assertEqual({draft.identity for draft in drafts}, {"srv01/mysql"})

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
            (draft,) = sns.parse(self.sent(case["payload"]))

            self.assertEqual(draft.title, case["payload"]["Message"]["AlarmName"])

    def test_it_reads_sentrys_events(self):
        for case in self.payload("keep/sentry.json").values():
            (draft,) = sentry.parse(self.sent(case["payload"]))

            self.assertEqual(draft.identity, f"issue:{case['payload']['id']}")
            self.assertEqual((draft.severity, draft.labels["environment"]), ("high", "production"))

    def test_it_finds_its_way_in_what_another_tool_sends(self):
        body = self.payload("alerta/pingdom_down.json")
        templates = {"title": "{{ check_name }}", "key": "pingdom-{{ check_id }}", "status": "{{ current_state }}"}

        (draft,) = generic.parse(self.sent(body), templates)

        self.assertEqual((draft.title, draft.action), (body["check_name"], "fire"))
        self.assertEqual(draft.identity, f"pingdom-{body['check_id']}")
