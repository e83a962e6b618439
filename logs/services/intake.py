"""Store what endpoints received, in one transaction."""

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from alerts.services.heartbeats import PING_STEP, ping
from core.db.transactions import unit_of_work
from intake.models import IntakeEvent, Source
from intake.requests import IntakeError, IntakeRequest
from intake.results import IntakeResult
from intake.services.queue import insert_events
from logs.formats import formats
from logs.lines import Line
from logs.services import detecting, levels
from logs.services.storing import NormalisedLines, insert, store


@dataclass(frozen=True, slots=True)
class Delivery:
    """A request's lines, and the request where unreadable."""

    normalised: NormalisedLines
    failed: IntakeEvent | None = None


def store_lines(results: Sequence[IntakeResult]) -> None:
    """Store the lines of many requests at once."""
    now = timezone.now()
    deliveries: list[Delivery] = [delivery for one in results for delivery in one.rows]
    insert((delivery.normalised for delivery in deliveries), now)
    detecting.on_lines((line for delivery in deliveries for line in delivery.normalised.lines), now=now)
    for source in dict.fromkeys(one.source for one in results):
        _note(source, now)
    unknown: levels.WordCounts = Counter()
    for one in results:
        lines = (line for delivery in one.rows for line in delivery.normalised.lines)
        unknown += levels.count_unknown(one.source, lines)
    if unknown:  # apart: no line may wait for it or be lost by it
        transaction.on_commit(lambda: levels.record(unknown, now), robust=True)
    insert_events([delivery.failed for delivery in deliveries if delivery.failed])


@unit_of_work
def store_sent(lines: Sequence[Line], now: dt.datetime) -> int:
    """Store lines that a person sent; return how many."""
    stored = store(lines, None, now)
    detecting.on_lines(stored, now=now)
    return len(stored)


def _note(source: Source | None, now: dt.datetime) -> None:
    if source and (source.last_received_at is None or now - source.last_received_at > PING_STEP):
        ping(source, now)


def read_again(event: IntakeEvent) -> None:
    """Store a replayed request's lines in the caller's transaction. Raises IntakeError."""
    headers = event.headers
    request = IntakeRequest("POST", headers.get("path", ""), headers, bytes(event.body), headers.get("query", ""))
    parsed = formats()[event.format].parse(request.unpacked)
    if not parsed.lines:
        raise IntakeError(parsed.summary)
    now = timezone.now()
    detecting.on_lines(store(parsed.lines, event.source, now), now=now)
