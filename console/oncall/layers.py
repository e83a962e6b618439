"""The layers of a schedule while somebody edits them: what a form sends, and what its buttons do."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _

from responders.serializers.lineups import MOST_LAYERS, MOST_PEOPLE, MOST_RESTRICTIONS, MOST_TURNS

DAYS = 7
WALL = 16  # letters of 2026-11-30T09:00
UNITS_WITH_WEEKDAY = ("days", "weeks")


@dataclass
class HoursState:
    weekdays: list[int] = field(default_factory=lambda: list(range(5)))
    opens: str = "08:00"
    closes: str = "18:00"


@dataclass
class LayerState:
    """A layer as the form shows it."""

    key: str
    name: str = ""
    turns: list[list[int]] = field(default_factory=list)
    calendar: int | None = None
    every: str = "1"
    unit: str = "weeks"
    starts_at: str = ""
    starts_was: str = ""
    time: str = "09:00"
    weekday: str = "0"
    advance: str = "calendar"
    hours: list[HoursState] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def as_api(self) -> dict[str, Any]:
        """Return the layer as the API takes it."""
        if self.calendar is not None:
            return {"name": self.name, "calendar": self.calendar}
        hand_over: dict[str, Any] = {"time": self.time} if self.time else {}
        if self.weekday and self.unit in UNITS_WITH_WEEKDAY:
            hand_over["weekday"] = int(self.weekday)
        found: dict[str, Any] = {
            "name": self.name,
            "users": self.turns,
            "rotation": {"unit": self.unit, "every": self.every},
            "hand_over": hand_over,
            "advance": self.advance,
            "restrictions": [
                {"weekdays": one.weekdays, "from": one.opens, "to": one.closes} for one in self.hours if one.weekdays
            ],
        }
        starts_at = self.starts_was if self.starts_was[:WALL] == self.starts_at[:WALL] else self.starts_at
        return found | ({"starts_at": starts_at} if starts_at else {})


def stored(layers: Iterable[Mapping[str, Any]]) -> list[LayerState]:
    """Return stored layers as the form shows them."""
    return [_stored(f"l{number}", layer) for number, layer in enumerate(layers)]


def _stored(key: str, layer: Mapping[str, Any]) -> LayerState:
    if layer.get("calendar"):
        return LayerState(key, layer["name"], calendar=layer["calendar"])
    weekday = layer["hand_over"]["weekday"]
    return LayerState(
        key,
        layer["name"],
        [list(turn) for turn in layer["users"]],
        every=str(layer["rotation"]["every"]),
        unit=layer["rotation"]["unit"],
        starts_at=layer["starts_at"][:WALL],
        starts_was=layer["starts_at"],
        time=layer["hand_over"]["time"],
        weekday="" if weekday is None else str(weekday),
        advance=layer["advance"],
        hours=[HoursState(list(one["weekdays"]), one["from"], one["to"]) for one in layer["restrictions"]],
    )


def sent(data: QueryDict) -> list[LayerState]:
    """Return the layers that a form sent, in the order of the page."""
    keys = list(dict.fromkeys(key for key in data.getlist("layer") if key.isalnum() and len(key) < 12))
    return [_sent(key, data) for key in keys[:MOST_LAYERS]]


def _sent(key: str, data: QueryDict) -> LayerState:
    def text(name: str) -> str:
        return data.get(f"{key}-{name}", "").strip()[:200]

    calendar = text("calendar")
    rows = [row for row in data.getlist(f"{key}-hours") if row.isdigit()][:MOST_RESTRICTIONS]
    hours = [
        HoursState(
            _numbers(data.getlist(f"{key}-hours-{row}-days"), DAYS), text(f"hours-{row}-from"), text(f"hours-{row}-to")
        )
        for row in rows
    ]
    weekday = text("weekday")
    return LayerState(
        key,
        text("name"),
        [_numbers(turn.split(",")) for turn in data.getlist(f"{key}-turn")][:MOST_TURNS],
        calendar=int(calendar) if _is_number(calendar) else None,
        every=text("every"),
        unit=text("unit"),
        starts_at=text("starts_at"),
        starts_was=text("starts_was"),
        time=text("time"),
        weekday=weekday if weekday in map(str, range(DAYS)) else "",
        advance=text("advance") or "calendar",
        hours=hours,
    )


def act(layers: list[LayerState], deed: str, data: QueryDict, starts_at: str) -> None:
    """Do what a button says, such as `turn-up:l0:2`."""
    verb, _colon, rest = deed.partition(":")
    key, _colon, number = rest.partition(":")
    place = int(number) if _is_number(number) else 0
    if verb == "layer-add" and len(layers) < MOST_LAYERS:
        layers.append(_new(layers, starts_at))
        return
    index = next((at for at, one in enumerate(layers) if one.key == key), None)
    if index is None:
        return
    if verb == "layer-remove":
        del layers[index]
    elif verb in ("layer-up", "layer-down"):
        _move(layers, index, -1 if verb == "layer-up" else 1)
    else:
        _act_within(layers[index], verb, place, data)


def _act_within(layer: LayerState, verb: str, place: int, data: QueryDict) -> None:
    if verb in ("turn-up", "turn-down"):
        _move(layer.turns, place, -1 if verb == "turn-up" else 1)
    elif verb in ("turn-remove", "hours-remove"):
        del (layer.turns if verb == "turn-remove" else layer.hours)[place : place + 1]
    elif verb == "turn-add" and len(layer.turns) < MOST_TURNS:
        layer.turns.append(_numbers([data.get(f"{layer.key}-add", "")]))
    elif verb == "turn-join" and 0 < place < len(layer.turns):
        joined = [*layer.turns[place - 1], *layer.turns.pop(place)]
        layer.turns[place - 1] = list(dict.fromkeys(joined))[:MOST_PEOPLE]
    elif verb == "turn-split" and place < len(layer.turns):
        layer.turns[place : place + 1] = [[user] for user in layer.turns[place]]
    elif verb == "hours-add" and len(layer.hours) < MOST_RESTRICTIONS:
        layer.hours.append(HoursState())


def _new(layers: list[LayerState], starts_at: str) -> LayerState:
    taken = {one.key for one in layers}
    key = next(f"n{number}" for number in range(MOST_LAYERS + 1) if f"n{number}" not in taken)
    return LayerState(key, _("Layer %(number)d") % {"number": len(layers) + 1}, starts_at=starts_at)


def _move(rows: list[Any], place: int, by: int) -> None:
    if 0 <= place < len(rows) and 0 <= place + by < len(rows):
        rows.insert(place + by, rows.pop(place))


def _numbers(words: Iterable[str], below: int = 2**63) -> list[int]:
    found = (int(word) for word in words if _is_number(word))
    return list(dict.fromkeys(number for number in found if number < below))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19
