"""What probes and Prometheus learn of the page's files."""

from collections.abc import Iterable

from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily, Metric

from core.models import JobRun
from core.server.checks import register_check
from core.server.condition import Unhealthy
from core.server.metrics import register_metrics
from status_page.models import StatusPage

WRITER = "write_status_page"  # the job
LATE_SECONDS = 180  # a worker writes each minute


def register() -> None:
    """Register the check and the metric."""
    register_check("status_page", check)
    register_metrics(collect)


def check() -> str:
    """Return when the files were written last. Raises Unhealthy if that is too long ago, or the first time failed."""
    written_at = StatusPage.objects.values_list("written_at", flat=True).first()
    if written_at is None:
        if trouble := JobRun.objects.filter(name=WRITER).exclude(error="").values_list("error", flat=True).first():
            raise Unhealthy(f"The status page was never written. {trouble}")
        return "not written yet"
    age = max(0, int((timezone.now() - written_at).total_seconds()))
    if age > LATE_SECONDS:
        raise Unhealthy(f"The status page was last written {age} seconds ago; see the log of the worker.")
    return f"written {age} s ago"


def collect() -> Iterable[Metric]:
    """Collect when the files were written last."""
    family = GaugeMetricFamily(
        "incident_response_status_page_written_timestamp_seconds", "When the status page was last written."
    )
    for written_at in StatusPage.objects.exclude(written_at=None).values_list("written_at", flat=True):
        family.add_metric([], written_at.timestamp())
    yield family
