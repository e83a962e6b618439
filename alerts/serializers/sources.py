import datetime as dt
from typing import Any

from django.db.models import prefetch_related_objects
from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from alerts import validation
from alerts.models import Heartbeat
from alerts.serializers.fields import CheckedField, LabelNamesField
from alerts.services.words import still_unknown
from core.api.configuration import CleanedModelSerializer, StrictFields
from core.api.fields import RowField, WordField
from core.severity import SEVERITY_OF_WORD, SEVERITY_WORDS
from intake.models import Source, SourceKey, UnknownWord
from intake.vocabulary import MappedField
from responders.models import Team

MOST_REQUESTS = 10_000_000


class SourceKeySerializer(serializers.ModelSerializer[SourceKey]):
    """A key, shown by its first characters."""

    class Meta:
        model = SourceKey
        fields = ["id", "prefix", "created_at"]


class NewKeySerializer(SourceKeySerializer):
    """A new key, shown only now, and what to paste into the sender."""

    key = serializers.CharField()
    snippet = serializers.CharField()

    class Meta:
        model = SourceKey
        fields = ["id", "prefix", "created_at", "key", "snippet"]


@extend_schema_field(serializers.DictField(child=serializers.ChoiceField(choices=SEVERITY_WORDS)))
class SeverityMapField(CheckedField):
    """The sender's severities."""

    check = staticmethod(validation.severity_map)


@extend_schema_field(serializers.DictField(child=serializers.ChoiceField(choices=list(validation.STATUS_MEANINGS))))
class StatusMapField(CheckedField):
    """The sender's statuses."""

    check = staticmethod(validation.status_map)


class UnknownWordSerializer(serializers.ModelSerializer[UnknownWord]):
    """An unknown word; an unknown status fires, an unknown severity means the source's default."""

    sample_event = serializers.SerializerMethodField(
        help_text="The latest intake event with the word; see intake-events/{id}/."
    )

    class Meta:
        model = UnknownWord
        fields = ["field", "word", "count", "first_seen_at", "last_seen_at", "sample_event"]
        read_only_fields = fields

    def get_sample_event(self, word: UnknownWord) -> int | None:
        return word.events[-1] if word.events else None


@extend_schema_field(serializers.DictField())
class TemplatesField(serializers.JSONField):
    """Templates by field, and by label under `labels`."""


class SourceSerializer(CleanedModelSerializer):
    """A source of alerts; times are in minutes, the rate limit in requests a minute."""

    team = RowField(queryset=Team.objects.active(), required=False, allow_null=True)
    default_severity = WordField(SEVERITY_OF_WORD, SEVERITY_WORDS, required=False)
    severity_map = SeverityMapField(required=False)
    status_map = StatusMapField(required=False)
    unknown_words = serializers.SerializerMethodField()
    group_by = LabelNamesField(required=False)
    templates = TemplatesField(required=False)
    rate_limit = serializers.IntegerField(min_value=1, max_value=MOST_REQUESTS, required=False)
    signing_secret = serializers.CharField(max_length=200, required=False, allow_blank=True, write_only=True)
    has_signing_secret = serializers.SerializerMethodField(help_text="Whether a secret is set; it is never shown.")
    keys = SourceKeySerializer(many=True, read_only=True)

    class Meta:
        model = Source
        fields = [
            *("id", "name", "kind", "team", "is_enabled", "default_severity", "severity_map", "status_map"),
            *("unknown_words", "group_by"),
            *("auto_resolve", "reopen_minutes", "expire_minutes", "heartbeat_minutes", "rate_limit", "templates"),
            *(
                "signing_secret",
                "has_signing_secret",
                "allow_other_endpoints",
                "keys",
                "last_received_at",
                "created_at",
            ),
        ]
        read_only_fields = ["last_received_at", "created_at"]

    @extend_schema_field(UnknownWordSerializer(many=True))
    def get_unknown_words(self, source: Source) -> Any:
        if not getattr(source, "has_unknown_words", True):
            return []
        siblings = getattr(self.parent, "instance", None)
        prefetch_related_objects(siblings if isinstance(siblings, list) else [source], "unknown_words")
        return UnknownWordSerializer(still_unknown(source), many=True).data

    def get_has_signing_secret(self, source: Source) -> bool:
        return bool(source.signing_secret)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = super().validate(attrs)
        kind = str(attrs.get("kind") or getattr(self.instance, "kind", ""))
        templates = attrs.get("templates", getattr(self.instance, "templates", {}))
        try:
            validation.templates(templates, kind)
        except ValueError as error:
            raise serializers.ValidationError({"templates": str(error)}) from error
        return attrs


class TeachSerializer(StrictFields, serializers.Serializer[Any]):
    """What a sender's word means."""

    field = serializers.ChoiceField(choices=MappedField.choices)
    word = serializers.CharField(max_length=100)
    means = serializers.CharField(
        max_length=20,
        help_text="Of a status firing, resolved, acknowledged or ignore; of a severity one of ours.",
    )
    apply = serializers.BooleanField(
        default=False,
        help_text="Also correct the alerts that have not changed since their last message with this word.",
    )


class TaughtSerializer(SourceSerializer):
    """The source, and how many alerts the word changes."""

    applied = serializers.IntegerField(read_only=True)

    class Meta(SourceSerializer.Meta):
        fields = [*SourceSerializer.Meta.fields, "applied"]


class NewSourceSerializer(SourceSerializer):
    """A new source with its first key, shown only now, and what to paste into the sender."""

    key = serializers.CharField(read_only=True)
    snippet = serializers.CharField(read_only=True)

    class Meta(SourceSerializer.Meta):
        fields = [*SourceSerializer.Meta.fields, "key", "snippet"]


class ParsedAlertSerializer(serializers.Serializer[Any]):
    """An alert as its message was understood."""

    title = serializers.CharField()
    action = serializers.CharField(help_text="fire, resolve, acknowledge or note.")
    severity = serializers.CharField(help_text="After the source's own words and default.")
    fingerprint = serializers.CharField()
    labels = serializers.DictField(child=serializers.CharField())
    not_understood = serializers.CharField(help_text="The words for status and severity that nobody knows; else empty.")


class SampleResultSerializer(serializers.Serializer[Any]):
    """What came of a sample; the worker processes its event at once."""

    status = serializers.IntegerField(help_text="What the sender would have been answered.")
    detail = serializers.CharField(help_text="Why, where it was refused.")
    event = serializers.IntegerField(allow_null=True, help_text="See intake-events/{id}/.")
    alerts = ParsedAlertSerializer(many=True)


class HeartbeatSerializer(CleanedModelSerializer):
    """A named heartbeat, missed when silent for longer than its interval."""

    source = RowField(queryset=Source.objects.all())  # type: ignore[assignment]
    is_missed = serializers.SerializerMethodField(help_text="Whether it has been silent for too long by now.")

    class Meta:
        model = Heartbeat
        fields = ["id", "source", "name", "interval_minutes", "is_enabled", "last_ping_at", "is_missed"]
        read_only_fields = ["last_ping_at"]

    def get_is_missed(self, heartbeat: Heartbeat) -> bool:
        since = timezone.now() - heartbeat.last_ping_at
        return heartbeat.is_enabled and since > dt.timedelta(minutes=heartbeat.interval_minutes)
