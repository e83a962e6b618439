"""Zabbix's updates and severities, value by value."""

import json

from django.test import SimpleTestCase

from alerts.updates import AlertUpdate
from intake.requests import IntakeRequest
from integrations.zabbix import payload as zabbix


def update(**facts: str) -> AlertUpdate:
    body = {"event_id": "1", "event_value": "1", "event_name": "Load", **facts}
    return zabbix.parse(IntakeRequest("POST", "/", {}, json.dumps(body).encode()))[0]


class ZabbixTests(SimpleTestCase):
    def test_it_knows_the_severities(self):
        found = [update(event_nseverity=str(number)).severity for number in range(7)]

        self.assertEqual(found, ["low", "low", "medium", "medium", "high", "critical", ""])

    def test_it_knows_what_an_update_is(self):
        for done, ours in {
            "acknowledged": "acknowledge",
            "acknowledged, changed severity from High to Average": "acknowledge",
            "unacknowledged": "note",
            "commented": "note",
            "closed": "note",
            "changed severity from High to Average": "fire",
        }.items():
            with self.subTest(done=done):
                self.assertEqual(update(event_update_status="1", event_update_action=done).action, ours)

    def test_it_ends_whatever_else_is_said(self):
        self.assertEqual(update(event_value="0", event_update_status="1").action, "resolve")

    def test_it_takes_no_macro_for_a_value(self):
        found = update(host="{HOST.NAME}", host_ip="*UNKNOWN*", event_tags="{EVENT.TAGSJSON}", trigger_id="{HOST.IP1}")

        self.assertEqual(found.labels, {})

    def test_it_reads_damaged_tags_as_none(self):
        self.assertEqual(update(event_tags='[{"tag": ').labels, {})
