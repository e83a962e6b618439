"""Rules over outside stores: each window searched until it was searched whole, and entered once."""

from dataclasses import replace
from threading import Event
from unittest import mock

from django.core.exceptions import ValidationError
from django.db import OperationalError, connection
from django.test import TestCase, TransactionTestCase

from alerts.models import Alert
from alerts.services import maintenance
from core.db.tests.threads import at_once
from core.server.jobs import stopping_by
from intake.models import IntakeEvent
from logs.jobs import search_stores
from logs.models import DetectionRule, Mode
from logs.services import detecting, searching
from logs.services.rules import delete_rule, faulty_rules, save_rule
from logs.sources import outside
from logs.sources.outside import Found, Row, StoreFailed
from logs.tests.rules import after
from logs.tests.stores import LAG, FakeStore, make_outside_rule, serve
from logs.tests.test_detecting import alerts

DOWN = StoreFailed("Elsewhere is down.")
WRONG = StoreFailed("Elsewhere refused the query.", is_permanent=True)
AGES = 20  # seconds, after which a round begins no further searches
PATIENCE = 30  # seconds
DUE = 60 + LAG  # the first window after START has settled


def begin(rule: DetectionRule) -> None:
    """Let a rule have evaluated everything until START."""
    DetectionRule.objects.filter(pk=rule.pk).update(evaluated_until=after(0), next_run_at=after(DUE))


class WindowTests(TestCase):
    def setUp(self) -> None:
        self.store = serve(self)

    def test_it_raises_an_alert_that_says_what_was_searched(self):
        rule = make_outside_rule(name="Failures", severity="critical")
        begin(rule)
        self.store.add(1, 59.9)

        done = searching.run_due(after(DUE))

        self.assertEqual((done, alerts()), (1, [("Failures", "firing", 1)]))
        alert = Alert.objects.get()
        self.assertIn("2 lines within 60 seconds up to 2026-11-21 10:01:00 UTC; the threshold is 2.", alert.description)
        self.assertIn("Elsewhere from 2026-11-21 10:00:00 to 2026-11-21 10:01:00 UTC: failed", alert.description)
        self.assertIn("it failed", alert.description)
        self.assertEqual((alert.severity, alert.labels["store"], alert.labels["rule"]), (4, "elsewhere", "Failures"))

    def test_it_tells_the_largest_of_many_groups_by_name(self):
        begin(make_outside_rule(name="By host", group_by=["host"], threshold=150))
        for number in range(140):
            self.store.add(1, host=f"h{number}")
        for _ in range(150):
            self.store.add(2, host="loud")

        searching.run_due(after(DUE))

        self.assertEqual(alerts(), [("By host: loud", "firing", 1)])

    def test_it_keeps_what_no_database_takes_out_of_an_alert(self):
        begin(make_outside_rule(name="By host", group_by=["host"]))
        self.store.add(1, 2, host="a\0\ud800", text="failed \udfff\0 " + "x" * 1_000_000)

        searching.run_due(after(DUE))

        self.assertEqual(alerts(), [("By host: a?", "firing", 1)])
        self.assertIn("failed ? xxx", Alert.objects.get().description)

    def test_it_searches_a_window_once_its_rows_had_time_to_arrive(self):
        begin(make_outside_rule())

        done = [searching.run_due(after(seconds)) for seconds in (60, DUE - 0.1, DUE, DUE + 0.1)]

        self.assertEqual(done, [0, 0, 1, 0])
        self.assertEqual(self.store.searches, [("failed", after(0), after(60))])

    def test_it_searches_windows_that_follow_each_other(self):
        rule = make_outside_rule()
        begin(rule)

        search_stores(after(DUE + 5 * 60))

        rule.refresh_from_db()
        ends = [until for _query, _since, until in self.store.searches]
        self.assertEqual(ends, [after(60 * number) for number in range(1, 7)])
        self.assertEqual([since for _query, since, _until in self.store.searches], [after(0), *ends[:-1]])
        self.assertEqual((rule.evaluated_until, rule.next_run_at), (after(360), after(420 + LAG)))

    def test_it_begins_no_searches_when_the_worker_is_to_stop(self):
        begin(make_outside_rule())
        stopping = Event()
        stopping.set()

        with stopping_by(stopping):
            search_stores(after(DUE + 5 * 60))

        self.assertEqual(self.store.searches, [])

    def test_it_counts_a_row_in_every_window_that_contains_it(self):
        begin(make_outside_rule(name="Long", window_seconds=180, threshold=3))
        self.store.add(50, 100, 170)

        search_stores(after(DUE + 4 * 60))

        self.assertEqual(alerts(), [("Long", "resolved", 1)])
        self.assertEqual(Alert.objects.get().starts_at, after(180))

    def test_it_raises_an_alert_for_each_group_and_resolves_it_below_the_threshold(self):
        begin(make_outside_rule(name="By host", group_by=["host"]))
        self.store.add(1, 2, host="a")
        self.store.add(3, host="b")
        self.store.add(61, 62, host="b")

        search_stores(after(DUE + 60))

        self.assertEqual(alerts(), [("By host: a", "resolved", 1), ("By host: b", "firing", 1)])

    def test_it_takes_over_what_a_worker_left_when_it_died(self):
        begin(make_outside_rule(name="Failures"))
        self.store.add(1, 2)
        searching.held.claim_many(DetectionRule.objects.due_elsewhere(after(DUE))[:1], after(DUE))

        done = [searching.run_due(after(DUE + seconds)) for seconds in (1, 179, 180)]

        self.assertEqual((done, alerts()), ([0, 0, 1], [("Failures", "firing", 1)]))

    def test_it_skips_what_is_too_old_to_help(self):
        rule = make_outside_rule()
        begin(rule)

        with self.assertLogs("logs.services.searching", "WARNING"):
            searching.run_due(after(DUE + 2 * 24 * 3600))

        self.assertEqual(self.store.searches[0][2], after(60 + 24 * 3600 + 60))

    def test_it_leaves_our_own_lines_to_the_other_job(self):
        begin(make_outside_rule())

        self.assertEqual(detecting.run_due(after(DUE)), 0)

    def test_it_starts_afresh_when_the_query_changes(self):
        rule = make_outside_rule(name="Failures")
        begin(rule)
        self.store.add(1, 2)
        searching.run_due(after(DUE))
        rule.refresh_from_db()

        rule.query = "gone"
        save_rule(rule, now=after(DUE + 1))

        self.assertEqual(alerts(), [("Failures", "resolved", 1)])

    def test_it_enters_nothing_for_a_rule_that_changed_meanwhile(self):
        rule = make_outside_rule()
        begin(rule)
        rule.refresh_from_db()
        window = searching.window_of(rule, after(DUE))
        save_rule(DetectionRule(pk=rule.pk, threshold=1), only=["threshold"], now=after(DUE))

        found = Found([Row({}, "failed", None)] * 2)
        entered = searching.enter(window, found, searching.count_rows(window.spec, found, window.end), after(DUE))

        self.assertFalse(entered)
        self.assertFalse(IntakeEvent.objects.exists())

    def test_it_enters_a_window_once_whoever_comes_late(self):
        rule = make_outside_rule(name="Failures")
        begin(rule)
        rule.refresh_from_db()
        window = searching.window_of(rule, after(DUE))
        found = Found([Row({}, "failed", None)] * 2)

        entered = [
            searching.enter(window, found, searching.count_rows(window.spec, found, window.end), after(DUE + late))
            for late in (0, 200)
        ]
        searching.fail(window, DOWN, after(DUE + 201))

        rule.refresh_from_db()
        self.assertEqual((entered, rule.failures, alerts()), ([True, False], 0, [("Failures", "firing", 1)]))


class FailureTests(TestCase):
    def setUp(self) -> None:
        self.store = serve(self)
        self.rule = make_outside_rule(name="Failures")
        begin(self.rule)

    def run_at(self, seconds: float) -> DetectionRule:
        searching.run_due(after(seconds))
        self.rule.refresh_from_db()
        return self.rule

    def test_it_searches_a_window_again_after_growing_pauses(self):
        self.store.add(1, 2)
        self.store.troubles = [DOWN, DOWN]

        first = self.run_at(DUE).next_run_at - after(DUE)
        second = self.run_at(DUE + 20).next_run_at - after(DUE + 20)
        self.run_at(DUE + 60)

        self.assertEqual((round(first.total_seconds()), round(second.total_seconds())), (15, 30))
        self.assertEqual([until for _query, _since, until in self.store.searches], [after(60)] * 3)
        self.assertEqual(alerts(), [("Failures", "firing", 1)])
        self.assertEqual((self.rule.failures, self.rule.last_error, self.rule.failing_since), (0, "", None))

    def test_it_leaves_a_store_alone_for_as_long_as_it_asks_within_reason(self):
        pauses = []
        for number, wait in enumerate((120, 1, 86_400)):
            self.store.troubles = [StoreFailed("Elsewhere is busy.", wait=wait)]
            moment = DUE + number * 400
            pauses.append(round((self.run_at(moment).next_run_at - after(moment)).total_seconds()))

        self.assertEqual(pauses, [120, 30, 300])

    def test_it_keeps_the_first_window_of_a_new_rule(self):
        rule = make_outside_rule(name="New")
        self.store.troubles = [DOWN, DOWN]

        searching.run_due(after(30))
        rule.refresh_from_db()

        self.assertEqual(self.store.searches[0][2], after(-60))
        self.assertEqual(rule.evaluated_until, after(-120))

    def test_it_raises_one_alert_for_a_rule_that_keeps_failing_and_resolves_it(self):
        self.store.troubles = [DOWN] * 5

        states = []
        for number in range(6):
            self.run_at(DUE + number * 400)
            states.append([(title, status) for title, status, _number in alerts()])

        firing, over = [("Detection rule fails: Failures", "firing")], [("Detection rule fails: Failures", "resolved")]
        self.assertEqual(states, [[], [], firing, firing, firing, over])
        alert = Alert.objects.get()
        self.assertEqual((alert.severity, alert.occurrences), (3, 1))
        self.assertIn("cannot search Elsewhere since 2026-11-21 10:02:00 UTC", alert.description)
        self.assertIn("it has looked at everything until 2026-11-21 10:00:00 UTC", alert.description)
        self.assertIn("Elsewhere is down.", alert.description)

    def test_it_raises_the_alert_at_once_where_trying_again_is_useless(self):
        for trouble in (WRONG, ValidationError("A parenthesis is open.")):
            self.store.troubles = [WRONG]
            with self.subTest(str(trouble)):
                rule = self.run_at(DUE)

                self.assertTrue(rule.is_failing)
                self.assertEqual(alerts(), [("Detection rule fails: Failures", "firing", 1)])

    def test_it_says_which_setting_is_missing(self):
        self.store.reason = "Set ELSEWHERE_URL."

        rule = self.run_at(DUE)

        self.assertEqual((rule.is_failing, rule.last_error, self.store.searches), (True, "Set ELSEWHERE_URL.", []))
        self.assertEqual(faulty_rules(), [(rule, "Set ELSEWHERE_URL.")])

    def test_it_resolves_nothing_while_the_store_is_away(self):
        self.store.add(1, 2)
        self.run_at(DUE)
        alerts()
        self.store.troubles = [DOWN] * 9
        for number in range(1, 10):
            self.run_at(DUE + number * 400)

        maintenance.expire(after(DUE + 4000))
        during = alerts()
        self.run_at(DUE + 4000)

        self.assertIn(("Failures", "firing", 1), during)
        self.assertIn(("Failures", "resolved", 1), alerts())

    def test_it_makes_a_failure_of_what_nobody_foresaw(self):
        self.store.troubles = [KeyError("host")]

        with self.assertLogs("logs.services.searching", "ERROR"):
            rule = self.run_at(DUE)

        self.assertEqual((rule.failures, rule.evaluated_until), (1, after(0)))
        self.assertIn("KeyError", rule.last_error)

    def test_it_fires_on_a_cut_answer_that_reaches_the_threshold_and_says_so(self):
        self.store.troubles = [Found([Row({}, "failed", None)] * 2, is_cut=True, warnings=["Two peers are away."])]

        self.run_at(DUE)

        self.assertEqual(alerts(), [("Failures", "firing", 1)])
        self.assertIn("The answer was cut at 2 rows: there may be more.", Alert.objects.get().description)
        self.assertIn("Two peers are away.", Alert.objects.get().description)

    def test_it_takes_no_cut_answer_for_few_rows(self):
        cut = Found([Row({}, "failed", None)], is_cut=True)
        self.store.troubles = [cut, cut, cut]

        kept = [self.run_at(DUE + number * 400).evaluated_until for number in range(3)]

        self.assertEqual(kept, [after(0), after(0), after(60)])  # said, then later windows get their turn
        self.assertEqual(alerts(), [("Detection rule fails: Failures", "firing", 1)])
        self.assertIn("was cut at 1 rows", self.rule.last_error)

    def test_it_never_leaves_out_a_window_for_lack_of_time(self):
        late = Found([Row({}, "failed", None)], is_cut=True, is_late=True)
        self.store.troubles = [late] * 5

        kept = [self.run_at(DUE + number * 400).evaluated_until for number in range(6)]

        self.assertEqual(kept, [after(0)] * 5 + [after(60)])

    def test_it_fires_for_each_group_that_reaches_the_threshold_in_a_cut_answer(self):
        self.rule.group_by = ["host"]
        save_rule(self.rule, only=["group_by"], now=after(0))
        begin(self.rule)
        rows = [Row({"host": host}, "failed", None) for host in "abbacd" for _ in range(1 + (host == "c"))]
        self.store.troubles = [Found(rows, is_cut=True)]

        self.run_at(DUE)

        self.assertEqual(alerts(), [(f"Failures: {host}", "firing", 1) for host in "abc"])

    def test_it_waits_for_a_part_of_the_store_that_was_away(self):
        part = Found([Row({}, "failed", None)], is_cut=True, is_late=True, warnings=["A peer is away."])
        self.store.troubles = [part] * 4

        kept = [self.run_at(DUE + number * 400).evaluated_until for number in range(4)]

        self.assertEqual(kept, [after(0)] * 4)
        self.assertIn("ended early, after 1 rows", self.rule.last_error)
        self.assertIn("A peer is away.", self.rule.last_error)

    def test_it_enters_the_windows_of_others_where_one_cannot_be(self):
        for number in range(3):
            begin(make_outside_rule(name=f"Rule {number}"))
        self.store.add(1, 2)
        enter = searching.enter

        def broken(window: searching.Window, *args: object) -> bool:
            if window.rule.name == "Rule 1":
                raise OperationalError("gone")
            return enter(window, *args)

        with mock.patch.object(searching, "enter", broken), self.assertRaises(OperationalError):
            searching.run_due(after(DUE))
        during = [title for title, _status, _number in alerts()]
        searching.run_due(after(DUE + 181))

        self.assertEqual(during, ["Failures", "Rule 0", "Rule 2"])
        self.assertIn(("Rule 1", "firing", 1), alerts())

    def test_it_lets_groups_fire_on_of_which_a_cut_answer_says_nothing(self):
        self.rule.group_by = ["host"]
        save_rule(self.rule, only=["group_by"], now=after(0))
        begin(self.rule)
        self.store.add(1, 2, host="a")
        self.run_at(DUE)
        self.store.troubles = [Found([Row({"host": "b"}, "failed", None)] * 2, is_cut=True)]

        self.run_at(DUE + 60)
        during = alerts()
        self.run_at(DUE + 120)

        self.assertEqual([status for _title, status, _number in during], ["firing", "firing"])
        self.assertEqual([status for _title, status, _number in alerts()], ["resolved", "resolved"])

    def test_it_ends_the_alert_of_a_rule_that_is_changed_disabled_or_deleted(self):
        def disable(rule: DetectionRule) -> None:
            rule.is_enabled = False
            save_rule(rule, only=["is_enabled"])

        for number, end in enumerate((disable, delete_rule)):
            rule = make_outside_rule(name=f"Broken {number}")
            begin(rule)
            self.store.troubles = [WRONG, WRONG]
            searching.run_due(after(DUE))
            with self.subTest(end.__name__):
                self.assertIn((f"Detection rule fails: Broken {number}", "firing", 1), alerts())
                rule.refresh_from_db()

                end(rule)

                self.assertIn((f"Detection rule fails: Broken {number}", "resolved", 1), alerts())


class RuleTests(TestCase):
    def setUp(self) -> None:
        self.store = serve(self)

    def test_it_refuses_what_only_rules_over_our_own_lines_know(self):
        for fields, name in (
            ({"level": 5}, "level"),
            ({"service": "pay"}, "service"),
            ({"mode": Mode.IMMEDIATE}, "mode"),
            ({"query": " "}, "query"),
            ({"query": "("}, "query"),
            ({"check_interval_seconds": 5}, "check_interval_seconds"),
            ({"group_by": [""]}, "group_by"),
            ({"threshold": 10_001}, "threshold"),
            ({"store": "nowhere"}, "store"),
        ):
            with self.subTest(fields), self.assertRaises(ValidationError) as caught:
                make_outside_rule(**fields)
            self.assertEqual(set(caught.exception.message_dict), {name})

    def test_it_refuses_a_store_that_is_not_set_up_unless_the_rule_is_off(self):
        self.store.reason = "Set ELSEWHERE_URL."

        with self.assertRaisesMessage(ValidationError, "Set ELSEWHERE_URL."):
            make_outside_rule()
        self.assertFalse(make_outside_rule(is_enabled=False).is_enabled)

    def test_it_takes_any_field_to_group_by(self):
        self.assertEqual(make_outside_rule(group_by=["errorCode", "user.name"]).group_by, ["errorCode", "user.name"])


class WorkersTests(TransactionTestCase):
    def hanging_beside(self, well: FakeStore, searches: int) -> list[bool]:
        """Have a store hang until another has been searched so often; return whether each of its searches saw it."""
        is_over, seen = Event(), list[bool]()

        def hang(*_args: object) -> Found:
            self.passed = AGES
            seen.append(is_over.wait(PATIENCE))
            raise DOWN

        def look(*args: object) -> Found:
            found = FakeStore.search(well, *args)
            if len(well.searches) == searches:
                is_over.set()
            return found

        for kind, search in (("hanging", hang), ("elsewhere", look)):
            changed = replace(outside._stores[kind], search=search)
            self.enterContext(mock.patch.dict(outside._stores, {kind: changed}))
        return seen

    def test_it_keeps_no_rule_waiting_for_a_store_that_hangs(self):
        well = serve(self)
        serve(self, "hanging")
        for _ in range(searching.AT_ONCE + 2):
            begin(make_outside_rule(store="hanging"))
        DetectionRule.objects.filter(store="hanging").update(next_run_at=after(0))  # they come first
        begin(make_outside_rule())
        seen = self.hanging_beside(well, 6)

        search_stores(after(DUE + 5 * 60))

        self.assertEqual(set(seen), {True})
        self.assertGreaterEqual(len(seen), searching.AT_ONCE)

    def test_it_goes_on_in_other_stores_until_the_last_searches_of_one_end(self):
        well = serve(self)
        serve(self, "hanging")
        begin(make_outside_rule(store="hanging"))
        begin(make_outside_rule())
        seen = self.hanging_beside(well, 6)
        self.passed = 0
        self.enterContext(mock.patch.object(searching, "time", mock.Mock(monotonic=lambda: self.passed)))

        searching.run_due(after(DUE + 5 * 60), seconds=AGES)

        self.assertEqual(seen, [True])

    def test_it_enters_each_window_once_however_many_look(self):
        store = serve(self)
        rules = [make_outside_rule(name=f"Rule {number}") for number in range(4)]
        for rule in rules:
            begin(rule)
        store.add(1, 2, 61, 62)
        connection.close()

        for seconds in (DUE, DUE + 60):
            done = at_once([lambda: searching.run_due(after(seconds))] * 4)  # noqa: B023
            self.assertFalse([one for one in done if isinstance(one, Exception)])

        self.assertEqual(alerts(), [(f"Rule {number}", "firing", 2) for number in range(4)])
        self.assertEqual(len(store.searches), 8)
