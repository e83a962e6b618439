"""Carry turns over to the next line-up."""

import datetime as dt
from collections.abc import Sequence
from typing import TypeVar

from responders.oncall.layers import LayerSpec

Turn = TypeVar("Turn", bound=Sequence[int])


def with_places_kept(old: Sequence[Sequence[int]], new: Sequence[Sequence[int]]) -> list[list[int]] | None:
    """Return turns with empty ones for those removed; None after other changes."""
    if len(new) >= len(old):
        return None
    kept: list[list[int]] = []
    left = list(new)
    for turn in old:
        is_kept = bool(left) and bool(left[0]) and set(left[0]) <= set(turn)
        kept.append(list(left.pop(0)) if is_kept or (left and not left[0] and not turn) else [])
    return None if left else kept


def first_turn_for(old: LayerSpec, new: LayerSpec, at: dt.datetime) -> int:
    """Return the `first_turn` that keeps the turn due at an instant."""
    if not old.turns or not new.turns or at < old.start:
        return new.first_turn
    place = old.turn(old.period(at))
    due = set(old.turns[place])
    places = sorted(range(len(new.turns)), key=lambda number: abs(number - place))
    wanted = next((number for number in places if set(new.turns[number]) == due), place % len(new.turns))
    return (new.first_turn + wanted - new.turn(new.period(at))) % len(new.turns)
