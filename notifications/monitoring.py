"""What probes, Prometheus and administrators learn of deliveries."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable

from django.db.models import Count
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from core.db.clock import database_now
from core.server.checks import register_check
from core.server.condition import QueueCheck
from core.server.metrics import register_metrics
from notifications.models import Delivery, DeliveryTally
from notifications.services.tallies import ATTEMPTS, BUCKETS, FIRST, WAITED
from notifications.vocabulary import State

DUE_SECONDS = 120


def oldest_due() -> dt.datetime | None:
    """Return since when the longest waiting delivery is due; None when nothing is."""
    due = Delivery.objects.filter(next_attempt_at__lte=database_now()).order_by("next_attempt_at")
    return due.values_list("next_attempt_at", flat=True).first()


delivery_check = QueueCheck(oldest_due, DUE_SECONDS, "The oldest due delivery has waited {} seconds.")


def register() -> None:
    """Register the check of due deliveries, and the metrics."""
    register_check("deliveries", delivery_check)
    register_metrics(collect)


def collect() -> Iterable[Metric]:
    """Collect attempts, waits for the first, and what is held; from counters, not from all rows."""
    tallies: dict[str, dict[str, int]] = defaultdict(dict)
    for channel, name, value in DeliveryTally.objects.order_by("channel", "name").values_list(
        "channel", "name", "value"
    ):
        tallies[channel][name] = value
    yield _attempts(tallies)
    yield _first_attempts(tallies)
    yield _held()
    yield GaugeMetricFamily(
        "incident_response_notification_due_seconds",
        "How long the oldest due delivery has waited.",
        value=delivery_check.wait(),
    )


def _attempts(tallies: dict[str, dict[str, int]]) -> Metric:
    family = CounterMetricFamily(
        "incident_response_notification_attempts_total", "Attempts to send.", labels=["channel", "outcome"]
    )
    for channel, values in tallies.items():
        for name, value in values.items():
            if name.startswith(f"{ATTEMPTS}:"):
                family.add_metric([channel, name.partition(":")[2]], value)
    return family


def _first_attempts(tallies: dict[str, dict[str, int]]) -> Metric:
    family = HistogramMetricFamily(
        "incident_response_notification_first_attempt_seconds",
        "From when a delivery was due to its first attempt.",
        labels=["channel"],
    )
    for channel, values in tallies.items():
        buckets, total = [], 0
        for bound, label in [*((str(bound), str(float(bound))) for bound in BUCKETS), ("inf", "+Inf")]:
            total += values.get(f"{FIRST}:{bound}", 0)
            buckets.append((label, total))
        if total:
            family.add_metric([channel], buckets, values.get(WAITED, 0) / 1000)
    return family


def _held() -> Metric:
    family = GaugeMetricFamily("incident_response_notification_held", "Held deliveries.", labels=["reason"])
    held = Delivery.objects.filter(state=State.HELD).values_list("held_because").annotate(count=Count("pk"))
    for reason, count in held.order_by("held_because"):
        family.add_metric([reason], count)
    return family
