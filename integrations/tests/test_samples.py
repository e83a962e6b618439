"""The readers of monitoring tools against requests that nobody here wrote: recorded ones, and other projects' samples.

They are not part of the project. Where the folder beside it is absent, these tests are skipped.
"""

import base64
import datetime as dt
import json
import unittest
from pathlib import Path
from typing import Any

from django.test import SimpleTestCase

from alerts.updates import Action, AlertUpdate
from intake.readers import payload_readers
from intake.requests import IntakeError, IntakeRequest

SAMPLES = Path(__file__).resolve().parents[3] / "shared" / "data" / "payloads"
FIRE, RESOLVE = Action.FIRE, Action.RESOLVE

# file: kind, title, action, severity, fingerprint, some of its labels, when it starts, when it ends
EXPECTED: dict[str, tuple[str, str, Action, str, str, dict[str, str], str, str]] = {
    "grafana_6": (
        "grafana",
        "Testing -> Battery Voltage alert",
        FIRE,
        "medium",
        "58",
        {"environment": "Staging", "service": "Physical", "group": "BatteryPower", "on-ok": "ignore"},
        "",
        "",
    ),
    "grafana_alert_alerting": (
        "grafana",
        "Zeta CPU alert",
        FIRE,
        "",
        "7",
        {"alertname": "Zeta CPU alert", "instance": "zeta.domain", "info.host_id": "i-0d0721c7f97545d43"},
        "",
        "",
    ),
    "grafana_alert_ok": ("grafana", "Zeta CPU alert", RESOLVE, "", "7", {"alertname": "Zeta CPU alert"}, "", ""),
    "grafana_example": ("grafana", "Load peaking!", FIRE, "", "1", {"alertname": "Load peaking!"}, "", ""),
    "graylog_notification": (
        "graylog",
        "Stream had 2 messages in the last 1 minutes with trigger condition more than 1 messages. "
        "(Current grace time: 1 minutes)",
        FIRE,
        "",
        "55f1509dbee8e2841898eb64:5e7a9c8d-9bb1-47b6-b8db-4a3a83a25e0c",
        {"stream": "test", "condition": "MESSAGE_COUNT"},
        "2015-09-10T09:45:54.749+00:00",
        "",
    ),
    "new_relic_notification": (
        "newrelic",
        "New Relic Alert - Test Condition",
        FIRE,
        "low",
        "0",
        {"policy": "New Relic Alert - Test Policy", "account": "Myaccount (Staging)", "product": "TESTING"},
        "2020-09-25T11:23:27.849+00:00",
        "",
    ),
    "pingdom_down": (
        "pingdom",
        "Alerta API on OpenShift: HTTP Error 503",
        FIRE,
        "high",
        "803318",
        {"check": "Alerta API on OpenShift", "type": "HTTP", "host": "api.alerta.io"},
        "2017-06-30T22:25:43+00:00",
        "",
    ),
    "pingdom_up": (
        "pingdom",
        "Alerta API on OpenShift: OK",
        RESOLVE,
        "high",
        "803318",
        {"check": "Alerta API on OpenShift"},
        "",
        "2017-06-30T22:30:43+00:00",
    ),
    "prometheus_v3_alert": (
        "alertmanager",
        "Connect fail",
        FIRE,
        "critical",
        "",
        {"alertname": "failedConnect", "instance": "host2", "severity": "critical", "timeout": "600"},
        "2016-08-01T10:27:08.008+00:00",
        "",
    ),
    "prometheus_v4_alert": (
        "alertmanager",
        "No things for over 10 minutes",
        FIRE,
        "critical",
        "",
        {"alertname": "thing_dead", "severity": "critical"},
        "2017-08-03T19:17:37.804+00:00",
        "",
    ),
    "stackdriver_open": (
        "gcp",
        "CPU (agent) for webserver-85 is above the threshold of 1% with a value of 28.5%",
        FIRE,
        "",
        "f2e08c333dc64cb09f75eaab355393bz",
        {"policy": "Webserver Health", "condition": "CPU usage", "resource": "webserver-85"},
        "2017-07-06T19:10:14+00:00",
        "",
    ),
    "stackdriver_closed": (
        "gcp",
        "CPU (agent) for webserver-85 is above the threshold of 1% with a value of 28.5%",
        RESOLVE,
        "",
        "f2e08c333dc64cb09f75eaab355393bz",
        {"policy": "Webserver Health", "condition": "CPU usage", "resource": "webserver-85"},
        "2017-07-06T19:10:14+00:00",
        "2017-07-06T19:20:36+00:00",
    ),
}


def moment(written: str) -> dt.datetime | None:
    return dt.datetime.fromisoformat(written) if written else None


def sample(path: str) -> Any:
    return json.loads((SAMPLES / path).read_text(encoding="utf-8"))


def parse(kind: str, body: Any) -> list[AlertUpdate]:
    return payload_readers()[kind].parse(IntakeRequest("POST", "/", {}, json.dumps(body).encode()))


@unittest.skipUnless(SAMPLES.is_dir(), f"the samples of other projects are not beside this checkout ({SAMPLES.name}/)")
class SampleTests(SimpleTestCase):
    def test_it_makes_of_each_what_a_person_would(self):
        for name, (kind, title, action, severity, fingerprint, labels, starts_at, ends_at) in EXPECTED.items():
            with self.subTest(sample=name):
                [update] = parse(kind, sample(f"alerta/{name}.json"))

                self.assertEqual((update.title, update.action, update.severity), (title, action, severity))
                self.assertEqual(update.fingerprint, fingerprint)
                self.assertEqual({label: update.labels.get(label) for label in labels}, labels)
                self.assertEqual((update.starts_at, update.ends_at), (moment(starts_at), moment(ends_at)))

    def test_it_reads_what_alertmanager_sent(self):
        recorded = sample("captured_examples/034_POST_api_hooks_alertmanager.json")
        headers = {name.lower(): value for name, value in recorded["headers"]}
        body = base64.b64decode(recorded["raw_b64"])

        [update] = payload_readers()["alertmanager"].parse(IntakeRequest("POST", recorded["path"], headers, body))

        self.assertEqual((update.title, update.action), ("load 3.86 on 127.0.0.1:18100", FIRE))
        self.assertEqual((update.fingerprint, update.severity), ("35ea3d5f702d5a31", "medium"))
        self.assertEqual((update.labels["alertname"], update.labels["team"]), ("HostHighLoad", "platform"))
        self.assertEqual((update.starts_at, update.ends_at), (moment("2026-11-21T04:12:23.716+00:00"), None))
        self.assertEqual([link["text"] for link in update.links], ["Source", "Alertmanager"])

    def test_it_reads_google_clouds_incidents(self):
        expected = {
            "prod-5xx-123": ("High rate of 5XX errors detected in production environment", "critical"),
            "mem-234": ("High memory usage detected", "medium"),
            "db-345": ("High database query latency detected", "medium"),
        }

        found = [parse("gcp", one["payload"])[0] for one in sample("keep/gcpmonitoring.json").values()]

        self.assertEqual({update.fingerprint: (update.title, update.severity) for update in found}, expected)
        for update in found:
            self.assertEqual((update.action, update.starts_at, update.ends_at), (FIRE, None, None))
            self.assertEqual((update.labels["environment"], "team" in update.labels), ("production", True))

    def test_it_reads_datadogs_monitors_of_another_template(self):
        found = [parse("datadog", one["payload"])[0] for one in sample("keep/datadog.json").values()]

        self.assertEqual([update.fingerprint for update in found], ["1234567890", "1234567891", "1234567891"])
        self.assertEqual([update.severity for update in found], ["medium", "low", "low"])
        self.assertEqual([update.title for update in found][:2], ["High CPU Usage", "Low Disk Space"])
        self.assertEqual([update.labels["environment"] for update in found], ["production"] * 3)
        self.assertEqual({update.action for update in found}, {FIRE})

    def test_it_reads_graylogs_events(self):
        [update] = parse("graylog", sample("keep/graylog.json"))

        self.assertEqual((update.title, update.action, update.severity), ("Event - 1", FIRE, "high"))
        self.assertEqual(update.fingerprint, "671a28a03696bb3801a7a9f1")
        self.assertEqual((update.labels["event_definition"], update.labels["source"]), ("Event - 1", "server"))
        self.assertEqual(update.starts_at, moment("2024-10-24T10:22:04.556+00:00"))

    def test_it_refuses_what_is_no_message_of_the_tool(self):
        for kind, path in (("grafana", "keep/grafana.json"), ("prometheus", "keep/prometheus.json")):
            for name, one in sample(path).items():
                with self.subTest(kind=kind, sample=name), self.assertRaises(IntakeError):
                    parse(kind, one["payload"])
