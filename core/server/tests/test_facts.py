import json
from unittest import mock

from django.db import OperationalError
from django.test import SimpleTestCase, TestCase

from core.server import checks, health
from core.server.facts import EVERY_SECONDS, Facts
from core.server.watch import PATIENCE_SECONDS, Watch


class FactsTests(SimpleTestCase):
    def setUp(self) -> None:
        self.now = 100.0
        self.facts = Facts(lambda: self.now)

    def test_it_reads_a_fact_once_in_a_while(self) -> None:
        read = mock.Mock(side_effect=[1, 2])
        self.facts.register("number", read, until_read=0)
        found = [self.facts.known()]

        for seconds in (0.0, EVERY_SECONDS - 1, 1.0):
            self.now += seconds
            self.facts.refresh()
            found.append(self.facts.known())

        self.assertEqual(found, [{"number": 0}, {"number": 1}, {"number": 1}, {"number": 2}])

    def test_it_keeps_what_it_knew_while_the_database_fails(self) -> None:
        self.facts.register("number", mock.Mock(side_effect=OperationalError("gone")), until_read=7)
        self.facts.register("word", lambda: "new", until_read="old")

        self.facts.refresh()

        self.assertEqual(self.facts.known(), {"number": 7, "word": "new"})

    def test_it_is_not_well_when_one_fact_is_not(self) -> None:
        self.facts.register("good", lambda: True, until_read=True)
        found = [self.facts.are_well()]

        self.facts.register("bad", lambda: False, until_read=False, is_well=bool)
        found.append(self.facts.are_well())

        self.assertEqual(found, [True, False])


class SummaryTests(TestCase):
    def summary(self, outcomes: dict[str, dict[str, str]], facts: Facts) -> dict[str, object]:
        with mock.patch.object(health, "facts", facts):
            found: dict[str, object] = json.loads(health.in_summary(outcomes))
        return found

    def test_it_is_degraded_by_a_check_or_a_fact(self) -> None:
        ok, failed = {"one": {"status": "ok", "detail": ""}}, {"one": {"status": "failed", "detail": "Gone."}}
        well, unwell = Facts(), Facts()
        well.register("connected", lambda: False, until_read=False)
        unwell.register("connected", lambda: False, until_read=False, is_well=bool)

        found = [self.summary(ok, well), self.summary(failed, well), self.summary(ok, unwell)]

        self.assertEqual([one["status"] for one in found], ["healthy", "degraded", "degraded"])
        self.assertEqual([one["connected"] for one in found], [False, False, False])
        self.assertEqual(found[1]["checks"], failed)

    def test_it_asks_no_database_for_facts_that_does_not_answer(self) -> None:
        facts = mock.Mock()
        down = {"database": {"status": "failed", "detail": "The database does not answer."}}

        with mock.patch.object(checks, "facts", facts), mock.patch.object(checks, "run_checks", return_value=down):
            checks.look()

        facts.refresh.assert_not_called()

    def test_it_names_facts_that_hang(self) -> None:
        clock = [0.0]
        watch = Watch(lambda begin: {"database": {"status": "ok", "detail": ""}}, lambda: clock[0])
        watch.look()
        watch._begin("facts")
        clock[0] = PATIENCE_SECONDS

        outcomes = watch.outcomes() or {}

        self.assertEqual(outcomes["facts"]["status"], "failed")

    def test_it_counts_incidents_for_everybody_and_names_the_same_checks(self) -> None:
        plain, other = self.client.get("/health").json(), self.client.get("/health/").json()

        self.assertEqual(set(plain) - set(other), {"splunk_connected", "incidents_detected"})
        self.assertEqual(set(plain["checks"]), set(other["checks"]))
