from typing import Any

from rest_framework import serializers

from logs.vocabulary import LEVEL_WORDS, Level

COLUMNS = (
    *("id", "timestamp", "level", "service", "host", "message", "attributes", "trace_id", "source_id", "received_at"),
)


def represent(row: dict[str, Any]) -> dict[str, Any]:
    shown = {name: value for name, value in row.items() if name != "source_id"}
    return {**shown, "level": Level(row["level"]).word, "source": row["source_id"]}


class LogEntrySerializer(serializers.Serializer[Any]):
    """A log line."""

    id = serializers.IntegerField()
    timestamp = serializers.DateTimeField(help_text="When it happened, as its writer says.")
    level = serializers.ChoiceField(choices=LEVEL_WORDS)
    service = serializers.CharField()
    host = serializers.CharField()
    message = serializers.CharField()
    attributes = serializers.DictField(help_text="Whatever else is known of it.")
    trace_id = serializers.CharField()
    received_at = serializers.DateTimeField()
    source = serializers.IntegerField(allow_null=True)  # type: ignore[assignment]  # a name that DRF uses too


class NewLineSerializer(serializers.Serializer[Any]):
    """A line to store. Other common names are understood; the rest becomes attributes."""

    message = serializers.CharField()
    timestamp = serializers.DateTimeField(required=False)
    level = serializers.CharField(required=False)
    service = serializers.CharField(required=False)
    host = serializers.CharField(required=False)
    trace_id = serializers.CharField(required=False)


class AcceptedLinesSerializer(serializers.Serializer[Any]):
    """How many lines were stored."""

    accepted = serializers.IntegerField()
    rejected = serializers.IntegerField()
    errors = serializers.ListField(  # type: ignore[assignment]
        child=serializers.CharField(), required=False, help_text="The first reasons why something was no line."
    )
