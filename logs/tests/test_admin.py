import datetime as dt
from unittest.mock import patch

from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from alerts.services import process_waiting
from alerts.services.enqueueing import enqueue
from alerts.tests.factories import make_source
from alerts.updates import AlertUpdate
from core.api.paging import BoundedPages
from logs.lines import Line
from logs.models import DetectionRule, LogEntry
from logs.services.storing import store
from logs.vocabulary import Level
from users.tests.factories import make_admin, make_responder

LIST = reverse("admin:logs_logentry_changelist")
RULES = reverse("admin:logs_detectionrule_changelist")


class LineTests(TestCase):
    def setUp(self) -> None:
        self.now = timezone.now()
        self.source = make_source(name="Collector", kind="logs")
        self.client.force_login(make_responder())

    def write(self, message: str, minutes: int = 1, **facts: object) -> None:
        line = Line(message, timestamp=self.now - dt.timedelta(minutes=minutes), **facts)
        store([line], self.source, self.now)

    def shown(self, query: str) -> list[str]:
        return [line.message for line in self.client.get(LIST + query).context["cl"].result_list]

    def test_it_filters_and_searches(self) -> None:
        self.write("Refused", 1, level=Level.ERROR, service="checkout", host="web-1", trace_id="ab" * 16)
        self.write("Slow answer", 90, level=Level.WARNING, service="checkout")
        self.write("Fine", 2, service="search")
        cases = {
            "": ["Refused", "Fine", "Slow answer"],
            "?level_min=warning": ["Refused", "Slow answer"],
            "?level_min=nonsense": [],
            "?time=hour": ["Refused", "Fine"],
            f"?source={self.source.pk}": ["Refused", "Fine", "Slow answer"],
            "?source=x": [],
            "?q=service=checkout": ["Refused", "Slow answer"],
            "?q=service=checkout+SLOW": ["Slow answer"],
            f"?q=trace_id={'ab' * 16}": ["Refused"],
            "?q=host=web-1&level_min=critical": [],
            f"?q={'x' * 300}": [],
        }

        for query, expected in cases.items():
            with self.subTest(query):
                self.assertEqual(self.shown(query), expected)

    def test_it_pages_to_the_end_and_back(self) -> None:
        for number in range(5):
            self.write(str(number), 10 - number)
        seen, query, back = [], "?q=", ""

        with patch("logs.admin.LogEntryAdmin.list_per_page", 2):
            while query:
                changes = self.client.get(LIST + query).context["cl"]
                seen.append([line.message for line in changes.result_list])
                query, back = changes.next_url, changes.previous_url
            before = self.shown(back)

        self.assertEqual(seen, [["4", "3"], ["2", "1"], ["0"]])
        self.assertEqual(before, ["2", "1"])

    def test_it_goes_on_where_it_stopped_looking(self) -> None:
        self.write("wanted", 90)
        for number in range(20):
            self.write(f"other {number}", number + 1)
        seen, query = [], "?q=wanted"

        with patch.object(BoundedPages, "looked_through", 5):
            while query and len(seen) < 20:
                changes = self.client.get(LIST + query).context["cl"]
                seen.append(len(changes.result_list))
                query = changes.next_url

        self.assertEqual(sum(seen), 1)
        self.assertGreater(len(seen), 2)

    def test_it_costs_the_same_at_any_number_and_counts_nothing(self) -> None:
        self._grow(10)
        few = [len(self._queries(url)) for url in (LIST, f"{LIST}?q=line&level_min=info")]
        self._grow(190)

        many = [self._queries(url) for url in (LIST, f"{LIST}?q=line&level_min=info")]

        self.assertEqual([len(queries) for queries in many], few)
        self.assertFalse([sql for queries in many for sql in queries if "COUNT(" in sql])

    def _grow(self, number: int) -> None:
        for index in range(number):
            self.write(f"line {index}", index + 1)

    def _queries(self, url: str) -> list[str]:
        self.client.get(url)
        with CaptureQueriesContext(connection) as found:
            self.client.get(url)
        return [query["sql"] for query in found]

    def test_it_shows_one_line_whole(self) -> None:
        self.write("<b>Refused</b>", attributes={"status": 502, "x": "<i>y</i>"})

        answer = self.client.get(reverse("admin:logs_logentry_change", args=[LogEntry.objects.get().pk]))

        self.assertContains(answer, "&lt;b&gt;Refused")
        self.assertContains(answer, "<td>502</td>")
        self.assertContains(answer, "&lt;i&gt;y")


class RuleTests(TestCase):
    def setUp(self) -> None:
        self.client.force_login(make_admin())

    def form(self, **changes: object) -> dict[str, object]:
        return {
            "name": "Refusals",
            "is_enabled": "on",
            "severity": "high",
            "query": "refused",
            "level": "",
            "service": "",
            "store": "internal",
            "mode": "threshold",
            "threshold": 2,
            "window_seconds": 300,
            "check_interval_seconds": 60,
            "group_by": "host",
            **changes,
        }

    def make(self) -> DetectionRule:
        self.client.post(reverse("admin:logs_detectionrule_add"), self.form())
        return DetectionRule.objects.get(name="Refusals")

    def test_it_writes_rules_by_the_service(self) -> None:
        rule = self.make()
        begun = rule.changed_at

        self.client.post(reverse("admin:logs_detectionrule_change", args=[rule.pk]), self.form(threshold=3))

        rule.refresh_from_db()
        self.assertEqual((rule.threshold, rule.group_by, rule.source.kind), (3, ["host"], "logs"))
        self.assertGreater(rule.changed_at, begun)
        self.assertIsNotNone(rule.next_run_at)

    def test_it_says_what_cannot_be_evaluated(self) -> None:
        cases = {"query": {"query": "/(/"}, "group_by": {"group_by": "colour"}, "threshold": {"threshold": 0}}

        for field, changes in cases.items():
            with self.subTest(field):
                answer = self.client.post(reverse("admin:logs_detectionrule_add"), self.form(**changes))

                self.assertIn(field, answer.context["adminform"].form.errors)

    def test_it_keeps_what_comes_with_the_system(self) -> None:
        rule = DetectionRule.objects.get(is_builtin=True)
        page = reverse("admin:logs_detectionrule_change", args=[rule.pk])

        renamed = self.client.post(page, self.form(mode="immediate", query="", level=Level.CRITICAL))
        gone = self.client.post(reverse("admin:logs_detectionrule_delete", args=[rule.pk]), {"post": "yes"})

        rule.refresh_from_db()
        self.assertContains(renamed, "is built in; only")
        self.assertEqual((gone.status_code, rule.name == "Refusals"), (403, False))

    def test_it_counts_the_firing_alerts_of_every_kind_of_rule(self) -> None:
        immediate, threshold = DetectionRule.objects.get(is_builtin=True), self.make()
        DetectionRule.objects.filter(pk=threshold.pk).update(is_enabled=False)
        names = (
            f"rule:{threshold.pk}",
            f"rule:{immediate.pk}:ab",
            f"rule:{immediate.pk}:cd",
            f"rule:{immediate.pk}{threshold.pk}0:ef",
        )
        enqueue(threshold.source, [AlertUpdate(title="Fires", fingerprint=name) for name in names])
        process_waiting()

        rules = self.client.get(RULES).context["cl"].result_list

        self.assertEqual({rule.pk: rule.firing for rule in rules}, {immediate.pk: 2, threshold.pk: 1})
        self.assertContains(self.client.get(RULES), "2 firing")

    def test_it_tries_a_rule_on_the_past(self) -> None:
        rule, now = self.make(), timezone.now()
        lines = [Line("Refused", timestamp=now - dt.timedelta(minutes=30, seconds=n), host="a") for n in range(3)]
        store(lines, None, now)
        url = reverse("admin:logs_detectionrule_try", args=[rule.pk])
        since = {"since_0": f"{now - dt.timedelta(days=1):%Y-%m-%d}", "since_1": "00:00"}
        until = {"until_0": f"{now + dt.timedelta(days=1):%Y-%m-%d}", "until_1": "00:00"}

        answer = self.client.post(url, {**since, **until})
        backwards = self.client.post(url, {**since, "until_0": "2020-01-01", "until_1": "00:00"})

        self.assertContains(answer, "would have raised 1 alert")
        self.assertContains(answer, "Refused")
        self.assertContains(backwards, "since must be before until")

    def test_it_lists_rules_in_words(self) -> None:
        self.make()

        answer = self.client.get(RULES)

        self.assertContains(answer, "refused: 2 within 300 s")
        self.assertContains(answer, "critical or worse: each line")
