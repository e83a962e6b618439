import datetime as dt
from typing import Any

from rest_framework import serializers

from core.api.configuration import StrictFields
from core.api.fields import MAX_ID, LineField
from responders.lineups import typed_instant
from responders.models import Schedule, ScheduleOverride, ShiftSwap
from responders.serializers.lineups import TypedTimeField
from responders.serializers.schedules import PersonOnCallSerializer
from users.models import User

FIELDS = {"from": "starts_at", "to": "ends_at"}
MOST_PEOPLE = 100


class PeriodSerializer(StrictFields, serializers.Serializer[Any]):
    """A time, by the schedule's clocks where it has no offset."""

    vars()["from"] = TypedTimeField(source="starts_at")
    to = TypedTimeField(source="ends_at")

    def settle(self, attrs: dict[str, Any], time_zone: str) -> dict[str, Any]:
        for field, name in FIELDS.items():
            if isinstance(attrs.get(name), dt.datetime):
                attrs[name] = typed_instant(attrs[name], time_zone, field)
        return attrs


class OverrideSerializer(PeriodSerializer):
    """People added or removed for a while; newer overrides win.

    With a `layer` it changes that layer's people, otherwise the result. `everybody` removes all others: with nobody in
    `add`, nobody is on call.
    """

    id = serializers.IntegerField(read_only=True)
    layer = LineField(max_length=100, required=False, allow_blank=True, allow_null=True)
    add = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=MAX_ID), max_length=MOST_PEOPLE, required=False
    )
    remove = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=MAX_ID), max_length=MOST_PEOPLE, required=False
    )
    everybody = serializers.BooleanField(source="is_everybody", required=False)
    comment = LineField(max_length=200, required=False, allow_blank=True)
    created_by = serializers.IntegerField(source="created_by_id", read_only=True, allow_null=True)
    created_at = serializers.DateTimeField(read_only=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "layer" in attrs:
            attrs["layer"] = attrs["layer"] or ""
        for name in ("add", "remove"):
            if name in attrs:
                attrs[name] = list(dict.fromkeys(attrs[name]))
        known = User.objects.can_respond() if attrs.get("add") else User.objects.none()
        present = set(known.filter(pk__in=attrs.get("add", ())).values_list("pk", flat=True))
        if unknown := [user for user in attrs.get("add", ()) if user not in present]:
            raise serializers.ValidationError(
                {"add": f"User {unknown[0]} does not exist, is not active, or cannot be paged."}
            )
        return self.settle(attrs, self.context["schedule"].time_zone)

    def to_representation(self, instance: ScheduleOverride) -> dict[str, Any]:
        shown: dict[str, Any] = super().to_representation(instance)
        shown["layer"] = shown["layer"] or None
        return shown


class SwapSerializer(PeriodSerializer):
    """A request to be relieved of a shift; once taken and approved it is an override."""

    id = serializers.IntegerField(read_only=True)
    schedule = serializers.PrimaryKeyRelatedField(queryset=Schedule.objects.active())
    user = serializers.PrimaryKeyRelatedField(
        source="requester",
        queryset=User.objects.active(),
        required=False,
        help_text="Who is relieved: oneself; for administrators anybody.",
    )
    comment = LineField(max_length=200, required=False, allow_blank=True)
    state = serializers.ChoiceField(choices=ShiftSwap._meta.get_field("state").choices or (), read_only=True)
    taker = PersonOnCallSerializer(read_only=True, allow_null=True)
    override = serializers.IntegerField(source="override_id", read_only=True, allow_null=True)
    created_at = serializers.DateTimeField(read_only=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        swap = self.instance
        if swap is not None and any(
            attrs.pop(name, getattr(swap, name)) != getattr(swap, name) for name in ("schedule", "requester")
        ):
            raise serializers.ValidationError("Whose shift of which schedule it is does not change.", code="fixed")
        schedule = swap.schedule if swap is not None else attrs["schedule"]
        return self.settle(attrs, schedule.time_zone)
