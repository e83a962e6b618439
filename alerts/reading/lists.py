"""Lists of alerts, one of which may be unreadable while the others are good."""

from collections.abc import Callable, Sequence
from typing import Any

import orjson

from alerts.updates import AlertUpdate, AlertUpdates, Leftover
from intake.requests import IntakeError


def read_each(
    items: Sequence[Any], read: Callable[[Any], AlertUpdate], wrap: Callable[[list[Any]], Any] = list
) -> AlertUpdates:
    """Return the updates of the items that `read` accepts, and the others as they came, to be looked at and replayed.

    `wrap` puts items back into what they are sent in. Raises IntakeError where no item can be read.
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
