"""Searches when the worker stops: what is not found within a moment is left to whoever looks next."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from threading import Event
from unittest import mock

from django.test import TestCase

from core.server.jobs import is_stopping, stopping_by
from logs.models import DetectionRule
from logs.services import searching
from logs.sources import outside
from logs.sources.outside import Found, Row
from logs.tests.rules import after
from logs.tests.stores import LAG, make_outside_rule, serve
from logs.tests.test_detecting import alerts
from logs.tests.test_searching import DOWN, PATIENCE

DUE = 60 + LAG
FOUND = Found([Row({}, "failed", None)] * 2)


class StoppingTests(TestCase):
    def setUp(self) -> None:
        self.store = serve(self)
        self.rule = make_outside_rule(name="Failures")
        DetectionRule.objects.update(evaluated_until=after(0), next_run_at=after(DUE))
        self.stopping, self.is_over = Event(), Event()
        self.addCleanup(self.is_over.set)

    def stop_during(self, search: Callable[[], Found]) -> DetectionRule:
        """Have the worker told to stop while it searches."""

        def told(*_args: object) -> Found:
            self.stopping.set()
            return search()

        changed = replace(outside._stores["elsewhere"], search=told)
        with mock.patch.dict(outside._stores, {"elsewhere": changed}), stopping_by(self.stopping):
            searching.run_due(after(DUE))
        self.rule.refresh_from_db()
        return self.rule

    def hang(self) -> Found:
        self.is_over.wait(PATIENCE)
        return FOUND

    def test_it_leaves_a_search_that_hangs_to_whoever_looks_next(self):
        self.store.add(1, 2)
        with (
            mock.patch.object(searching, "LEAVE_SECONDS", 0.01),
            self.assertLogs("logs.services.searching", "WARNING") as said,
        ):
            rule = self.stop_during(self.hang)
        left = (rule.evaluated_until, rule.failures)

        done = searching.run_due(after(DUE + PATIENCE))

        self.assertIn("detection_search_left", said.output[0])
        self.assertEqual((left, done, self.store.searches), ((after(0), 0), 1, [("failed", after(0), after(60))]))
        self.assertEqual(alerts(), [("Failures", "firing", 1)])

    def test_it_takes_nothing_from_another_who_holds_the_window(self):
        (window,) = searching._claim(after(DUE), Counter(), (), 1)
        DetectionRule.objects.update(next_run_at=after(900))

        searching._release(window, after(DUE + 1))

        self.rule.refresh_from_db()
        self.assertEqual(self.rule.next_run_at, after(900))

    def test_it_enters_what_is_found_within_a_moment(self):
        rule = self.stop_during(lambda: FOUND)

        self.assertEqual((rule.evaluated_until, alerts()), (after(60), [("Failures", "firing", 1)]))

    def test_it_counts_no_failure_of_a_search_that_was_told_to_stop(self):
        def obey() -> Found:
            while not is_stopping():
                self.is_over.wait(0.01)
            raise DOWN

        rule = self.stop_during(obey)

        self.assertEqual((rule.failures, rule.last_error, rule.evaluated_until), (0, "", after(0)))
        self.assertEqual(searching.run_due(after(DUE + PATIENCE)), 1)
