"""From lines to alerts: at once, and window by window, however many look."""

import datetime as dt
from functools import partial

from django.test import TestCase, TransactionTestCase
from django.utils import timezone

from alerts.models import Alert
from alerts.services import process_waiting
from core.db.tests.threads import at_once
from core.errors import Conflict
from intake.models import IntakeEvent
from logs.lines import Line
from logs.models import DetectionRule
from logs.services import detecting, rules
from logs.tests.rules import after, make_rule, write
from logs.vocabulary import Level


def alerts() -> list[tuple[str, str, int]]:
    """Each alert's title, status and occurrences, once the queue is empty."""
    while process_waiting():
        pass
    return list(Alert.objects.order_by("title").values_list("title", "status", "occurrences"))


class ThresholdTests(TestCase):
    def setUp(self) -> None:
        DetectionRule.objects.filter(is_builtin=True).update(is_enabled=False)
        rules.clear_cache()

    def test_it_raises_an_alert_with_an_incident(self):
        make_rule(name="Errors")
        write(1, 2, 3, service="pay")

        done = detecting.run_due(after(65))

        self.assertEqual((done, alerts()), (1, [("Errors", "firing", 1)]))
        alert = Alert.objects.get()
        self.assertIn("3 lines within 60 seconds up to 2026-11-21 10:01:00 UTC", alert.description)
        self.assertIn("it failed", alert.description)
        self.assertEqual((alert.labels["rule"], alert.severity, alert.incident.title), ("Errors", 3, "Errors"))

    def test_it_waits_until_the_window_has_settled(self):
        rule = make_rule()
        detecting.run_due(after(5))
        write(1, 2)

        done = [detecting.run_due(after(seconds)) for seconds in (60, 64.9, 65)]

        rule.refresh_from_db()
        self.assertEqual((done, rule.evaluated_until), ([0, 0, 1], after(60)))

    def test_it_resolves_when_a_later_window_is_below_the_threshold(self):
        make_rule(name="Errors")
        write(1, 2, 61, 62)

        states = []
        for seconds in (65, 125, 185):
            detecting.run_due(after(seconds))
            states.append(alerts())

        self.assertEqual(states, [[("Errors", "firing", 1)], [("Errors", "firing", 2)], [("Errors", "resolved", 2)]])

    def test_it_raises_an_alert_for_each_group(self):
        make_rule(name="Errors", group_by=["service"])
        write(1, 2, service="pay")
        write(1, 2, 3, service="mail")
        write(1, service="web")

        detecting.run_due(after(65))

        self.assertEqual([title for title, *_ in alerts()], ["Errors: mail", "Errors: pay"])
        self.assertEqual(Alert.objects.get(title="Errors: pay").labels["service"], "pay")

    def test_it_takes_level_service_and_query_into_account(self):
        make_rule(name="Mine", service="pay", query='timeout -"dry run"')
        write(1, 2, message="timeout", service="mail")
        write(1, 2, message="timeout", service="pay", level=Level.WARNING)
        write(1, 2, message="timeout in dry run", service="pay")
        detecting.run_due(after(65))
        before = alerts()

        write(61, 62, message="Timeout", service="pay")
        detecting.run_due(after(125))

        self.assertEqual((before, alerts()), ([], [("Mine", "firing", 1)]))

    def test_it_looks_at_attributes(self):
        make_rule(name="Bad gateway", query="status:502", group_by=["attributes.zone"])
        write(1, 2, attributes={"status": 502, "zone": "a"})
        write(1, 2, attributes={"status": 500, "zone": "b"})

        detecting.run_due(after(65))

        self.assertEqual([title for title, *_ in alerts()], ["Bad gateway: a"])

    def test_it_evaluates_missed_windows_in_their_order(self):
        rule = make_rule(name="Errors")
        detecting.run_due(after(5))
        write(61, 62, 181, 182, 241, 242)

        done = detecting.run_due(after(310))

        rule.refresh_from_db()
        self.assertEqual((done, rule.evaluated_until), (1, after(300)))
        self.assertEqual(alerts(), [("Errors", "firing", 3)])
        self.assertEqual(Alert.objects.get().starts_at, after(240))

    def test_it_goes_on_in_the_next_run_after_a_long_outage(self):
        rule = make_rule()
        detecting.run_due(after(5))
        write(3 * 3600, 3 * 3600 + 1)

        runs = 0
        while detecting.run_due(after(4 * 3600)):
            runs += 1

        rule.refresh_from_db()
        self.assertEqual((runs, rule.evaluated_until), (4, after(4 * 3600 - 60)))
        self.assertEqual([status for _title, status, _count in alerts()], ["resolved"])

    def test_it_leaves_out_windows_that_ended_more_than_a_day_ago(self):
        rule = make_rule()
        detecting.run_due(after(5))
        write(100, 101)

        while detecting.run_due(after(30 * 3600)):
            pass

        rule.refresh_from_db()
        self.assertEqual((rule.evaluated_until, alerts()), (after(30 * 3600 - 60), []))

    def test_it_does_not_count_lines_that_come_after_their_window_was_looked_at(self):
        make_rule()
        write(1)
        detecting.run_due(after(65))

        write(2)
        detecting.run_due(after(125))

        self.assertEqual(alerts(), [])

    def test_it_reads_the_lines_once_for_many_rules(self):
        for number in range(20):
            make_rule(query=f"word{number}")
        write(1, 2, message="word7")
        with self.assertNumQueries(14):
            detecting.run_due(after(65))

        self.assertEqual([title for title, *_ in alerts()], ["Rule 8"])

    def test_it_enters_nothing_for_a_rule_that_was_changed_meanwhile(self):
        rule = make_rule()
        write(1, 2)
        tasks = [detecting.task_of(one, after(65)) for one in detecting.lease(after(65))]
        detecting.evaluate(tasks, after(65))
        rule.threshold = 5
        rules.save_rule(rule, now=after(66))

        entered = detecting.enter(tasks, after(67))

        self.assertEqual((entered, alerts()), (0, []))

    def test_it_takes_over_what_a_worker_left_when_it_died(self):
        make_rule(name="Errors", window_seconds=120)
        write(1, 2)
        detecting.lease(after(65))

        done = [detecting.run_due(after(seconds)) for seconds in (66, 124, 125)]

        self.assertEqual(done, [0, 0, 1])
        self.assertEqual(alerts(), [("Errors", "firing", 1)])

    def test_it_lets_other_rules_run_when_a_query_is_no_longer_one(self):
        broken, _sound = make_rule(), make_rule(name="Sound")
        DetectionRule.objects.filter(pk=broken.pk).update(query="/[/")
        write(1, 2)

        detecting.run_due(after(65))

        self.assertEqual(alerts(), [("Sound", "firing", 1)])


class WritingTests(TestCase):
    def test_it_ends_what_a_rule_raised_when_it_is_switched_off_or_deleted(self):
        for end in (lambda rule: rules.delete_rule(rule), self._switch_off):
            rule = make_rule(name="Errors")
            write(1, 2)
            detecting.run_due(after(65))
            with self.subTest(end):
                before = alerts()[-1]
                end(DetectionRule.objects.get(pk=rule.pk))

                self.assertEqual((before[1], alerts()[-1][1]), ("firing", "resolved"))

    def test_it_goes_on_counting_when_only_the_name_changes(self):
        rule = make_rule()
        write(1, 2)
        detecting.run_due(after(65))
        rule.name = "Other"

        rules.save_rule(rule)

        rule.refresh_from_db()
        self.assertEqual((rule.name, rule.evaluated_until), ("Other", after(60)))
        self.assertIn("firing", rule.state)

    def test_it_keeps_the_built_in_rule(self):
        rule = rules.ensure_builtin()
        rule.query = "other"

        with self.assertRaises(Conflict):
            rules.save_rule(rule)
        with self.assertRaises(Conflict):
            rules.delete_rule(rule)

    def _switch_off(self, rule: DetectionRule) -> None:
        rule.is_enabled = False
        rules.save_rule(rule)


class ImmediateTests(TestCase):
    def setUp(self) -> None:
        rules.clear_cache()
        self.rule = rules.ensure_builtin()

    def test_it_raises_one_alert_for_a_thousand_critical_lines_of_a_kind(self):
        lines = [
            Line(f"Disk {number} of 10.0.0.{number % 250} lost", level=Level.CRITICAL, service="pay")
            for number in range(1000)
        ]

        detecting.on_lines(lines)

        self.assertEqual(alerts(), [("Critical log line: pay: Disk <*> of <*> lost", "firing", 1)])
        self.assertIn("1,000 lines", Alert.objects.get().description)
        self.assertEqual(Alert.objects.get().severity, 4)

    def test_it_leaves_lesser_lines_alone_without_a_query(self):
        rules.immediate()

        with self.assertNumQueries(0):
            told = detecting.on_lines([Line("bad", level=Level.ERROR)] * 1000)

        self.assertEqual(told, 0)

    def test_it_tells_services_and_kinds_of_lines_apart(self):
        write(1, message="down", level=Level.CRITICAL, service="pay")
        write(1, message="down", level=Level.CRITICAL, service="mail")
        write(1, message="on fire", level=Level.CRITICAL, service="mail")

        self.assertEqual(len(alerts()), 3)

    def test_it_bounds_the_alerts_of_a_delivery(self):
        lines = [Line("x " * number, level=Level.CRITICAL) for number in range(1, 300)]

        told = detecting.on_lines(lines)

        self.assertEqual(told, 101)

    def test_it_expires_when_no_such_line_comes_any_more(self):
        now = timezone.now()

        detecting.on_lines([Line("down", level=Level.CRITICAL)], now=now)

        alerts()
        self.assertEqual(Alert.objects.get().expires_at, now + dt.timedelta(seconds=self.rule.window_seconds))

    def test_it_can_be_tuned(self):
        self.rule.level, self.rule.service, self.rule.severity = Level.ERROR, "pay", "low"
        rules.save_rule(self.rule)

        write(1, level=Level.ERROR, service="mail")
        write(1, level=Level.ERROR, service="pay")

        self.assertEqual([title for title, *_ in alerts()], ["Critical log line: pay: it failed"])

    def test_it_does_nothing_when_switched_off(self):
        self.rule.is_enabled = False
        rules.save_rule(self.rule)

        write(1, level=Level.CRITICAL)

        self.assertEqual(alerts(), [])


class ManyWorkersTests(TransactionTestCase):
    def test_it_enters_each_window_once_however_many_workers_look(self):
        for number in range(10):
            make_rule(name=f"Rule {number}", group_by=["service"])
        for minute in range(5):
            write(*(minute * 60 + second for second in (1, 2)), service="pay")
            looks = at_once([partial(self._look, after(minute * 60 + 65))] * 8)
            self.assertEqual(looks, [None] * 8)

        self.assertEqual(IntakeEvent.objects.count(), 5)
        self.assertEqual([count for _title, _status, count in alerts()], [5] * 10)

    def test_it_enters_what_several_have_read_once(self):
        make_rule()
        write(1, 2)
        task = detecting.task_of(detecting.lease(after(65))[0], after(65))
        detecting.evaluate([task], after(65))

        entered = at_once([lambda: detecting.enter([task], after(65))] * 8)

        self.assertEqual((sorted(entered), IntakeEvent.objects.count()), ([0] * 7 + [1], 1))

    def _look(self, now: dt.datetime) -> None:
        while detecting.run_due(now):
            pass
