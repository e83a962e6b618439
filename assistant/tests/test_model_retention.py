"""Deleting old calls of a model: what waits or is young stays, and nothing that is counted goes back."""

import datetime as dt
from unittest import mock

from django.db import connection
from django.test import TestCase, TransactionTestCase, override_settings

from assistant.jobs import prune_model_calls
from assistant.models import ModelBudget, ModelCall, ModelCallTotal, Verdict
from assistant.monitoring import collect
from assistant.services import model_retention
from core.db.tests.threads import at_once
from incidents.tests.factories import make_incident
from users.tests.factories import make_responder

NOW = dt.datetime(2027, 3, 1, 12, tzinfo=dt.UTC)


def days_ago(days: float) -> dt.datetime:
    return NOW - dt.timedelta(days=days)


def make_calls(*ages: float, **fields: object) -> list[ModelCall]:
    """Calls that ended so many days ago."""
    facts = {"task": "causes", "state": "done", "outcome": "used", "tokens_in": 100, "tokens_out": 10, **fields}
    incident = facts.pop("incident", None) or make_incident()
    return [
        ModelCall.objects.create(incident=incident, created_at=days_ago(age), ended_at=days_ago(age), **facts)
        for age in ages
    ]


def samples() -> dict[tuple[str, ...], float]:
    found = [sample for family in collect() for sample in family.samples]
    return {(one.name, *one.labels.values()): one.value for one in found}


class PruningTests(TestCase):
    def test_it_deletes_what_ended_long_ago_in_batches(self):
        _old, _older, young = make_calls(400.1, 500, 399.9)
        waiting = ModelCall.objects.create(
            incident=make_incident(), task="causes", created_at=days_ago(900), due_at=days_ago(900)
        )

        with mock.patch.object(model_retention, "BATCH", 1):
            done = prune_model_calls(NOW)

        self.assertEqual((done, set(ModelCall.objects.all())), (2, {young, waiting}))

    @override_settings(ASSISTANT_RETENTION_DAYS=30)
    def test_it_keeps_calls_for_as_long_as_the_operator_says(self):
        make_calls(31, 29)

        self.assertEqual((prune_model_calls(NOW), ModelCall.objects.count()), (1, 1))

    def test_it_lets_no_counter_go_back(self):
        make_calls(500, 500, 1, cost_micros=1_000_000)
        make_calls(500, 1, task="summary", outcome="failed", tokens_in=3)
        make_calls(800, task="hand_over", outcome="refused")
        before = samples()

        for _round in range(2):
            prune_model_calls(NOW)

        self.assertEqual((samples(), ModelCall.objects.count()), (before, 2))
        self.assertEqual(before["incident_response_model_calls_total", "causes", "used"], 3)
        self.assertEqual(before["incident_response_model_tokens_total", "in"], 406)
        self.assertEqual(before[("incident_response_model_cost_usd_total",)], 3)

    def test_it_counts_in_one_statement(self):
        with self.assertNumQueries(2):  # and the switch
            list(collect())

    def test_it_keeps_verdicts_and_what_an_incident_has_used(self):
        incident = make_incident()
        (call,) = make_calls(500, incident=incident)
        Verdict.objects.create(
            incident=incident,
            suggestion=f"model-cause-{call.pk}-1",
            kind="cause",
            user=make_responder(),
            is_useful=True,
        )
        scopes = {f"incident:{incident.pk}", "day:2026-01-24", "day:2026-01-25", "day:2027-03-01"}
        for scope in scopes:
            ModelBudget.objects.create(scope=scope, used=5)

        prune_model_calls(NOW)

        self.assertEqual((ModelCall.objects.count(), Verdict.objects.counts()["cause"][True]), (0, 1))
        self.assertEqual(set(ModelBudget.objects.values_list("scope", flat=True)), scopes - {"day:2026-01-24"})

    def test_it_finds_them_by_index(self):
        if connection.vendor != "sqlite":
            self.skipTest("a small table is read whole")

        plan = ModelCall.objects.filter(ended_at__lt=NOW, state="done").order_by("ended_at")[:500].explain()

        self.assertIn("model_call_ended", plan)
        self.assertNotIn("TEMP B-TREE", plan)


class WorkersTests(TransactionTestCase):
    def test_it_counts_each_call_once_however_many_workers_delete(self):
        make_calls(*[500] * 40)
        connection.close()

        with mock.patch.object(model_retention, "BATCH", 5):
            at_once([lambda: prune_model_calls(NOW)] * 4)
            prune_model_calls(NOW)

        total = ModelCallTotal.objects.get()
        self.assertEqual((ModelCall.objects.count(), total.calls, total.tokens_in), (0, 40, 4000))
