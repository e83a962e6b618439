"""Whether chats still call here."""

import datetime as dt
from collections.abc import Iterable
from functools import partial

from django.conf import settings
from prometheus_client.core import GaugeMetricFamily, Metric

from core.db.clock import database_now
from core.server.checks import register_check
from core.server.metrics import register_metrics
from notifications.models import ChatIntegration, Delivery
from notifications.vocabulary import Priority

SECRETS = {"slack": "SLACK_SIGNING_SECRET", "telegram": "TELEGRAM_WEBHOOK_SECRET"}
SUSPECT = 10  # pages without a press
LOOKED_AT = 50  # of the newest


def register() -> None:
    """Register checks of the chats in use, and metrics."""
    for kind, secret in SECRETS.items():
        if getattr(settings, secret):
            register_check(kind, partial(describe, kind))
    register_metrics(collect)


def describe(kind: str) -> str:
    """Return when a chat last called; silence is no failure of this server."""
    now = database_now()
    noted = ChatIntegration.objects.filter(kind=kind).first()
    parts = [_last(noted, now)]
    since = noted.received_at if noted and noted.received_at else now - dt.timedelta(days=7)
    # In the order of the index `delivery_due`: what was sent has no next attempt.
    newest = Delivery.objects.filter(channel=kind, priority=Priority.PAGE, next_attempt_at=None).order_by("-pk")
    times = newest.values_list("delivered_at", flat=True)[:LOOKED_AT]
    if sum(time is not None and time > since for time in times) >= SUSPECT:
        parts.append(f"{SUSPECT} pages or more since then: do the buttons work?")
    if noted and noted.refused_at and (noted.received_at is None or noted.refused_at > noted.received_at):
        parts.append(f"refused {_ago(noted.refused_at, now)}: {noted.refusal}")
    return "; ".join(parts)


def _last(noted: ChatIntegration | None, now: dt.datetime) -> str:
    if noted is None or noted.received_at is None:
        return "no button or command received yet"
    return f"last interaction {_ago(noted.received_at, now)}"


def _ago(moment: dt.datetime, now: dt.datetime) -> str:
    seconds = max(0, int((now - moment).total_seconds()))
    if seconds < 3600:
        return f"{seconds // 60} min ago"
    return f"{seconds // 3600} h ago" if seconds < 172_800 else f"{seconds // 86_400} d ago"


def collect() -> Iterable[Metric]:
    received = GaugeMetricFamily(
        "incident_response_chat_interaction_timestamp_seconds", "When a chat last called.", labels=["channel"]
    )
    refused = GaugeMetricFamily(
        "incident_response_chat_refusal_timestamp_seconds", "When a chat was last refused.", labels=["channel"]
    )
    for noted in ChatIntegration.objects.order_by("kind"):
        for family, moment in ((received, noted.received_at), (refused, noted.refused_at)):
            if moment is not None:
                family.add_metric([noted.kind], moment.timestamp())
    yield received
    yield refused
