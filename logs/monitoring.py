"""What Prometheus learns of detection."""

from collections import Counter
from collections.abc import Iterable

from prometheus_client.core import GaugeMetricFamily, Metric

from core.server.metrics import register_metrics
from logs.models import DetectionRule
from logs.sources.outside import stores


def register() -> None:
    register_metrics(collect)


def collect() -> Iterable[Metric]:
    """Collect how many rules cannot search their store."""
    failing = Counter(DetectionRule.objects.failing().values_list("store", flat=True))
    family = GaugeMetricFamily(
        "incident_response_detection_rules_failing",
        "Detection rules whose searches in an outside store fail.",
        labels=["store"],
    )
    for store in stores():
        family.add_metric([store.kind], failing[store.kind])
    yield family
