"""What Prometheus learns of the language model; a provider that fails is no fault of this server's health."""

from collections import Counter
from collections.abc import Iterable

from django.db.models import Count, Sum
from django.utils import timezone
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from assistant.models import ModelCall, ModelCallTotal
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
    counts, read, written, cost = _totals()
    for labels, count in sorted(counts.items()):
        calls.add_metric(labels, count)
    yield calls
    tokens = CounterMetricFamily("incident_response_model_tokens_total", "Tokens.", labels=["direction"])
    tokens.add_metric(["in"], read)
    tokens.add_metric(["out"], written)
    yield tokens
    yield CounterMetricFamily(
        "incident_response_model_cost_usd_total", "Cost by the configured prices.", value=cost / MICROS
    )
    yield GaugeMetricFamily(
        "incident_response_model_circuit_open",
        "Whether questions pause because the provider fails.",
        value=int(is_open(the_switch(), timezone.now())),
    )


def _totals() -> tuple[Counter[tuple[str, str]], int, int, int]:
    """Return calls by task and outcome, tokens and cost of all that ended, in one statement: calls move to the totals
    meanwhile.
    """
    done = ModelCall.objects.filter(state=CallState.DONE).order_by().values_list("task", "outcome")
    kept = done.annotate(Count("pk"), Sum("tokens_in"), Sum("tokens_out"), Sum("cost_micros"))
    gone = ModelCallTotal.objects.values_list("task", "outcome", "calls", "tokens_in", "tokens_out", "cost_micros")
    counts, sums = Counter[tuple[str, str]](), [0, 0, 0]
    for task, outcome, count, *amounts in kept.union(gone, all=True):
        counts[task, outcome] += count
        sums = [one + more for one, more in zip(sums, map(int, amounts), strict=True)]
    return counts, sums[0], sums[1], sums[2]
