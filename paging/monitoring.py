"""What probes, Prometheus and administrators learn of escalation."""

import datetime as dt
from collections.abc import Iterable

from django.db.models import Count
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from core.db.clock import database_now
from core.server.checks import register_check
from core.server.condition import QueueCheck, Unhealthy
from core.server.metrics import register_metrics
from paging.models import EscalationAlarm, EscalationRun
from paging.services.auditing import last_pass
from paging.vocabulary import RunState

LAG_SECONDS = 60  # a step should wait less than a second
AUDIT_SECONDS = 1800


def oldest_due() -> dt.datetime | None:
    """Return since when the longest waiting step is due; None when none is."""
    return EscalationRun.objects.due(database_now()).values_list("next_step_at", flat=True).first()


lag_check = QueueCheck(oldest_due, LAG_SECONDS, "The oldest due step has waited {} seconds.")


def audit_check() -> str:
    """Fail when the audit has not looked over all open incidents for long, or found something."""
    last = last_pass()
    if last is None or last.finished_at is None:
        return "has not run yet"
    age = int((database_now() - last.finished_at).total_seconds())
    if age > AUDIT_SECONDS:
        raise Unhealthy(f"The audit of escalations last ended {age} seconds ago.")
    if last.last_findings:
        raise Unhealthy(f"The audit of escalations found {len(last.last_findings)} faults; see the admin.")
    return f"{last.last_checked} open incidents looked at {age} s ago"


def register() -> None:
    """Register the checks of due steps and of the audit, and the metrics."""
    register_check("escalation", lag_check)
    register_check("escalation audit", audit_check)
    register_metrics(collect)


def collect() -> Iterable[Metric]:
    """Collect how late steps are, what runs, who was not reached, and what the audit found."""
    yield GaugeMetricFamily(
        "incident_response_escalation_lag_seconds", "How long the oldest due step has waited.", value=lag_check.wait()
    )
    yield CounterMetricFamily(
        "incident_response_nobody_reached",
        "Alarms that nobody was reached for an incident.",
        value=EscalationAlarm.objects.order_by("-pk").values_list("pk", flat=True).first() or 0,  # counts nothing
    )
    running = GaugeMetricFamily("incident_response_escalations", "Escalations that have not ended.", labels=["state"])
    states = EscalationRun.objects.exclude(state=RunState.ENDED).order_by().values_list("state")
    for state, count in states.annotate(number=Count("pk")):
        running.add_metric([state], count)
    yield running
    yield from _audit()


def _audit() -> Iterable[Metric]:
    last = last_pass()
    if last is None or last.finished_at is None:
        return
    yield GaugeMetricFamily(
        "incident_response_escalation_audit_findings", "Faults the last audit found.", value=len(last.last_findings)
    )
    yield GaugeMetricFamily(
        "incident_response_escalation_audit_timestamp_seconds",
        "When the last audit ended.",
        value=last.finished_at.timestamp(),
    )
