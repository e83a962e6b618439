"""Which events of the queue a worker takes: of each source a stretch from its oldest on, which nobody else has.

A source's events are processed in order, however many workers there are: an end that overtook its beginning would end
nothing. So a source's events are taken up to the first that another worker holds. Rows are locked with SKIP LOCKED;
where the database lacks it, one worker at a time claims (`core.db.transactions.alone_at`).
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import takewhile
from typing import NamedTuple

from django.db import connection
from django.db.models import F
from django.db.models.functions import Length

from core.db.rows import lock_available
from intake.models import IntakeEvent

LISTED = 2000  # events, of which some are taken: behind those of a busy source lie those of others
MAX_BYTES = 4 * 1024 * 1024  # of bodies held at once; one that is larger goes alone
UNMEASURED = 100  # rows of an earlier version whose bodies are measured at once


class Waiting(NamedTuple):
    """An event of the queue, without its body."""

    pk: int
    source_id: int | None
    format: str
    size: int


def waiting(passed_over: Collection[int] = ()) -> list[Waiting]:
    """Return the oldest events that wait, without a lock or their bodies."""
    # SQLite finds the length beside the row, and the column only behind the body; the others read all of a body.
    size = Length("body") if connection.vendor == "sqlite" else F("byte_count")
    found = IntakeEvent.objects.waiting().annotate(bytes=size)
    listed = [Waiting(*row) for row in found.values_list("pk", "source_id", "format", "bytes")[:LISTED]]
    return _measured([one for one in listed if one.pk not in passed_over])


def claim(listed: Iterable[Waiting], limit: int) -> list[Waiting]:
    """Lock and return up to `limit` of those listed, oldest first, no more than MAX_BYTES of them."""
    left: dict[int | None, list[Waiting]] = {}
    for one in listed:
        left.setdefault(one.source_id, []).append(one)
    while left and (stretches := _stretches(left.values(), limit)):
        locked = _lock([one.pk for some in stretches for one in some])
        if claimed := [one for some in stretches for one in _until_missing(some, locked)]:
            return sorted(claimed)
        for some in stretches:
            del left[some[0].source_id]
    return []


def _until_missing(stretch: Iterable[Waiting], locked: set[int]) -> Iterator[Waiting]:
    return takewhile(lambda one: one.pk in locked, stretch)


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


def _lock(ids: Sequence[int]) -> set[int]:
    rows = lock_available(IntakeEvent.objects.waiting().filter(pk__in=ids))
    return set(rows.values_list("pk", flat=True))


def _measured(listed: Sequence[Waiting]) -> list[Waiting]:
    unknown = [one.pk for one in listed if one.size is None][:UNMEASURED]
    if not unknown:
        return list(listed)
    sizes = dict(IntakeEvent.objects.filter(pk__in=unknown).values_list("pk", Length("body")))
    return [one if one.size is not None else one._replace(size=sizes.get(one.pk, MAX_BYTES)) for one in listed]
