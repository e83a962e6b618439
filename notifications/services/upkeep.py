"""Keep the outbox tidy: nothing is stuck for want of a carrier or channel, and old rows go."""

import datetime as dt

from django.conf import settings

from core.db.transactions import unit_of_work
from core.text.sentences import Sentence
from notifications.channels.port import all_channels
from notifications.models import AnswerToken, Delivery, DeliveryAttempt, LinkCode, Notification, Pace
from notifications.services.claiming import INTERRUPTED
from notifications.services.onward import try_next
from notifications.vocabulary import PENDING, Outcome, State

BATCH = 500
UNKNOWN = Sentence("This installation has no such channel.").say()


@unit_of_work
def free_stranded(now: dt.datetime) -> int:
    """Have deliveries go on by themselves whose carrier ended without them."""
    ended = (State.CANCELLED, State.FAILED, State.ANSWERED)
    waiting = Delivery.objects.pending().filter(bundle__isnull=False, bundle__next_attempt_at__isnull=True)
    stranded = waiting.filter(bundle__state__in=ended, next_attempt_at__isnull=True)
    ids = list(stranded.values_list("pk", flat=True)[:BATCH])
    return Delivery.objects.filter(pk__in=ids).update(bundle=None, next_attempt_at=now)


@unit_of_work
def end_abandoned(now: dt.datetime) -> int:
    """End attempts of lost workers on what was withdrawn meanwhile: nobody claims it again, and the ledger says so."""
    lapsed = Delivery.objects.filter(leased_until__lte=now, next_attempt_at__isnull=True)
    ids = list(lapsed.order_by("leased_until").values_list("pk", flat=True)[:BATCH])
    if not ids:
        return 0
    left = DeliveryAttempt.objects.filter(delivery__in=ids, outcome=Outcome.STARTED)
    left.update(outcome=Outcome.INTERRUPTED, ended_at=now, detail=INTERRUPTED)
    return lapsed.filter(pk__in=ids).update(leased_until=None)


@unit_of_work
def fail_unknown(now: dt.datetime) -> int:
    """Fail what is due by channels that are not installed any more, and go on by others."""
    known = [channel.kind for channel in all_channels()]
    due = Delivery.objects.filter(state__in=PENDING, next_attempt_at__lte=now).exclude(channel__in=known)
    found = list(due.values_list("pk", "page_id")[:BATCH])
    Delivery.objects.filter(pk__in=[pk for pk, _page in found]).update(
        state=State.FAILED, reason=UNKNOWN, next_attempt_at=None
    )
    try_next({page for _pk, page in found if page is not None}, now)
    return len(found)


def prune(now: dt.datetime) -> int:
    """Delete what ended long ago, in batches; return how many rows of one batch."""
    before = now - dt.timedelta(days=settings.NOTIFICATION_RETENTION_DAYS)
    old = Delivery.objects.filter(created_at__lt=before, next_attempt_at__isnull=True)
    count = _delete(Delivery, list(old.order_by("created_at").values_list("pk", flat=True)[:BATCH]))
    entries = Notification.objects.filter(created_at__lt=before).order_by("created_at")
    count += _delete(Notification, list(entries.values_list("pk", flat=True)[:BATCH]))
    for model in (AnswerToken, LinkCode):
        expired = model._default_manager.filter(expires_at__lt=now - dt.timedelta(days=1))
        count += _delete(model, list(expired.values_list("pk", flat=True)[:BATCH]))
    calm = Pace.objects.filter(last_at__lt=now - dt.timedelta(days=1))
    return count + _delete(Pace, list(calm.values_list("pk", flat=True)[:BATCH]))


@unit_of_work
def _delete(model: type, ids: list[object]) -> int:
    if ids:
        model.objects.filter(pk__in=ids).delete()  # type: ignore[attr-defined]
    return len(ids)
