"""What probes, Prometheus and administrators learn of incidents."""

from collections.abc import Callable, Iterable

from django.db.models import Sum
from prometheus_client.core import GaugeMetricFamily, Metric

from core.server.checks import register_check
from core.server.condition import QueueCheck
from core.server.health import register_count
from core.server.metrics import register_metrics
from core.severity import Severity
from incidents.models import Tally
from incidents.models.tally import Dimension
from incidents.services import feed

FEED_SECONDS = 60  # an event should wait for its place in the feed less than a second

feed_check = QueueCheck(feed.oldest_waiting, FEED_SECONDS, "The oldest event has waited {} seconds for the feed.")


def register() -> None:
    """Register the check of the feed, the metrics, and the count of incidents."""
    register_check("feed", feed_check)
    register_metrics(collect)
    register_count("incidents", _unrestricted)


def collect() -> Iterable[Metric]:
    """Collect the incidents by status and severity, and the wait for the feed."""
    yield _incidents("incident_response_incidents", Dimension.STATUS, lambda value: value)
    yield _incidents(
        "incident_response_incidents_by_severity", Dimension.SEVERITY, lambda value: Severity(int(value)).word
    )
    yield GaugeMetricFamily(
        "incident_response_feed_wait_seconds",
        "How long the oldest event has waited for the feed.",
        value=feed_check.wait(),
    )


def _incidents(name: str, dimension: Dimension, word: Callable[[str], str]) -> Metric:
    family = GaugeMetricFamily(name, f"Unrestricted incidents by {dimension}.", labels=[dimension.value])
    for value, count in Tally.objects.filter(dimension=dimension).values_list("value", "count").order_by("value"):
        family.add_metric([word(value)], count)
    return family


def _unrestricted() -> int:
    return Tally.objects.filter(dimension=Dimension.STATUS).aggregate(total=Sum("count"))["total"] or 0
