"""Intake events in the API."""

import base64
import re
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.api.configuration import StrictFields
from core.api.fields import MAX_ID
from intake.models import IntakeEvent
from intake.services.queue import REPLAYABLE

MOST_AT_ONCE = 1000
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


class IntakeEventSerializer(serializers.ModelSerializer[IntakeEvent]):
    """One request of a sender; `size` is that of its body in bytes."""

    source = serializers.IntegerField(source="source_id", allow_null=True, read_only=True)  # type: ignore[assignment]
    size = serializers.IntegerField(source="byte_count", allow_null=True, read_only=True)
    headers = serializers.DictField(child=serializers.CharField(), read_only=True)

    class Meta:
        model = IntakeEvent
        fields = [
            *("id", "source", "format", "state", "reason", "headers", "size", "alert_count"),
            *("received_at", "processed_at", "dismissed_at"),
        ]
        read_only_fields = fields


class IntakeEventDetailSerializer(IntakeEventSerializer):
    """The same with its body."""

    body = serializers.SerializerMethodField(help_text="Text where it is text, else base64.")
    body_encoding = serializers.SerializerMethodField()

    class Meta(IntakeEventSerializer.Meta):
        fields = [*IntakeEventSerializer.Meta.fields, "body", "body_encoding"]
        read_only_fields = fields

    def get_body(self, event: IntakeEvent) -> str:
        text = _text_of(event)
        return base64.b64encode(event.body).decode() if text is None else text

    @extend_schema_field(serializers.ChoiceField(choices=["text", "base64"]))
    def get_body_encoding(self, event: IntakeEvent) -> str:
        return "base64" if _text_of(event) is None else "text"


def _text_of(event: IntakeEvent) -> str | None:
    try:
        text = bytes(event.body).decode()
    except UnicodeDecodeError:
        return None
    return None if _CONTROL.search(text) else text


class ReplaySerializer(StrictFields, serializers.Serializer[Any]):
    """Which events: by their ids, or the oldest in a state, all sources' or one's. Of those that are ignored, only what
    held no alert."""

    ids = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=MAX_ID),
        min_length=1,
        max_length=MOST_AT_ONCE,
        required=False,
    )
    state = serializers.ChoiceField(choices=[(state.value, state.label) for state in REPLAYABLE], required=False)
    source = serializers.IntegerField(  # type: ignore[assignment]
        min_value=1, max_value=MAX_ID, required=False
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("ids" in attrs) == ("state" in attrs):
            raise serializers.ValidationError({"ids": "Send either ids or a state, not both."})
        if "ids" in attrs and "source" in attrs:
            raise serializers.ValidationError({"source": "Send a source only with a state, not with ids."})
        return attrs


class ReplayedSerializer(serializers.Serializer[Any]):
    """How many were put into the queue again, and whether more of the kind are left."""

    replayed = serializers.IntegerField()
    has_more = serializers.BooleanField()
