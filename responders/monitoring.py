from collections.abc import Iterable

from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily, Metric

from core.server.metrics import register_metrics
from responders.services.gaps import gap_seconds


def register() -> None:
    register_metrics(collect_gaps)


def collect_gaps() -> Iterable[Metric]:
    family = GaugeMetricFamily(
        "incident_response_oncall_gap_seconds",
        "Seconds without anybody on call in the next 7 days.",
        labels=["schedule"],
    )
    for name, seconds in sorted(gap_seconds(timezone.now()).items()):
        family.add_metric([name], seconds)
    yield family
