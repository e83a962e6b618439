"""Go on to a person's next method when one fails, and say so when there is none."""

import datetime as dt
from collections.abc import Collection

from notifications.models import Delivery
from notifications.rules import Way
from notifications.services import outbox, recipients
from notifications.services.outbox import of_method
from notifications.services.planning import by_way
from notifications.services.unreached import tell_failed_pages
from notifications.vocabulary import Kind, State
from paging.models import Page


def try_next(page_ids: Collection[int], now: dt.datetime) -> None:
    """Send each page by its next planned method, at once; by another verified one if none was planned."""
    if not page_ids:
        return
    planned = Delivery.objects.filter(page_id__in=page_ids, kind=Kind.PAGE, state=State.WAITING, attempt_count=0)
    first: dict[int, Delivery] = {}
    busy: set[int] = set()
    for delivery in planned.filter(bundle__isnull=True, next_attempt_at__isnull=False).order_by(
        "next_attempt_at", "id"
    ):
        page_id = delivery.page_id or 0
        if delivery.next_attempt_at is not None and delivery.next_attempt_at <= now:
            busy.add(page_id)
        else:
            first.setdefault(page_id, delivery)
    forward = [delivery for page_id, delivery in first.items() if page_id not in busy]
    # What a worker has claimed meanwhile stays its own.
    unclaimed = planned.filter(pk__in=[delivery.pk for delivery in forward])
    unclaimed.update(next_attempt_at=now)
    outbox.wake_channels(forward)
    _fall_back(set(page_ids) - busy - set(first), now)


def _fall_back(page_ids: Collection[int], now: dt.datetime) -> None:
    """Use verified methods that the plan did not have: added since, or named by no rule."""
    if not page_ids:
        return
    pages = list(Page.objects.waiting().filter(pk__in=page_ids, user__isnull=False))
    used: dict[int, set[int]] = {page.pk: set() for page in pages}
    for page_id, method_id in Delivery.objects.filter(page_id__in=used).values_list("page_id", "method_id"):
        used[page_id or 0].add(method_id or 0)
    people = recipients.load({page.user_id for page in pages if page.user_id is not None})
    new = [
        by_way(page, Way(method.pk, 0, is_fallback=True), of_method(method, people[page.user_id].user.name), now)
        for page in pages
        if page.user_id in people
        for method in people[page.user_id].usable().values()
        if method.pk not in used[page.pk]
    ]
    outbox.put(new)
    tell_failed_pages(page_ids, now)
