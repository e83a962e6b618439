"""Forgetting what has served its time. Safe to run anywhere, any number of times at once."""

import datetime as dt
from typing import Any

from axes.models import AccessFailureLog
from django.db.models import QuerySet

from core.api.idempotency import REMEMBERED
from core.db.markers import marker_of
from core.models import IdempotentRequest, TransactionMarker
from users.models import Session

BATCH = 500
MAX_BATCHES = 200
MARKERS_KEPT = dt.timedelta(minutes=10)  # many times as long as anybody asks
FAILED_SIGN_INS_KEPT = dt.timedelta(days=90)


def forget_old(now: dt.datetime) -> int:
    """Delete remembered answers, expired sessions and old failed sign-ins; returns how many rows went.

    Small batches, each its own transaction: nobody waits long for a row, and a great backlog is left to the next run.
    """
    outdated: list[QuerySet[Any]] = [
        IdempotentRequest.objects.filter(created_at__lte=now - REMEMBERED),
        Session.objects.filter(expires_at__lte=now),
        AccessFailureLog.objects.filter(attempt_time__lte=now - FAILED_SIGN_INS_KEPT),
    ]
    return sum(_delete_in_batches(rows) for rows in outdated)


def forget_markers(now: dt.datetime) -> int:
    """Delete the markers of transactions of which nobody asks any more; returns how many."""
    return _delete_in_batches(TransactionMarker.objects.filter(pk__lt=marker_of((now - MARKERS_KEPT).timestamp())))


def _delete_in_batches(rows: QuerySet[Any]) -> int:
    total = 0
    for _batch in range(MAX_BATCHES):
        keys = list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH])
        if not keys:
            break
        rows.model.objects.filter(pk__in=keys).delete()
        total += len(keys)
    return total
