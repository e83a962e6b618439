"""Splunk killed in the middle of answers while several workers search: nothing left out, nothing entered twice."""

import datetime as dt
import json
import random
from collections import Counter

from django.test import TransactionTestCase, override_settings

from core.db.tests.threads import at_once
from e2e.stand_ins.splunk import EXPORT_V2, TOKEN, Splunk
from intake.models import IntakeEvent
from integrations.splunk import client
from logs.models import DetectionRule
from logs.services import searching
from logs.tests.rules import START, after
from logs.tests.stores import make_outside_rule

WINDOWS, EVENTS, RULES, WORKERS = 12, 5, 3, 3
LAG = 60
PATIENCE = 400  # rounds


class RestartTests(TransactionTestCase):
    def setUp(self) -> None:
        client.version.cache_clear()
        self.splunk = self.enterContext(Splunk())
        self.enterContext(override_settings(SPLUNK_URL=self.splunk.url, SPLUNK_TOKEN=TOKEN, SPLUNK_LAG_SECONDS=LAG))
        self.random = random.Random(13)
        self.kills = 0

    def test_it_counts_each_event_once_whenever_splunk_restarts(self):
        for number in range(WINDOWS * EVENTS):
            self.splunk.add(after(60 * number / EVENTS), f"level=ERROR number={number}")
        rules = [
            make_outside_rule(
                name=f"Rule {number}", store="splunk", query="level=ERROR", threshold=1, group_by=["number"]
            )
            for number in range(RULES)
        ]
        DetectionRule.objects.filter(store="splunk").update(evaluated_until=START, next_run_at=START)

        self.run_until(after(60 * WINDOWS))

        wanted = {(rule.pk, str(number)): 1 for rule in rules for number in range(WINDOWS * EVENTS)}
        self.assertEqual(self.fired(), wanted)
        self.assertGreater(self.kills, 5)

    def run_until(self, end: dt.datetime) -> None:
        now = START
        for _round in range(PATIENCE):
            if not DetectionRule.objects.filter(store="splunk", evaluated_until__lt=end).exists():
                return
            now += dt.timedelta(seconds=20)
            self.splunk.kills = lambda request: request.path == EXPORT_V2 and self.random.random() < 0.3
            at_once([lambda: searching.run_due(now)] * WORKERS)  # noqa: B023
            if self.splunk._server is None:
                self.kills += 1
                self.splunk.start()
        self.fail("The rules did not come to the end.")

    def fired(self) -> dict[tuple[int, str], int]:
        """How often an alert began for a rule and an event, by what is queued."""
        found: Counter[tuple[int, str]] = Counter()
        for event in IntakeEvent.objects.all():
            for update in json.loads(event.body):
                if update["action"] == "fire" and "number" in update["labels"]:
                    found[int(update["fingerprint"].split(":")[1]), update["labels"]["number"]] += 1
        return dict(found)
