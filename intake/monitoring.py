"""What probes and Prometheus learn of intake."""

import datetime as dt
from collections.abc import Iterable

from prometheus_client.core import GaugeMetricFamily, Metric

from core.server.checks import register_check
from core.server.condition import QueueCheck
from core.server.metrics import register_metrics
from intake.models import IntakeEvent
from intake.vocabulary import IntakeState

INTAKE_SECONDS = 60  # an event should wait for the worker less than a second


def _oldest() -> dt.datetime | None:
    return IntakeEvent.objects.waiting().values_list("received_at", flat=True).first()


intake_check = QueueCheck(_oldest, INTAKE_SECONDS, "The oldest intake event has waited {} seconds for the worker.")


def register() -> None:
    """Register the check of the queue, and the metrics."""
    register_check("intake", intake_check)
    register_metrics(collect)


def collect() -> Iterable[Metric]:
    """Collect how long intake events wait, and how many wait or failed."""
    yield GaugeMetricFamily(
        "incident_response_intake_wait_seconds",
        "How long the oldest intake event has waited for the worker.",
        value=intake_check.wait(),
    )
    events = GaugeMetricFamily(
        "incident_response_intake_events",
        "Intake events that wait to be processed, and that failed and were not dismissed.",
        labels=["state"],
    )
    events.add_metric([IntakeState.WAITING.value], IntakeEvent.objects.waiting().count())
    events.add_metric([IntakeState.FAILED.value], IntakeEvent.objects.troubling().count())
    yield events
