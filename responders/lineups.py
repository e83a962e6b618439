"""Layers as the API writes them and as rows keep them, and as values of `responders.oncall`."""

import datetime as dt
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from core.errors import DomainError
from responders import oncall
from responders.oncall import FeedShift, FeedSpec, LayerSpec, Restriction
from responders.oncall.walltime import candidates, is_skipped, wall_of

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
    """Return hours between two times of day."""
    begins, closes = _since_midnight(starts), _since_midnight(ends)
    return Restriction(weekdays, begins, closes if closes > begins else closes + DAY)


def _since_midnight(text: str) -> dt.timedelta:
    if text == MIDNIGHT:
        return DAY
    time = dt.time.fromisoformat(text)
    return dt.timedelta(hours=time.hour, minutes=time.minute)


GRID = ("rotation", "starts_at", "hand_over", "advance")


def continued(layer: dict[str, Any], old: Mapping[str, Any] | None, time_zone: str, at: dt.datetime) -> dict[str, Any]:
    """Return a layer that takes its predecessor's turns over; `first_turn` is None where it was not given."""
    chosen = layer.get("first_turn")
    if old is None or layer.get("calendar") or old.get("calendar"):
        return {**layer, "first_turn": chosen or 0}
    if any(layer[name] != old[name] for name in GRID) or (chosen is not None and chosen != old["first_turn"]):
        return {**layer, "first_turn": chosen or 0}
    layer = {**layer, "first_turn": old["first_turn"]}
    if (kept := oncall.with_places_kept(old["users"], layer["users"])) is not None:
        return {**layer, "users": kept}
    if len(layer["users"]) == len(old["users"]):
        return layer
    before, after = layer_spec(old, time_zone, {}), layer_spec(layer, time_zone, {})
    assert isinstance(before, LayerSpec) and isinstance(after, LayerSpec)  # noqa: S101 (calendars went above)
    return {**layer, "first_turn": oncall.first_turn_for(before, after, at)}


def without(layers: Sequence[Mapping[str, Any]], user_id: int) -> list[dict[str, Any]]:
    """Return the layers without a person; their turns stay, empty or smaller."""
    return [
        {**layer, "users": [[user for user in turn if user != user_id] for turn in layer["users"]]} for layer in layers
    ]


class WallTimeRefused(DomainError):
    """A typed time that the zone's clocks skip or show twice; `candidates` are the times it may mean."""


def typed_instant(moment: dt.datetime, time_zone: str, field: str) -> dt.datetime:
    """Return the instant of a time typed with an offset or without. Raises WallTimeRefused."""
    if moment.tzinfo is not None:
        return moment.astimezone(dt.UTC)
    zone = zone_of(time_zone)
    found = candidates(moment, zone)
    if len(found) == 1:
        return found[0].astimezone(dt.UTC)
    choices = [one.isoformat() for one in found]
    if is_skipped(moment, zone):
        code = "time_skipped"
        sentence = _("%(time)s does not exist in %(zone)s, where the clocks change. Send %(first)s or %(second)s.")
    else:
        code = "time_repeated"
        sentence = _("%(time)s happens twice in %(zone)s, where the clocks change. Send %(first)s or %(second)s.")
    words = {"time": f"{moment:%Y-%m-%d %H:%M}", "zone": time_zone, "first": choices[0], "second": choices[1]}
    raise WallTimeRefused(sentence % words, field=field, code=code, candidates=choices)


def typed_wall_time(moment: dt.datetime, time_zone: str, field: str) -> str:
    """Return a typed time as layers keep it. Raises WallTimeRefused."""
    zone = zone_of(time_zone)
    wall = wall_of(typed_instant(moment, time_zone, field), zone)
    if len(candidates(wall, zone)) == 1:
        return wall.replace(fold=0).isoformat()
    return wall.replace(tzinfo=zone).isoformat()
