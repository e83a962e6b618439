import datetime as dt
from typing import Any

from rest_framework import serializers

from core.api.configuration import StrictFields
from core.api.fields import MAX_TEXT, TextField
from responders.lineups import typed_instant
from responders.serializers.lineups import TypedTimeField
from responders.serializers.schedules import PersonOnCallSerializer


class HandoverNoteSerializer(StrictFields, serializers.Serializer[Any]):
    """What whoever leaves tells whoever comes on call at `hand_over_at`, by default the next hand-over."""

    id = serializers.IntegerField(read_only=True)
    hand_over_at = TypedTimeField(required=False)
    author = PersonOnCallSerializer(read_only=True)
    text = TextField(max_length=MAX_TEXT)
    created_at = serializers.DateTimeField(read_only=True)
    edited_at = serializers.DateTimeField(read_only=True, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if isinstance(attrs.get("hand_over_at"), dt.datetime):
            zone = self.context["schedule"].time_zone
            attrs["hand_over_at"] = typed_instant(attrs["hand_over_at"], zone, "hand_over_at")
        if (
            self.instance is not None
            and attrs.pop("hand_over_at", self.instance.hand_over_at) != self.instance.hand_over_at
        ):
            raise serializers.ValidationError("Which hand-over a note is for does not change.", code="fixed")
        return attrs
