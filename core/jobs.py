"""Prune the server's own records; concurrency-safe."""

import datetime as dt
from typing import Any

from django.db.models import QuerySet

from core.api.idempotency import REMEMBERED
from core.db.markers import marker_of
from core.models import IdempotentRequest, TransactionMarker
from core.server.jobs import Job

BATCH = 500
MAX_BATCHES = 200
MARKERS_KEPT = dt.timedelta(minutes=10)  # longer than anybody asks


def prune_answers(now: dt.datetime) -> int:
    return delete_in_batches(IdempotentRequest.objects.filter(created_at__lte=now - REMEMBERED))


def prune_markers(now: dt.datetime) -> int:
    return delete_in_batches(TransactionMarker.objects.filter(pk__lt=marker_of((now - MARKERS_KEPT).timestamp())))


def delete_in_batches(rows: QuerySet[Any]) -> int:
    """Delete rows in short transactions, leaving a great backlog to later runs."""
    total = 0
    for _batch in range(MAX_BATCHES):
        keys = list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH])
        if not keys:
            break
        rows.model.objects.filter(pk__in=keys).delete()
        total += len(keys)
    return total


JOBS = (Job("prune_answers", prune_answers, 3600), Job("prune_markers", prune_markers, 60))
