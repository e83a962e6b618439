"""What Prometheus and probes learn of remediation."""

import datetime as dt
from collections.abc import Iterable

from django.db.models import Count
from prometheus_client.core import GaugeMetricFamily, Metric

from core.db.clock import database_now
from core.server.checks import register_check
from core.server.condition import QueueCheck
from core.server.metrics import register_metrics
from remediation.models import Run, Runbook
from remediation.services.stopping import present_stop

LAG_SECONDS = 60


def oldest_due() -> dt.datetime | None:
    """Return since when the longest waiting run is due; None when none is."""
    due = Run.objects.filter(due_at__lte=database_now()).order_by("due_at")
    return due.values_list("due_at", flat=True).first()


lag_check = QueueCheck(oldest_due, LAG_SECONDS, "The oldest due run of a runbook has waited {} seconds.")


def register() -> None:
    """Register the check and the metrics."""
    register_check("remediation", lag_check)
    register_metrics(collect)


def collect() -> Iterable[Metric]:
    """Collect runs by state, paused runbooks, and whether all is stopped."""
    runs = GaugeMetricFamily("incident_response_remediation_runs", "Runs of runbooks by state.", labels=["state"])
    for state, number in Run.objects.order_by().values_list("state").annotate(number=Count("pk")):
        runs.add_metric([state], number)
    yield runs
    yield GaugeMetricFamily(
        "incident_response_remediation_stopped",
        "Whether the global stop holds.",
        value=int(present_stop() is not None),
    )
    yield GaugeMetricFamily(
        "incident_response_remediation_unsettled_runs",
        "Runs that ended unknown and hold their targets until somebody settles them.",
        value=Run.objects.unsettled().count(),
    )
    yield GaugeMetricFamily(
        "incident_response_remediation_paused_runbooks",
        "Runbooks that failed twice and wait for an administrator.",
        value=Runbook.objects.filter(paused_at__isnull=False).count(),
    )
