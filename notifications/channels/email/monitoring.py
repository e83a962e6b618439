"""What probes and Prometheus learn of inbound mail."""

import datetime as dt
from collections.abc import Iterable

from django.db.models import Count
from prometheus_client.core import GaugeMetricFamily, Metric

from core.db.clock import database_now
from core.server.checks import register_check
from core.server.condition import QueueCheck
from core.server.metrics import register_metrics
from notifications.models import InboundMail
from notifications.vocabulary import InboundState

WAITING_SECONDS = 600  # more than a retry or a lost worker's lease takes
SHOWN = (InboundState.WAITING, InboundState.HELD, InboundState.FAILED)


def oldest_waiting() -> dt.datetime | None:
    """Return since when the longest waiting mail is due; None when none is."""
    due = InboundMail.objects.due(database_now())
    return due.values_list("due_at", flat=True).first()


mail_check = QueueCheck(oldest_waiting, WAITING_SECONDS, "The oldest inbound mail has waited {} seconds.")


def register() -> None:
    """Register the check of waiting mails, and the metric."""
    register_check("inbound_mail", mail_check)
    register_metrics(collect)


def collect() -> Iterable[Metric]:
    """Collect the mails that wait, for the worker or for a person."""
    family = GaugeMetricFamily(
        "incident_response_inbound_mails", "Inbound mails that are waiting, held or failed.", labels=["state"]
    )
    rows = InboundMail.objects.filter(state__in=SHOWN).order_by().values_list("state").annotate(number=Count("pk"))
    counts = dict(rows)
    for state in SHOWN:
        family.add_metric([state.value], counts.get(state.value, 0))
    yield family
