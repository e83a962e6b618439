"""What makes two runs of a search one alert."""

import json
from typing import Any

from django.test import SimpleTestCase

from intake.requests import IntakeRequest
from integrations.splunk import payload as splunk


def fingerprint(sid: str, search: Any = "Logins", **row: str) -> str:
    body = {"sid": sid, "search_name": search, "app": "search", "result": row}
    return splunk.parse(IntakeRequest("POST", "/", {}, json.dumps(body).encode()))[0].fingerprint


class SplunkTests(SimpleTestCase):
    def test_it_takes_the_next_run_of_a_search_for_the_same_alert(self):
        self.assertEqual(fingerprint("run-1", count="3"), fingerprint("run-2", count="4"))

    def test_it_keeps_hosts_and_searches_apart(self):
        found = {fingerprint("s", host="a"), fingerprint("s", host="b"), fingerprint("s"), fingerprint("s", "Other")}

        self.assertEqual(len(found), 4)

    def test_it_lets_a_search_choose(self):
        self.assertEqual(fingerprint("s", alert_key="k", host="a"), fingerprint("s", alert_key="k", host="b"))

    def test_it_has_only_the_run_where_the_search_has_no_name(self):
        self.assertEqual(fingerprint("run-1", None), "run-1")
