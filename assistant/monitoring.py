"""What Prometheus learns of the language model; a provider that fails is no fault of this server's health."""

from collections.abc import Iterable

from django.db.models import Count, Sum
from django.utils import timezone
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from assistant.models import ModelCall
from assistant.services.budget import MICROS
from assistant.services.provider import is_open, the_switch
from assistant.vocabulary import CallState
from core.server.metrics import register_metrics


def register() -> None:
    """Register the metrics."""
    register_metrics(collect)


def collect() -> Iterable[Metric]:
    """Collect questions, tokens, cost, and whether the breaker is open."""
    calls = CounterMetricFamily(
        "incident_response_model_calls_total", "Questions to the language model.", labels=["task", "outcome"]
    )
    done = ModelCall.objects.filter(state=CallState.DONE).order_by()
    for task, outcome, count in done.values_list("task", "outcome").annotate(count=Count("pk")):
        calls.add_metric([task, outcome], count)
    yield calls
    sums = done.aggregate(read=Sum("tokens_in"), written=Sum("tokens_out"), cost=Sum("cost_micros"))
    tokens = CounterMetricFamily("incident_response_model_tokens_total", "Tokens.", labels=["direction"])
    tokens.add_metric(["in"], sums["read"] or 0)
    tokens.add_metric(["out"], sums["written"] or 0)
    yield tokens
    yield CounterMetricFamily(
        "incident_response_model_cost_usd_total", "Cost by the configured prices.", value=(sums["cost"] or 0) / MICROS
    )
    yield GaugeMetricFamily(
        "incident_response_model_circuit_open",
        "Whether questions pause because the provider fails.",
        value=int(is_open(the_switch(), timezone.now())),
    )
