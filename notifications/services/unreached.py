"""Tell the escalation of pages whose every attempt failed."""

import datetime as dt
from collections.abc import Collection

from notifications.models import Delivery
from notifications.vocabulary import State
from paging.services.answering import page_failed

OVER = (State.FAILED, State.CANCELLED)


def tell_failed_pages(page_ids: Collection[int], now: dt.datetime) -> None:
    """Report those of these pages that no delivery reached or may still reach."""
    ids = set(page_ids)
    if not ids:
        return
    alive = Delivery.objects.filter(page_id__in=ids).exclude(state__in=OVER).values_list("page_id", flat=True)
    failed = Delivery.objects.filter(page_id__in=ids - set(alive), state=State.FAILED).values_list("page_id", flat=True)
    if unreached := sorted({page_id for page_id in failed if page_id is not None}):
        page_failed(unreached, now)
