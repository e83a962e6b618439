"""Prometheus metrics; each app registers its collectors."""

from collections.abc import Callable, Iterable

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric

from core.models import JobRun
from core.server.database_checks import WRITE_CHECK

Collector = Callable[[], Iterable[Metric]]


def collect_version() -> Iterable[Metric]:
    info = GaugeMetricFamily("incident_response_info", "The running version.", labels=["version"])
    info.add_metric([settings.VERSION], 1)
    yield info


def collect_jobs() -> Iterable[Metric]:
    """Collect each job's last success and failure."""
    succeeded = GaugeMetricFamily(
        "incident_response_job_succeeded_timestamp_seconds", "When a job last succeeded.", labels=["job"]
    )
    failed = GaugeMetricFamily(
        "incident_response_job_failed_timestamp_seconds", "When a job last failed.", labels=["job"]
    )
    for run in JobRun.objects.exclude(name=WRITE_CHECK).order_by("name"):
        for family, moment in ((succeeded, run.succeeded_at), (failed, run.failed_at)):
            if moment is not None:
                family.add_metric([run.name], moment.timestamp())
    yield succeeded
    yield failed


_collectors: list[Collector] = [collect_version, collect_jobs]


def register_metrics(collector: Collector) -> None:
    """Register a collector that reads the database: all processes agree."""
    _collectors.append(collector)


class _Gauges:
    def collect(self) -> Iterable[Metric]:
        for collector in _collectors:
            yield from collector()


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Serve metrics to the bearer of METRICS_TOKEN; 404 without one."""
    if not settings.METRICS_TOKEN:
        raise Http404
    if not is_scraper(request):
        return HttpResponse("A bearer token is needed.\n", status=401, headers={"WWW-Authenticate": "Bearer"})
    return exposition()


def is_scraper(request: HttpRequest) -> bool:
    """Return whether METRICS_TOKEN is set and sent."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return (
        bool(settings.METRICS_TOKEN)
        and scheme.lower() == "bearer"
        and constant_time_compare(token.strip(), settings.METRICS_TOKEN)
    )


def exposition() -> HttpResponse:
    """Collect all metrics as Prometheus reads them."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Gauges())
    return HttpResponse(generate_latest(registry), content_type="text/plain; version=0.0.4; charset=utf-8")
