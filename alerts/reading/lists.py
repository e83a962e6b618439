"""Lists of alerts, some of which may be unreadable."""

from collections.abc import Callable, Sequence
from typing import Any

import orjson

from alerts.updates import AlertUpdate, AlertUpdates, Leftover
from intake.requests import IntakeError


def read_each(
    items: Sequence[Any], read: Callable[[Any], AlertUpdate], wrap: Callable[[list[Any]], Any] = list
) -> AlertUpdates:
    """Return the updates of readable items, and the others for a replay.

    `wrap` rebuilds a request of them. Raises IntakeError when no item is readable.
    """
    updates: list[AlertUpdate] = []
    left: list[Any] = []
    reasons: list[tuple[int, str]] = []
    for number, item in enumerate(items, start=1):
        try:
            updates.append(read(item))
        except IntakeError as error:
            left.append(item)
            reasons.append((number, error.message))
    if not left:
        return AlertUpdates(updates)
    leftover = Leftover(orjson.dumps(wrap(left)), tuple(reasons))
    if not updates:
        raise IntakeError(
            reasons[0][1] if len(items) == 1 else f"None of the {len(items)} can be read. {leftover.reason}"
        )
    return AlertUpdates(updates, leftover)
