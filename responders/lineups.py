"""Layers as the API writes them and as rows keep them, and as values of `responders.oncall`."""

import datetime as dt
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from responders.oncall import FeedShift, FeedSpec, LayerSpec, Restriction
from responders.oncall.walltime import wall_of

MIDNIGHT = "24:00"
DAY = dt.timedelta(days=1)


def layer_spec(
    layer: Mapping[str, Any], time_zone: str, feeds: Mapping[int, Sequence[FeedShift]]
) -> LayerSpec | FeedSpec:
    """Return a stored layer's value."""
    if calendar := layer.get("calendar"):
        return FeedSpec(layer["name"], tuple(feeds.get(calendar, ())), calendar)
    zone = zone_of(time_zone)
    hand_over = layer["hand_over"]
    return LayerSpec(
        name=layer["name"],
        zone=zone,
        turns=tuple(tuple(turn) for turn in layer["users"]),
        unit=layer["rotation"]["unit"],
        every=layer["rotation"]["every"],
        starts_at=wall_from(layer["starts_at"], zone),
        hand_over=dt.time.fromisoformat(hand_over["time"]),
        weekday=hand_over["weekday"],
        advance=layer["advance"],
        restrictions=tuple(
            restriction(frozenset(one["weekdays"]), one["from"], one["to"]) for one in layer["restrictions"]
        ),
        first_turn=layer["first_turn"],
    )


@lru_cache(maxsize=600)
def zone_of(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def wall_from(text: str, zone: ZoneInfo) -> dt.datetime:
    """Return a stored wall time; one with an offset says which of two it is."""
    moment = dt.datetime.fromisoformat(text)
    return wall_of(moment, zone) if moment.tzinfo else moment


def restriction(weekdays: frozenset[int], starts: str, ends: str) -> Restriction:
    """Return hours between two times of day; those that do not end later end on the next day."""
    begins, closes = _since_midnight(starts), _since_midnight(ends)
    return Restriction(weekdays, begins, closes if closes > begins else closes + DAY)


def _since_midnight(text: str) -> dt.timedelta:
    if text == MIDNIGHT:
        return DAY
    time = dt.time.fromisoformat(text)
    return dt.timedelta(hours=time.hour, minutes=time.minute)
