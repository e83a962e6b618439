"""Every payload reader against any value in any place."""

import datetime as dt
import json
from typing import Any

from django.test import SimpleTestCase

from intake.readers import payload_readers
from intake.requests import IntakeError, IntakeRequest
from integrations.prometheus import payload as prometheus

NOW = dt.datetime(2026, 11, 20, 10, 0, tzinfo=dt.UTC)
CONTAINERS = ("alerts", "event", "check_result", "incident", "heartbeat", "monitor", "labels", "evalMatches", "stream")
FACTS = ("title", "current_state", "issueId", "ruleId", "tags", "check_id", "targets", "aggreg_key", "msg", "state")
JUNK: tuple[Any, ...] = (None, True, 0, -1, 1.5, "", "x", "\0", "9" * 400, [], [[]], [None, {}], {}, {"a": {"b": []}})


def request(body: Any) -> IntakeRequest:
    return IntakeRequest("POST", "/", {}, json.dumps(body).encode())


class HostileTests(SimpleTestCase):
    def bodies(self) -> list[dict[str, Any]]:
        """Every member that a reader looks at, with every kind of value."""
        names = CONTAINERS + FACTS
        junk = [dict.fromkeys(names, value) for value in JUNK]
        nested = [{name: dict.fromkeys(names, value) for name in names} for value in JUNK]
        listed = [{name: [dict.fromkeys(names, value)] for name in names} for value in JUNK]
        return [
            *junk,
            *nested,
            *listed,
            *({**dict.fromkeys(names, 1), name: value} for name in names for value in JUNK),
        ]

    def test_it_takes_any_value_anywhere(self):
        for kind, module in payload_readers().items():
            for body in self.bodies():
                with self.subTest(kind=kind, body=str(body)[:80]):
                    try:
                        found = module.parse(request(body))
                    except IntakeError as error:
                        self.assertTrue(error.message)
                    else:
                        self.assertTrue(all(isinstance(update.identity, str) and update.title for update in found))

    def test_it_takes_labels_of_any_size(self):
        labels = {f"name{number}": "x" * 100 for number in range(10_000)} | {"alertname": "a" * 100_000}
        alert = {"labels": labels, "startsAt": "2026-11-20T10:00:00Z"}

        [update] = prometheus.parse(request([alert]), now=NOW)

        self.assertEqual((len(update.labels), len(update.title)), (10_001, 100_000))
