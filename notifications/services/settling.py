"""Write what came of attempts, many in one transaction, and go on to the next way where one failed."""

import datetime as dt
import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Q

from core.db import rows
from core.db.clock import database_now
from core.db.transactions import unit_of_work
from core.text.sentences import Sentence
from notifications.channels.port import Channel, Failed, Receipt, Stage
from notifications.models import ContactMethod, Delivery, RoomChannel, WebhookEndpoint
from notifications.pacing import retry_seconds
from notifications.services import health, tallies
from notifications.services.claiming import Claimed
from notifications.services.health import Way
from notifications.services.onward import try_next
from notifications.vocabulary import Kind, MethodState, Outcome, Priority, State

WITHDRAWN = Sentence("Withdrawn while it was being sent.")
GAVE_UP = Sentence("Gave up after %(count)s attempts: %(why)s")
PATIENCE = 2  # failed attempts of a page before its next method is tried beside it
FAILING_AFTER = 3  # temporary failures before a way counts as failing
SETTLED_COLUMNS = (
    *("state", "reason", "next_attempt_at", "leased_until", "handed_over_at", "accepted_at", "delivered_at"),
    *("receipt_due_at", "provider", "provider_id", "content", "held_because"),
)
ATTEMPT_COLUMNS = ("ended_at", "outcome", "provider", "provider_id", "detail")
FACTS = (
    (Stage.HANDED_OVER, "handed_over_at"),
    (Stage.ACCEPTED, "accepted_at"),
    (Stage.DELIVERED, "delivered_at"),
)
ORDER = {State.HANDED_OVER: 1, State.ACCEPTED: 2, State.DELIVERED: 3, State.ANSWERED: 4}
LONGEST = 300


@dataclass(frozen=True)
class Result:
    """What came of an attempt: a receipt, or a failure."""

    claimed: Claimed
    receipt: Receipt | None = None
    failure: Failed | None = None


@unit_of_work
def settle(channel: Channel, results: Sequence[Result]) -> None:
    """Write results. Those of a lease that was lost meanwhile count as facts, and change no plan."""
    now = database_now()
    ids = sorted(result.claimed.delivery.pk for result in results)
    current = {row.pk: row for row in rows.select_in(Delivery, "id", ids, lock=True)}
    onward: set[int] = set()
    settled = [
        (result, current[result.claimed.delivery.pk]) for result in results if result.claimed.delivery.pk in current
    ]
    for result, row in settled:
        if result.receipt is not None:
            _succeed(channel, row, result, result.receipt, now)
        elif result.failure is not None:
            onward |= _fail(row, result, result.failure, now)
    rows.update_many([row for _result, row in settled], SETTLED_COLUMNS)
    rows.update_many([result.claimed.attempt for result, _row in settled if result.claimed.attempt], ATTEMPT_COLUMNS)
    _judge_ways(settled, now)
    try_next(onward, now)
    tallies.count_attempts(
        channel.kind, [result.claimed.attempt.outcome for result, _row in settled if result.claimed.attempt]
    )


def _succeed(channel: Channel, row: Delivery, result: Result, receipt: Receipt, now: dt.datetime) -> None:
    _end_attempt(result, Outcome(receipt.stage.value), receipt.detail, now, receipt.provider, receipt.provider_id)
    was_withdrawn = row.state == State.CANCELLED
    advance(row, receipt.stage, now)
    row.reason = WITHDRAWN.say() if was_withdrawn else ""
    if not _is_asked_for_again(row):
        row.next_attempt_at = None
    row.leased_until, row.held_because = None, ""
    row.provider, row.provider_id = receipt.provider[:64], receipt.provider_id[:190]
    is_expected = channel.receipt_seconds is not None and receipt.stage != Stage.DELIVERED and not was_withdrawn
    row.receipt_due_at = now + dt.timedelta(seconds=channel.receipt_seconds or 0) if is_expected else None
    row.content = {**row.content, **({"sent": dict(receipt.data)} if receipt.data else {})}
    row.content.pop("code", None)  # it is in nobody's way longer than needed
    carry_facts(row)


def _is_asked_for_again(row: Delivery) -> bool:
    """Return whether another change was to be shown while an edit was being sent."""
    return row.priority == Priority.EDIT and row.leased_until is None


def advance(row: Delivery, stage: Stage, now: dt.datetime) -> bool:
    """Note a stage and those it implies; False if that was known. An answer stays an answer."""
    for reached, column in FACTS:
        if getattr(row, column) is None:
            setattr(row, column, now)
        if reached == stage:
            break
    state = State(stage.value)
    if ORDER[state] <= ORDER.get(State(row.state), 0):
        return False
    row.state = state
    return True


def carry_facts(row: Delivery) -> None:
    """Give those that a delivery carries its facts."""
    if row.bundle_count:
        Delivery.objects.carried_by(row.pk).update(
            state=row.state,
            handed_over_at=row.handed_over_at,
            accepted_at=row.accepted_at,
            delivered_at=row.delivered_at,
            first_attempt_at=row.first_attempt_at,
            provider=row.provider,
        )


def _fail(row: Delivery, result: Result, failure: Failed, now: dt.datetime) -> set[int]:
    """Plan the next attempt or give up; return the pages that go on by another method now."""
    wait = retry_seconds(row.attempt_count, random.random(), failure.retry_after)  # noqa: S311 (no secret)
    again_at = now + dt.timedelta(seconds=wait)
    is_over = failure.is_permanent or (row.gives_up_at is not None and again_at > row.gives_up_at)
    _end_attempt(result, Outcome.FAILED if is_over else Outcome.RETRY, failure.detail, now, failure.provider, "")
    if row.attempt_count != result.claimed.delivery.attempt_count:
        return set()  # another worker's attempt is under way
    row.leased_until = None
    if row.state in (State.CANCELLED, State.ANSWERED):
        _free(row, now)
        return set()
    if is_over:
        return give_up(row, _last_words(row, failure), now)
    row.next_attempt_at = again_at
    is_slow = failure.retry_after is not None or row.attempt_count >= PATIENCE
    return pages_of(row) if is_slow else set()


def _last_words(row: Delivery, failure: Failed) -> str:
    if failure.is_permanent or row.attempt_count < 2:
        return failure.detail
    return GAVE_UP.say(count=row.attempt_count, why=failure.detail)


def give_up(row: Delivery, reason: str, now: dt.datetime) -> set[int]:
    """Fail a delivery and those it carries; return the pages that go on by another method."""
    pages = pages_of(row)
    row.state, row.reason = State.FAILED, reason[:LONGEST]
    row.next_attempt_at = row.leased_until = row.receipt_due_at = None
    row.content.pop("code", None)
    if row.bundle_count:
        Delivery.objects.carried_by(row.pk).update(state=State.FAILED, reason=row.reason)
    return pages


def pages_of(row: Delivery) -> set[int]:
    """Return the pages that a delivery is for, with those it carries; none for an edit of a message that was sent."""
    if row.kind != Kind.PAGE:
        return set()
    if row.user_id is None:
        return set() if row.page_id is None else {row.page_id}
    carried = Delivery.objects.carried_by(row.pk) if row.bundle_count else ()
    return {page_id for page_id in [row.page_id, *(one.page_id for one in carried)] if page_id is not None}


def _free(row: Delivery, now: dt.datetime) -> None:
    """Have those go on by themselves that a withdrawn delivery carried."""
    row.next_attempt_at = None
    if row.bundle_count:
        Delivery.objects.pending().filter(bundle=row.pk).update(bundle=None, next_attempt_at=now)


def _end_attempt(
    result: Result, outcome: Outcome, detail: str, now: dt.datetime, provider: str, provider_id: str
) -> None:
    attempt = result.claimed.attempt
    if attempt is not None:
        attempt.ended_at, attempt.outcome, attempt.detail = now, outcome, detail[:LONGEST]
        attempt.provider, attempt.provider_id = provider[:64], provider_id[:190]


def _judge_ways(settled: Iterable[tuple[Result, Delivery]], now: dt.datetime) -> None:
    """Mark the methods, rooms and webhooks that fail, work again, or never will."""
    outcomes: dict[tuple[type[Way], int], list[tuple[Result, Delivery]]] = defaultdict(list)
    for result, row in settled:
        for model, number in (
            (ContactMethod, row.method_id),
            (RoomChannel, row.room_id),
            (WebhookEndpoint, row.webhook_id),
        ):
            if number is not None:
                outcomes[model, number].append((result, row))
    for model in (ContactMethod, RoomChannel, WebhookEndpoint):
        ids = [number for of_model, number in outcomes if of_model is model]
        failed = [number for number in ids if any(one.failure for one, _row in outcomes[model, number])]
        concerned = model._default_manager.filter(Q(pk__in=failed) | Q(pk__in=ids, state=MethodState.FAILING))
        for way in concerned if ids else ():
            for result, row in outcomes[model, way.pk]:
                _judge(way, result, row, now)


def _judge(way: Way, result: Result, row: Delivery, now: dt.datetime) -> None:
    failure = result.failure
    if failure is None:
        health.mark_working(way)
    elif failure.disables:
        health.disable(way, failure.detail, now)
    elif row.priority == Priority.EDIT:
        return  # somebody may have deleted the message
    elif result.claimed.failure is None and (row.state == State.FAILED or row.attempt_count >= FAILING_AFTER):
        health.mark_failing(way, failure.detail, now)
