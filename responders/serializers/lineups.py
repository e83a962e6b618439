"""Layers in requests and responses."""

import datetime as dt
import re
from typing import Any

from django.utils.dateparse import parse_datetime
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.api.configuration import StrictFields
from core.api.fields import MAX_ID, LineField

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(:00)?")
MIDNIGHT = "24:00"
MAX_EVERY = {"hours": 24 * 366, "days": 366, "weeks": 104, "months": 24}
MOST_TURNS, MOST_PEOPLE, MOST_LAYERS, MOST_RESTRICTIONS = 200, 50, 30, 50
YEARS = range(1970, 2200)


@extend_schema_field({"type": "integer", "minimum": 0, "maximum": 6})
class WeekdayField(serializers.Field[int, Any, int, int]):
    """A weekday; 0 is Monday. English names are accepted."""

    def to_internal_value(self, data: Any) -> int:
        if type(data) is int and data in range(7):
            return data
        word = str(data).strip().lower()
        found = [number for number, name in enumerate(WEEKDAYS) if len(word) >= 2 and name.startswith(word)]
        if len(found) != 1:
            raise serializers.ValidationError("Give a number, 0 for Monday to 6 for Sunday.", code="invalid")
        return found[0]

    def to_representation(self, value: int) -> int:
        return value


@extend_schema_field({"type": "string", "example": "09:00"})
class ClockField(serializers.Field[str, Any, str, str]):
    """A time of day; 24:00 only where it says so."""

    def __init__(self, *, may_be_midnight: bool = False, **kwargs: Any) -> None:
        self.may_be_midnight = may_be_midnight
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> str:
        text = str(data).strip()
        if self.may_be_midnight and text in (MIDNIGHT, f"{MIDNIGHT}:00"):
            return MIDNIGHT
        if not (match := CLOCK.fullmatch(text)):
            until = " to 24:00" if self.may_be_midnight else ""
            raise serializers.ValidationError(f"Give a time of day such as 09:00{until}.", code="invalid")
        return f"{int(match[1]):02}:{match[2]}"

    def to_representation(self, value: str) -> str:
        return value


@extend_schema_field(OpenApiTypes.DATETIME)
class TypedTimeField(serializers.Field[Any, Any, Any, Any]):
    """A time with an offset, or by the schedule's clocks without one; the caller settles which instant it is."""

    def to_internal_value(self, data: Any) -> dt.datetime:
        try:
            moment = parse_datetime(str(data).strip())
        except ValueError:
            moment = None
        if moment is None or moment.year not in YEARS:
            raise serializers.ValidationError("Give a time such as 2026-11-30T09:00:00Z.", code="invalid")
        return moment

    def to_representation(self, value: Any) -> Any:
        if isinstance(value, dt.datetime):
            return value.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
        return value


@extend_schema_field(serializers.ListField(child=serializers.ListField(child=serializers.IntegerField(min_value=1))))
class TurnsField(serializers.Field[list[list[int]], Any, Any, Any]):
    """Turns in order: lists of user ids, several for people on call together, an empty one for nobody."""

    def to_internal_value(self, data: Any) -> list[list[int]]:
        if not isinstance(data, list) or len(data) > MOST_TURNS:
            raise serializers.ValidationError(f"Give a list of at most {MOST_TURNS} turns.", code="invalid")
        return [self._turn(turn if isinstance(turn, list) else [turn]) for turn in data]

    def _turn(self, turn: list[Any]) -> list[int]:
        if wrong := [one for one in turn if type(one) is not int or not 0 < one <= MAX_ID]:
            raise serializers.ValidationError(f"{str(wrong[0])[:50]!r} is not the id of a user.", code="invalid")
        if len(turn) > MOST_PEOPLE:
            raise serializers.ValidationError(f"At most {MOST_PEOPLE} people share a turn.", code="invalid")
        return list(dict.fromkeys(turn))

    def to_representation(self, value: Any) -> Any:
        return value


class RotationSerializer(StrictFields, serializers.Serializer[Any]):
    """How long a turn lasts, in wall time."""

    unit = serializers.ChoiceField(choices=["hours", "days", "weeks", "months"])
    every = serializers.IntegerField(min_value=1, default=1)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        most = MAX_EVERY[attrs["unit"]]
        if attrs["every"] > most:
            raise serializers.ValidationError({"every": f"At most {most} {attrs['unit']}."})
        return attrs


class HandOverSerializer(StrictFields, serializers.Serializer[Any]):
    """When turns change; by default at the time of day, and for weeks on the weekday, of `starts_at`."""

    time = ClockField(required=False)
    weekday = WeekdayField(required=False, allow_null=True)


class RestrictionSerializer(StrictFields, serializers.Serializer[Any]):
    """Hours in which a layer is active; an end that is not later than the start is on the next day."""

    weekdays = serializers.ListField(child=WeekdayField(), allow_empty=False, default=lambda: list(range(7)))
    vars()["from"] = ClockField()
    to = ClockField(may_be_midnight=True)


class LayerSerializer(StrictFields, serializers.Serializer[Any]):
    """A layer: people who take turns, or an imported calendar. Later layers win over earlier ones."""

    name = LineField(max_length=100, default="")
    users = TurnsField(required=False)
    rotation = RotationSerializer(required=False)
    starts_at = TypedTimeField(required=False, help_text="Wall time of the schedule's zone.")
    hand_over = HandOverSerializer(required=False)
    advance = serializers.ChoiceField(
        choices=["calendar", "active"],
        default="calendar",
        help_text="Whether every turn counts, or only those with active hours.",
    )
    restrictions = RestrictionSerializer(many=True, required=False)
    calendar = serializers.IntegerField(
        min_value=1, required=False, allow_null=True, help_text="Id of an imported calendar, in place of turns."
    )
    effective_from = TypedTimeField(required=False, allow_null=True)
    first_turn = serializers.IntegerField(
        min_value=0, required=False, allow_null=True, help_text="Which of the turns begins at `starts_at`, from 0."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(attrs.get("restrictions", ())) > MOST_RESTRICTIONS:
            raise serializers.ValidationError({"restrictions": f"At most {MOST_RESTRICTIONS}."})
        if attrs.get("calendar"):
            if attrs.get("users"):
                raise serializers.ValidationError({"users": "A layer has turns or a calendar, not both."})
            return {"name": attrs["name"], "calendar": attrs["calendar"], "users": []} | _effect(attrs)
        if "users" not in attrs:
            raise serializers.ValidationError({"users": "Name the people who take turns."}, code="required")
        unit = attrs.get("rotation", {}).get("unit", "weeks")
        if attrs.get("hand_over", {}).get("weekday") is not None and unit in ("hours", "months"):
            raise serializers.ValidationError({"hand_over": f"A rotation by {unit} has no weekday."})
        attrs.pop("calendar", None)
        return attrs


@extend_schema_field(LayerSerializer(many=True))
class LayersField(serializers.Field[Any, Any, Any, Any]):
    """Layers, always whole: what a PATCH leaves out of one is not what it was."""

    def to_internal_value(self, data: Any) -> list[dict[str, Any]]:
        if isinstance(data, list) and len(data) > MOST_LAYERS:
            raise serializers.ValidationError(f"A schedule has at most {MOST_LAYERS} layers.", code="max_length")
        layers = LayerSerializer(data=data, many=True)
        if not layers.is_valid():
            raise serializers.ValidationError(layers.errors)
        return [dict(layer) for layer in layers.validated_data]

    def to_representation(self, value: Any) -> Any:
        return value


def _effect(attrs: dict[str, Any]) -> dict[str, Any]:
    return {"effective_from": attrs["effective_from"]} if attrs.get("effective_from") else {}


def completed_layer(
    layer: dict[str, Any], number: int, old: dict[str, Any] | None, now_wall: dt.datetime
) -> dict[str, Any]:
    """Return a layer with everything that was left out: from its predecessor of the same name, else a default."""
    name = layer["name"] or f"Layer {number + 1}"
    if layer.get("calendar"):
        return {**layer, "name": name}
    old = old if old and not old.get("calendar") else {}
    rotation = layer.get("rotation") or old.get("rotation") or {"unit": "weeks", "every": 1}
    starts_at = layer.get("starts_at") or old.get("starts_at") or _midnight(now_wall)
    wall = dt.datetime.fromisoformat(starts_at)
    given = layer.get("hand_over") or old.get("hand_over") or {}
    weekday = given.get("weekday")
    return {
        "name": name,
        "users": layer["users"],
        "rotation": dict(rotation),
        "starts_at": starts_at,
        "hand_over": {
            "time": given.get("time") or f"{wall:%H:%M}",
            "weekday": wall.weekday() if weekday is None and rotation["unit"] == "weeks" else weekday,
        },
        "advance": layer["advance"],
        "restrictions": [dict(one) for one in layer.get("restrictions", ())],
        "first_turn": layer.get("first_turn"),
        "effective_from": layer.get("effective_from"),
    }


def _midnight(wall: dt.datetime) -> str:
    return dt.datetime.combine(wall.date(), dt.time.min).isoformat()
