"""Rules over stores that are killed in the middle of answers and between them: every row is counted once."""

import datetime as dt
import random
from collections.abc import Callable
from unittest import mock

from django.db import connection
from django.test import TransactionTestCase, override_settings

from alerts.models import Alert
from alerts.services import process_waiting
from core.db.tests.threads import at_once
from e2e.stand_ins import cloudwatch, elasticsearch, loki
from e2e.stand_ins.serving import StandIn
from integrations.cloudwatch import client as cloudwatch_client
from integrations.cloudwatch import store as cloudwatch_store
from integrations.elastic import store as elastic_store
from integrations.loki import store as loki_store
from logs.models import DetectionRule
from logs.services import searching
from logs.sources.outside import store_of
from logs.tests.rules import START, after
from logs.tests.stores import make_outside_rule
from tests.people import signed_in
from users.tests.factories import make_admin

LAG, INTERVAL, WINDOWS, RULES, PAGE = 60, 60, 4, 3, 7
SECONDS = (0, 0, 0, 0.001, 1, 1, 1, 1, 1, 1, 1, 1, 29.5, 30, 59, 59.999)  # in each window
ROWS = [(window * INTERVAL + second, f"{window}-{n}") for window in range(WINDOWS) for n, second in enumerate(SECONDS)]
BEFORE = -0.001, "before"
KINDS = ("loki", "elasticsearch", "cloudwatch")

Add = Callable[[dt.datetime, str], None]


@override_settings(LOKI_LAG_SECONDS=LAG, ELASTICSEARCH_LAG_SECONDS=LAG, CLOUDWATCH_LAG_SECONDS=LAG)
class SearchingCase(TransactionTestCase):
    def loki(self) -> tuple[StandIn, Add, str]:
        stand_in = self.enterContext(loki.Loki())
        self.enterContext(self.settings(LOKI_URL=stand_in.url, LOKI_TENANT="", LOKI_USER="", LOKI_TOKEN=""))
        self.enterContext(mock.patch.object(loki_store, "PAGE", 12))  # a page has to hold a moment
        return stand_in, lambda at, n: stand_in.add(nanoseconds(at), f"failed {n}", n=n), '{n=~".+"} |= "failed"'

    def elasticsearch(self) -> tuple[StandIn, Add, str]:
        stand_in = self.enterContext(elasticsearch.Elasticsearch())
        self.enterContext(self.settings(ELASTICSEARCH_URL=stand_in.url, ELASTICSEARCH_API_KEY=""))
        self.enterContext(mock.patch.object(elastic_store, "PAGE", PAGE))
        self.addCleanup(elastic_store._products.clear)

        def add(at: dt.datetime, n: str) -> None:
            stand_in.add("logs-app", {"@timestamp": at.isoformat(), "message": "it failed", "n": n})

        return stand_in, add, "failed"

    def cloudwatch(self) -> tuple[StandIn, Add, str]:
        stand_in = self.enterContext(cloudwatch.CloudWatch())
        keys = {"AWS_ACCESS_KEY_ID": cloudwatch.KEY, "AWS_SECRET_ACCESS_KEY": cloudwatch.SECRET}
        self.enterContext(mock.patch.dict("os.environ", {**keys, "AWS_SESSION_TOKEN": ""}))
        groups = {"CLOUDWATCH_LOG_GROUPS": ["/app/shop"], "CLOUDWATCH_REGION": cloudwatch.REGION}
        self.enterContext(self.settings(CLOUDWATCH_ENDPOINT_URL=stand_in.url, **groups))
        self.enterContext(mock.patch.object(cloudwatch_store, "PAGE", PAGE))
        self.enterContext(mock.patch.object(cloudwatch_store, "FIRST_PAUSE", 0.01))
        self.addCleanup(cloudwatch_client.client_for.cache_clear)

        def add(at: dt.datetime, n: str) -> None:
            stand_in.add(nanoseconds(at) // 1_000_000, f'{{"failed": 1, "n": "{n}"}}')

        return stand_in, add, "fields @timestamp, @message, n | filter @message like /failed/"

    def serve(self, kind: str) -> tuple[StandIn, list[DetectionRule]]:
        """Serve a store with the rows, and let rules begin that raise an alert for every row."""
        stand_in, add, query = getattr(self, kind)()
        for second, n in (*ROWS, BEFORE):
            add(after(second), n)
        rules = [
            make_outside_rule(name=f"{kind} {number}", store=kind, query=query, threshold=1, group_by=["n"])
            for number in range(RULES)
        ]
        DetectionRule.objects.filter(store=kind).update(
            evaluated_until=START, next_run_at=START + dt.timedelta(seconds=INTERVAL + LAG)
        )
        return stand_in, rules

    def run_until_done(self, kind: str, stand_in: StandIn, look: Callable[[dt.datetime], None]) -> int:
        """Look again and again while the store is killed in the middle of answers; return how often it was."""
        choose, kills, moment = random.Random(7), 0, INTERVAL + LAG
        while DetectionRule.objects.filter(store=kind, evaluated_until__lt=after(WINDOWS * INTERVAL)).exists():
            self.assertLess(moment, 100_000)
            stand_in.kills = _after(choose.randrange(1, 10)) if kills < 12 else None
            look(after(moment))
            kills += stand_in.kills is None and kills < 12
            stand_in.kills = None
            stand_in.stop()  # and between searches
            stand_in.start()
            moment += 301  # beyond any pause
        return kills

    def assert_counted_once(self, rules: list[DetectionRule]) -> None:
        while process_waiting():
            pass
        for rule in rules:
            found = Alert.objects.filter(title__startswith=f"{rule.name}: ")
            counted = sorted((one.title.partition(": ")[2], one.occurrences) for one in found)
            self.assertEqual(counted, sorted((n, 1) for _second, n in ROWS))
            self.assertFalse([one.title for one in found if "1 lines within" not in one.description])


class RestartTests(SearchingCase):
    def test_it_counts_each_row_once_while_the_store_is_killed_in_mid_search(self):
        for kind in KINDS:
            stand_in, rules = self.serve(kind)
            with self.subTest(kind), self.assertLogs("logs.services.searching", "WARNING"):
                kills = self.run_until_done(kind, stand_in, searching.run_due)

                self.assertGreaterEqual(kills, 6)
                self.assert_counted_once(rules)
            DetectionRule.objects.filter(store=kind).update(is_enabled=False)

    def test_it_counts_each_row_once_however_many_workers_look(self):
        for kind in KINDS:
            stand_in, rules = self.serve(kind)
            connection.close()
            with self.subTest(kind), self.assertLogs("logs.services.searching", "WARNING"):
                self.run_until_done(kind, stand_in, lambda now: at_once([lambda: searching.run_due(now)] * 3))

                self.assert_counted_once(rules)
            DetectionRule.objects.filter(store=kind).update(is_enabled=False)


class RuleTests(SearchingCase):
    def setUp(self) -> None:
        self.admin = signed_in(make_admin())

    def post(self, kind: str, query: str, path: str = "", **more: object):
        facts = {"name": f"Over {kind}", "store": kind, "query": query, "threshold": 1, "severity": "high", **more}
        return self.admin.post(f"/api/v1/detection-rules/{path}", facts, "json")

    def test_it_says_which_setting_a_rule_needs(self):
        for kind, setting in zip(KINDS, ("LOKI_URL", "ELASTICSEARCH_URL", "CLOUDWATCH_REGION"), strict=True):
            with self.subTest(kind), self.settings(**{setting: ""}):
                response = self.post(kind, store_of(kind).example)

                self.assertEqual(response.status_code, 400)
                self.assertIn(setting, str(response.json()))

    def test_it_takes_a_store_s_own_example_and_refuses_what_can_be_none(self):
        for kind, nonsense in zip(KINDS, ("error", "{", "source logGroups()"), strict=True):
            getattr(self, kind)()
            with self.subTest(kind):
                self.assertEqual(self.post(kind, store_of(kind).example).status_code, 201)
                self.assertEqual(self.post(kind, nonsense).status_code, 400)

    def test_it_backtests_a_query_in_the_store(self):
        for kind in KINDS:
            _stand_in, add, query = getattr(self, kind)()
            for second in (1, 2, 61):
                add(after(second), f"n{second}")
            span = {"since": after(0).isoformat(), "until": after(180).isoformat()}
            with self.subTest(kind):
                response = self.post(kind, query, "backtest/", **span)

                self.assertEqual(response.status_code, 200, response.content)
                (found,) = response.json()["alerts"]
                self.assertEqual((found["windows"], found["peak"]), (2, 2))


def nanoseconds(at: dt.datetime) -> int:
    return (at - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(microseconds=1) * 1000


def _after(requests: int) -> Callable[[object], bool]:
    """Return what kills the server with the answer after so many."""
    left = [requests]

    def is_killed(_request: object) -> bool:
        left[0] -= 1
        return left[0] < 0

    return is_killed
