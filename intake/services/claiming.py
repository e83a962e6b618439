"""Claim events of the queue: of each source a stretch from its oldest on.

A source's events are processed in order: they are taken up to the first that another worker holds. Without SKIP LOCKED
one worker at a time claims (`core.db.transactions.alone_at`).
"""

from collections.abc import Collection, Iterable, Sequence
from itertools import takewhile
from typing import NamedTuple

from django.db import connection
from django.db.models.functions import Coalesce, Length

from core.db.rows import lock_available
from intake.models import IntakeEvent, Source

LISTED = 2000  # more than are taken: behind a busy source lie others
FEW = 20  # events whose sources are read with them
MAX_BYTES = 4 * 1024 * 1024  # of bodies at once; a larger one goes alone


class Waiting(NamedTuple):
    """A queued event without its body."""

    pk: int
    source_id: int | None
    format: str
    size: int


def waiting(passed_over: Collection[int] = ()) -> list[Waiting]:
    """Return the oldest waiting events, without locks or bodies."""
    # SQLite finds lengths beside the row; others would read all of a body.
    size = Length("body") if connection.vendor == "sqlite" else Coalesce("byte_count", MAX_BYTES)
    found = IntakeEvent.objects.waiting().annotate(bytes=size)
    listed = [Waiting(*row) for row in found.values_list("pk", "source_id", "format", "bytes")[:LISTED]]
    return [one for one in listed if one.pk not in passed_over]


def claim(listed: Iterable[Waiting], limit: int) -> list[IntakeEvent]:
    """Return up to `limit` listed events, oldest first and at most MAX_BYTES, locked for this transaction."""
    left: dict[int | None, list[Waiting]] = {}
    for one in listed:
        left.setdefault(one.source_id, []).append(one)
    while left and (stretches := _stretches(left.values(), limit)):
        locked = _lock([one.pk for some in stretches for one in some])
        claimed = [pk for some in stretches for pk in takewhile(locked.__contains__, (one.pk for one in some))]
        if claimed:
            return [locked[pk] for pk in sorted(claimed)]
        for some in stretches:
            del left[some[0].source_id]
    return []


def _stretches(groups: Iterable[Sequence[Waiting]], limit: int) -> list[list[Waiting]]:
    stretches: list[list[Waiting]] = []
    count = size = 0
    for of_source in groups:
        stretch: list[Waiting] = []
        for one in of_source:
            size += one.size
            if count == limit or (count and size > MAX_BYTES):
                return [*stretches, stretch] if stretch else stretches
            stretch.append(one)
            count += 1
        stretches.append(stretch)
    return stretches


def _lock(ids: Sequence[int]) -> dict[int, IntakeEvent]:
    events = IntakeEvent.objects.waiting().filter(pk__in=ids)
    # A join would lock the sources, too, and reads them once for each event.
    if len(ids) <= FEW and not connection.features.has_select_for_update_skip_locked:
        return {event.pk: event for event in events.select_related("source__team")}
    found = {event.pk: event for event in lock_available(events)}
    sources = Source.objects.select_related("team").in_bulk({event.source_id for event in found.values()} - {None})
    for event in found.values():
        event.source = sources.get(event.source_id or 0)
    return found
