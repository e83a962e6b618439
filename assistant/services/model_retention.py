"""Delete calls of the language model that ended long ago; what they come to stays in the counters."""

import datetime as dt
from collections import defaultdict

from django.conf import settings
from django.db.models import F

from assistant.models import ModelBudget, ModelCall, ModelCallTotal
from assistant.services.provider import today
from assistant.vocabulary import CallState
from core.db.rows import lock_available
from core.db.transactions import unit_of_work

BATCH = 500
SUMMED = ("tokens_in", "tokens_out", "cost_micros")


@unit_of_work
def prune(now: dt.datetime) -> int:
    """Delete and count one batch of calls past their retention, and the budgets of days before it."""
    until = now - dt.timedelta(days=settings.ASSISTANT_RETENTION_DAYS)
    ModelBudget.objects.filter(scope__gte="day:", scope__lt=f"day:{today(until)}").delete()
    old = ModelCall.objects.filter(ended_at__lt=until, state=CallState.DONE).order_by("ended_at")
    calls = list(lock_available(old[:BATCH]).values_list("pk", "task", "outcome", *SUMMED))
    sums: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for _key, task, outcome, *amounts in calls:
        sums[task, outcome] = [one + more for one, more in zip(sums[task, outcome], (1, *amounts), strict=True)]
    for (task, outcome), amounts in sorted(sums.items()):  # one order, against deadlocks
        total, _is_new = ModelCallTotal.objects.get_or_create(task=task, outcome=outcome)
        added = {name: F(name) + amount for name, amount in zip(("calls", *SUMMED), amounts, strict=True)}
        ModelCallTotal.objects.filter(pk=total.pk).update(**added)
    ModelCall.objects.filter(pk__in=[call[0] for call in calls]).delete()
    return len(calls)
