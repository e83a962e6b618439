import datetime as dt
from typing import Any

from rest_framework import serializers

from core.api.configuration import CleanedModelSerializer
from core.errors import DomainError
from responders.lineups import typed_instant, typed_wall_time, zone_of
from responders.models import Schedule, ScheduleVersion
from responders.oncall import Difference
from responders.oncall.walltime import wall_of
from responders.serializers.lineups import LayersField, TypedTimeField, completed_layer
from responders.services.lineups import (
    LineUpChange,
    change_line_up,
    create_schedule,
    preview_line_up,
    refuse_repeated_names,
)
from responders.services.oncall import names_of
from responders.validation import refuse_unknown_zone
from users.models import User


class PersonOnCallSerializer(serializers.Serializer[Any]):
    """A person by name."""

    id = serializers.IntegerField()
    name = serializers.CharField()


class DifferenceSerializer(serializers.Serializer[Any]):
    """A time in which other people are on call than before."""

    vars()["from"] = serializers.DateTimeField()
    to = serializers.DateTimeField()
    was = PersonOnCallSerializer(many=True)
    will_be = PersonOnCallSerializer(many=True)


class ScheduleSerializer(CleanedModelSerializer):
    """A schedule; `layers` is the newest line-up, in force from its `effective_from` on.

    Changed layers make a new version, by default from the next hand-over. A person taken out leaves an empty turn, so
    that nobody else's moves; send a new `starts_at` to close the gap.
    """

    layers = LayersField(required=False)
    effective_from = TypedTimeField(write_only=True, required=False, allow_null=True)

    class Meta:
        model = Schedule
        fields = [
            *("id", "name", "description", "team", "time_zone", "holidays", "announces_gaps", "is_active", "layers"),
            *("effective_from", "created_at"),
        ]
        read_only_fields = ["created_at"]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        given, layers = attrs.pop("effective_from", None), attrs.pop("layers", None)
        attrs = super().validate(attrs)
        zone = attrs.get("time_zone") or (self.instance.time_zone if self.instance else "UTC")
        refuse_unknown_zone(zone)
        moment = typed_instant(given, zone, "effective_from") if given else None
        if layers is not None:
            attrs["layers"] = self._completed(layers, zone, moment)
        elif self.instance is not None and zone != self.instance.time_zone:
            newest = _newest(self.instance)
            attrs["layers"] = [{**layer, "effective_from": moment} for layer in (newest.layers if newest else [])]
        return attrs

    def _completed(self, layers: list[dict[str, Any]], zone: str, moment: dt.datetime | None) -> list[dict[str, Any]]:
        newest = _newest(self.instance) if self.instance else None
        old = {layer["name"]: layer for layer in newest.layers} if newest else {}
        now_wall = wall_of(self.context["now"], zone_of(zone))
        found = []
        for number, layer in enumerate(layers):
            for name in ("starts_at", "effective_from"):
                if isinstance(layer.get(name), dt.datetime):
                    typed = typed_wall_time if name == "starts_at" else typed_instant
                    layer[name] = typed(layer[name], zone, f"layers.{number}.{name}")
            completed = completed_layer(layer, number, old.get(layer["name"]), now_wall)
            found.append({**completed, "effective_from": completed.get("effective_from") or moment})
        refuse_repeated_names(found)
        self._refuse_strangers(found)
        return found

    def _refuse_strangers(self, layers: list[dict[str, Any]]) -> None:
        named = {user for layer in layers for turn in layer["users"] for user in turn}
        known = set(User.objects.can_respond().filter(pk__in=named).values_list("pk", flat=True))
        for number, layer in enumerate(layers):
            if unknown := {user for turn in layer["users"] for user in turn} - known:
                refuse_layer(number, "users", f"User {min(unknown)} does not exist, is not active, or cannot be paged.")
            if calendar := layer.get("calendar"):
                mine = self.instance is not None and self.instance.calendars.filter(pk=calendar).exists()
                if not mine:
                    refuse_layer(number, "calendar", f"This schedule has no calendar {calendar}.")

    def create(self, validated_data: dict[str, Any]) -> Schedule:
        return create_schedule(**validated_data, now=self.context["now"], by=self.context["request"].user)

    def update(self, instance: Any, validated_data: dict[str, Any]) -> Schedule:
        """Store a new version of changed layers, and the fields that were sent."""
        layers = validated_data.pop("layers", None)
        self.change: LineUpChange | None = None
        if layers is not None and not self._is_unchanged(instance, layers, validated_data):
            zone = validated_data.get("time_zone", instance.time_zone)
            who = {"time_zone": zone, "now": self.context["now"]}
            if self.context["is_dry_run"]:
                self.change = preview_line_up(instance, layers, **who)
            else:
                by, expected = self.context["request"].user, self.context.get("expected_line_up")
                self.change = change_line_up(instance, layers, **who, by=by, expected=expected)
        if self.context["is_dry_run"]:
            for name, value in validated_data.items():
                setattr(instance, name, value)
            return instance
        super().update(instance, validated_data)
        instance._prefetched_objects_cache = {}
        return instance

    @staticmethod
    def _is_unchanged(schedule: Schedule, layers: list[dict[str, Any]], fields: dict[str, Any]) -> bool:
        newest = _newest(schedule)
        if newest is None or fields.get("time_zone", schedule.time_zone) != schedule.time_zone:
            return False
        plain = [{name: value for name, value in layer.items() if name != "effective_from"} for layer in layers]
        same = [{**old, "first_turn": old.get("first_turn", 0)} for old in newest.layers]
        return len(plain) == len(same) and all(
            {**new, "first_turn": old["first_turn"] if new.get("first_turn") is None else new["first_turn"]} == old
            for new, old in zip(plain, same, strict=True)
        )

    def to_representation(self, instance: Any) -> dict[str, Any]:
        newest = _newest(instance)
        layers, since = (newest.layers, newest.effective_from) if newest else ([], None)
        change: LineUpChange | None = getattr(self, "change", None)
        if change is not None:
            layers, since = change.layers, change.effective_from
        shown: dict[str, Any] = super().to_representation(instance)  # without layers, which is no attribute
        shown["layers"] = [shown_layer(layer, since) for layer in layers]
        if self.context.get("tells_difference"):
            shown["effective_from"] = TypedTimeField().to_representation(since)
            shown["difference"] = difference_of(change.difference if change else [])
        return shown


class ChangedScheduleSerializer(ScheduleSerializer):
    """A schedule after a change, or as a change would leave it, and whose shifts it moves."""

    effective_from = TypedTimeField(required=False, allow_null=True)
    difference = DifferenceSerializer(many=True, read_only=True)

    class Meta(ScheduleSerializer.Meta):
        fields = [*ScheduleSerializer.Meta.fields, "difference"]


def shown_layer(layer: dict[str, Any], since: dt.datetime | None) -> dict[str, Any]:
    return {**layer, "effective_from": TypedTimeField().to_representation(since)}


def difference_of(difference: list[Difference]) -> list[dict[str, Any]]:
    names = names_of({user for one in difference for user in (*one.was, *one.will_be)})
    as_time = TypedTimeField().to_representation
    return [
        {
            "from": as_time(one.starts_at),
            "to": as_time(one.ends_at),
            "was": [{"id": user, "name": names.get(user, "")} for user in one.was],
            "will_be": [{"id": user, "name": names.get(user, "")} for user in one.will_be],
        }
        for one in difference
    ]


def refuse_layer(number: int, field: str, message: str) -> None:
    raise DomainError(message, field=f"layers.{number}.{field}", code="does_not_exist")


def _newest(schedule: Any) -> ScheduleVersion | None:
    return max(schedule.versions.all(), key=lambda version: version.effective_from, default=None)
