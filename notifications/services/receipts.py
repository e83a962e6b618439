"""What providers report later: receipts, failures, and receipts that never come."""

import datetime as dt
from collections.abc import Sequence

from core.db import rows
from core.db.clock import database_now
from core.db.transactions import unit_of_work
from core.text.sentences import Sentence
from notifications.channels.port import Failed, Stage, channel_of
from notifications.models import ContactMethod, Delivery, DeliveryAttempt, DeliveryQuerySet
from notifications.pacing import retry_seconds
from notifications.services import health
from notifications.services.onward import try_next
from notifications.services.outbox import wake_channels
from notifications.services.settling import LONGEST, SETTLED_COLUMNS, advance, carry_facts, give_up, pages_of
from notifications.vocabulary import Outcome, State

BATCH = 200
NO_RECEIPT = Sentence("No receipt came in time.").say()
ENDED = (State.CANCELLED, State.ANSWERED)


@unit_of_work
def record_receipt(kind: str, provider_id: str, stage: Stage, detail: str = "") -> bool:
    """Note how far a message got; False if it is unknown. Receipts out of order change nothing."""
    attempt, row = _find(kind, provider_id)
    if attempt is None or row is None:
        return False
    if advance(row, stage, database_now()):
        attempt.outcome = Outcome(stage.value)
        row.reason = ""
    if detail:
        attempt.detail = detail[:LONGEST]
    attempt.save(update_fields=["outcome", "detail"])
    if stage == Stage.DELIVERED:
        row.receipt_due_at = None
        if row.leased_until is None:
            row.next_attempt_at = None  # what another provider was to repeat
        if row.method is not None:
            health.mark_working(row.method)
    rows.update_many([row], SETTLED_COLUMNS)
    carry_facts(row)
    return True


@unit_of_work
def record_failure(kind: str, provider_id: str, failed: Failed) -> bool:
    """Note that a message that a provider took was not delivered, and go on; False if it is unknown."""
    attempt, row = _find(kind, provider_id)
    if attempt is None or row is None:
        return False
    if row.state == State.ANSWERED and attempt.number == row.attempt_count:
        return True  # such as a call that ends after a key press
    now = database_now()
    attempt.outcome, attempt.detail = Outcome.FAILED, failed.detail[:LONGEST]
    attempt.save(update_fields=["outcome", "detail"])
    if row.method is not None and failed.is_permanent:
        _judge(row.method, failed, now)
    if row.state in ENDED or row.leased_until is not None or attempt.number < row.attempt_count:
        return True  # it is over, or a later attempt decides
    pages = pages_of(row)
    if failed.is_permanent or failed.is_unanswered or row.gives_up_at is None or row.gives_up_at <= now:
        give_up(row, failed.detail, now)
    else:
        wait = retry_seconds(row.attempt_count, 0.5, failed.retry_after)
        row.next_attempt_at, row.receipt_due_at = now + dt.timedelta(seconds=wait), None
    rows.update_many([row], SETTLED_COLUMNS)
    try_next(pages, now)
    return True


def _judge(method: ContactMethod, failed: Failed, now: dt.datetime) -> None:
    if failed.disables:
        health.disable(method, failed.detail, now)
    else:
        health.mark_failing(method, failed.detail, now)


def _find(kind: str, provider_id: str) -> tuple[DeliveryAttempt | None, Delivery | None]:
    """Return the attempt that a provider names, and its delivery, locked."""
    if not provider_id:
        return None, None
    named = DeliveryAttempt.objects.filter(provider_id=provider_id, delivery__channel=kind)
    attempt = named.order_by("-id").first()
    if attempt is None:
        return None, None
    locked = Delivery.objects.select_for_update().filter(pk=attempt.delivery_id).first()
    return attempt, locked


def chase_receipts(now: dt.datetime) -> int:
    """Go on where receipts are overdue: to another provider, and to the person's next method."""
    overdue = Delivery.objects.filter(receipt_due_at__lte=now).order_by("receipt_due_at")
    return _chase(overdue, now) if overdue.exists() else 0


@unit_of_work
def _chase(overdue: DeliveryQuerySet, now: dt.datetime) -> int:
    found = list(rows.lock_available(overdue)[:BATCH])
    _note_missing(found)
    pages: set[int] = set()
    for row in found:
        pages |= pages_of(row)
        row.receipt_due_at = None
        if _has_other_provider(row):
            row.next_attempt_at = now
        elif row.page_id is not None:
            give_up(row, NO_RECEIPT, now)
        else:
            row.reason = NO_RECEIPT
    rows.update_many(found, SETTLED_COLUMNS)
    wake_channels(found)
    try_next(pages, now)
    return len(found)


def _note_missing(found: Sequence[Delivery]) -> None:
    sent = (Outcome.HANDED_OVER, Outcome.ACCEPTED)
    attempts = DeliveryAttempt.objects.filter(delivery__in=[row.pk for row in found], outcome__in=sent)
    attempts.update(outcome=Outcome.NO_RECEIPT, detail=NO_RECEIPT)


def _has_other_provider(row: Delivery) -> bool:
    channel = channel_of(row.channel)
    if channel is None:
        return False
    tried = set(DeliveryAttempt.objects.filter(delivery=row).values_list("provider", flat=True))
    return bool(set(channel.providers()) - tried)
