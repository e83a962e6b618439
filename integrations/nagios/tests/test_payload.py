"""Nagios' and Icinga's notifications: what each type does, by all the names that macros go by."""

import datetime as dt
import json
from typing import Any
from urllib.parse import urlencode

from django.test import SimpleTestCase

from alerts.tests.factories import Snapshot
from alerts.transitions import Transition, next_state
from alerts.updates import AlertUpdate
from alerts.vocabulary import AlertStatus
from intake.requests import IntakeError, IntakeRequest
from integrations.nagios import payload as nagios
from integrations.tests.reports import needs_reports, requests_of

SERVICE = {
    "HOSTNAME": "db-3",
    "SERVICEDESC": "load",
    "SERVICESTATE": "CRITICAL",
    "LASTSERVICESTATECHANGE": "1795341600",
}


def parse(body: Any) -> list[AlertUpdate]:
    return nagios.parse(IntakeRequest("POST", "/", {}, json.dumps(body).encode()))


def update(kind: str, **macros: str) -> AlertUpdate:
    return parse({"NOTIFICATIONTYPE": kind, **SERVICE, **macros})[0]


class NagiosTests(SimpleTestCase):
    def test_it_does_what_the_type_says_whatever_the_state(self):
        for kind, ours in {
            "PROBLEM": "fire",
            "RECOVERY": "resolve",
            "ACKNOWLEDGEMENT": "acknowledge",
            "FLAPPINGSTART": "note",
            "FLAPPINGSTOP": "note",
            "FLAPPINGDISABLED": "note",
            "FlappingEnd": "note",
            "DOWNTIMESTART": "note",
            "DowntimeStart": "note",
            "CUSTOM": "note",
        }.items():
            for state in ("OK", "CRITICAL"):
                with self.subTest(kind=kind, state=state):
                    self.assertEqual(update(kind, SERVICESTATE=state).action, ours)

    def test_it_takes_the_end_of_a_downtime_for_a_recovery_only_where_all_is_well(self):
        for kind in ("DOWNTIMEEND", "DOWNTIMECANCELLED", "DowntimeRemoved"):
            with self.subTest(kind=kind):
                self.assertEqual(update(kind, SERVICESTATE="OK").action, "resolve")
                self.assertEqual(update(kind).action, "note")

    def test_it_knows_the_severities(self):
        for state, ours in {"CRITICAL": "critical", "UNKNOWN": "high", "WARNING": "medium", "OK": ""}.items():
            with self.subTest(state=state):
                self.assertEqual(update("PROBLEM", SERVICESTATE=state).severity, ours)
        for state in ("DOWN", "UNREACHABLE"):
            with self.subTest(state=state):
                [host] = parse({"NOTIFICATIONTYPE": "PROBLEM", "HOSTNAME": "db-3", "HOSTSTATE": state})

                self.assertEqual((host.severity, host.fingerprint), ("critical", "db-3"))

    def test_it_says_which_words_it_does_not_know(self):
        found = update("ESCALATION?", SERVICESTATE="WEIRD")

        self.assertEqual((found.action, found.is_guess, found.status_word), ("fire", True, "ESCALATION?"))
        self.assertEqual((found.severity, found.severity_word), ("", "WEIRD"))

    @needs_reports
    def test_it_does_what_others_missed(self):
        for name, ours in {
            "nagios-acknowledgement": ["fire", "acknowledge"],
            "nagios-downtime-after-recovery": ["fire", "resolve", "note"],
        }.items():
            with self.subTest(name=name):
                found = [nagios.parse(request)[0] for request in requests_of(name)]

                self.assertEqual([one.action for one in found], ours)
                self.assertEqual({one.fingerprint for one in found}, {"db-3!load"})

    def test_it_reads_the_state_where_there_is_no_type(self):
        bodies = [{**SERVICE, "SERVICESTATE": state} for state in ("OK", "WARNING")]

        self.assertEqual([found.action for found in parse(bodies)], ["resolve", "fire"])

    def test_it_finds_macros_by_all_their_names(self):
        nested = {
            "notification": {"type": "Problem"},
            "host": {"name": "db-3"},
            "service": {"name": "load", "state": "CRITICAL", "last_state_change": 1795341600.25},
        }
        bodies = [
            {f"NAGIOS_{name}": said for name, said in SERVICE.items()} | {"NAGIOS_NOTIFICATIONTYPE": "PROBLEM"},
            {f"ICINGA_{name}": said for name, said in SERVICE.items()} | {"ICINGA_NOTIFICATIONTYPE": "PROBLEM"},
            nested,
        ]
        for body in bodies:
            with self.subTest(body=str(body)[:40]):
                [found] = parse(body)

                self.assertEqual((found.action, found.fingerprint, found.severity), ("fire", "db-3!load", "critical"))
                self.assertEqual(found.starts_at and found.starts_at.hour, 10)

    def test_it_takes_a_reminder_for_a_repeat_and_a_recovery_for_its_end(self):
        known = Snapshot(AlertStatus.FIRING, dt.datetime(2026, 11, 22, 10, tzinfo=dt.UTC))

        self.assertEqual(next_state(known, update("PROBLEM")), Transition.REPEATED)
        self.assertEqual(
            next_state(known, update("RECOVERY", LASTSERVICESTATECHANGE="1795345200")), Transition.RESOLVED
        )

    def test_it_reads_a_host_from_a_command_that_serves_both(self):
        form = {
            "NOTIFICATIONTYPE": "PROBLEM",
            "HOSTNAME": "db-3",
            "HOSTSTATE": "DOWN",
            "SERVICEDESC": "$SERVICEDESC$",
            "SERVICESTATE": "",
        }

        [found] = nagios.parse(IntakeRequest("POST", "/", {}, urlencode(form).encode()))

        self.assertEqual((found.fingerprint, found.title), ("db-3", "db-3 is DOWN"))

    def test_it_names_what_is_missing(self):
        for body, name in (
            ({"NOTIFICATIONTYPE": "PROBLEM", "SERVICEDESC": "load"}, "HOSTNAME"),
            ({"NOTIFICATIONTYPE": "PROBLEM", "HOSTNAME": "db-3", "SERVICESTATE": "OK"}, "SERVICEDESC"),
            ({"HOSTNAME": "db-3"}, "HOSTSTATE"),
            ({"HOSTNAME": "db-3", "SERVICEDESC": "load"}, "SERVICESTATE"),
        ):
            with self.subTest(name=name), self.assertRaisesRegex(IntakeError, name):
                parse(body)
