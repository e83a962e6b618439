"""Kibana's rules and Watcher's watches, by the names that people give their parts."""

import json
from typing import Any

from django.test import SimpleTestCase

from alerts.updates import AlertUpdate, AlertUpdates
from intake.requests import IntakeError, IntakeRequest
from integrations.elastic import payload as elastic


def parse(body: Any) -> AlertUpdates:
    return elastic.parse(IntakeRequest("POST", "/", {}, json.dumps(body).encode()))


def update(**said: Any) -> AlertUpdate:
    return parse({"rule_id": "r", "alert_id": "a", **said})[0]


class ElasticTests(SimpleTestCase):
    def test_it_ends_only_what_recovered(self):
        for said, ours in (
            ({"action_group": "recovered"}, "resolve"),
            ({"action_group": "query matched"}, "fire"),
            ({"action_group": "metrics.threshold.nodata"}, "fire"),
            ({"status": "active"}, "fire"),
            ({"status": "recovered"}, "resolve"),
            ({"status": "untracked"}, "note"),
            ({"kibana.alert.workflow_status": "acknowledged", "kibana.alert.status": "active"}, "acknowledge"),
            ({"kibana.alert.workflow_status": "closed", "kibana.alert.status": "active"}, "resolve"),
            ({}, "fire"),
        ):
            with self.subTest(said=said):
                self.assertEqual((update(**said).action, update(**said).is_guess), (ours, False))

    def test_it_goes_on_firing_while_it_flaps(self):
        self.assertEqual(update(action_group="default", flapping="true").action, "fire")

    def test_it_says_which_words_it_does_not_know(self):
        found = update(status="wobbling", severity="spicy")

        self.assertEqual((found.is_guess, found.status_word), (True, "wobbling"))
        self.assertEqual((found.severity, found.severity_word), ("", "spicy"))

    def test_it_finds_how_bad_it_is(self):
        for said, ours in (
            ({"severity": "critical"}, "critical"),
            ({"tags": "team:shop,severity:low"}, "low"),
            ({"context": {"rule": {"severity": "medium"}}}, "medium"),
            ({"action_group": "metrics.threshold.warning"}, "medium"),
            ({"action_group": "slo.burnRate.high"}, "high"),
            ({"action_group": "threshold met"}, ""),
        ):
            with self.subTest(said=said):
                self.assertEqual(update(**said).severity, ours)

    def test_it_tells_alerts_apart_by_rule_and_alert(self):
        bodies = [
            {"rule": {"id": "r"}, "alert": {"id": "a"}},
            {"alertId": "r", "alertInstanceId": "a"},
            {"kibana.alert.rule.uuid": "r", "kibana.alert.instance.id": "a", "kibana.alert.uuid": "u"},
            {"kibana": {"alert": {"rule": {"uuid": "r"}, "instance": {"id": "a"}}}},
        ]

        self.assertEqual({parse(body)[0].fingerprint for body in bodies}, {"r:a"})
        self.assertEqual(parse({"rule_name": "Disk"})[0].fingerprint, "Disk")
        self.assertEqual(parse({"ctx": {"watch_id": "w"}})[0].fingerprint, "w")

    def test_it_reads_each_of_a_list_and_keeps_what_it_cannot(self):
        found = parse([{"rule_id": "r", "alert_id": "1"}, {"x": 1}, {"rule_id": "r", "alert_id": "2"}])

        self.assertEqual([one.fingerprint for one in found], ["r:1", "r:2"])
        self.assertEqual(found.leftover and [number for number, _why in found.leftover.reasons], [2])

    def test_it_takes_nothing_from_an_empty_summary_or_the_test_of_a_connector(self):
        self.assertEqual(parse({"alerts": {"new": {"count": 0, "data": []}}}), [])
        for body in ({"rule_id": "{{rule.id}}"}, {"text": "{{{context.message}}}"}, {"rule_id": "{{ rule.id }}"}):
            with self.subTest(body=body):
                self.assertEqual(parse(body), [])

    def test_it_names_what_is_missing(self):
        for body in ({}, {"message": "CPU"}, {"alerts": {"new": [{"reason": "x"}]}}):
            with self.subTest(body=body), self.assertRaisesRegex(IntakeError, "rule_id nor a watch_id"):
                parse(body)
