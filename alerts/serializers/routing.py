from typing import Any

from django.db.models import Max
from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from alerts import validation
from alerts.models import Route, Silence
from alerts.models.routing import MOST_FIRINGS
from alerts.serializers.fields import MAX_ID, LabelNamesField, MatchersField, ServiceField, WeekdaysField
from alerts.services.rules import specs_of
from core.api.configuration import CleanedModelSerializer, StrictFields
from core.api.fields import RowField, WordField
from core.severity import PRIORITY_OF_WORD, PRIORITY_WORDS, SEVERITY_OF_WORD, SEVERITY_WORDS
from incidents.models import Category
from incidents.serializers.fields import CategoryField, EndTimeField
from intake.models.source import YEAR_MINUTES
from responders.models import Service, Team

LAST_POSITION = 1_000_000


class OpenAfterSerializer(StrictFields, serializers.Serializer[Any]):
    """How often it must fire within how many minutes before an incident opens."""

    count = serializers.IntegerField(source="open_after_count", min_value=1, max_value=MOST_FIRINGS, required=False)
    minutes = serializers.IntegerField(source="open_after_minutes", min_value=1, max_value=YEAR_MINUTES, required=False)


class RouteSerializer(CleanedModelSerializer):
    """What to do with the alerts that match."""

    position = serializers.IntegerField(min_value=0, max_value=LAST_POSITION, required=False)
    matchers = MatchersField(required=False)
    drop = serializers.BooleanField(source="is_drop", required=False)
    team = RowField(queryset=Team.objects.active(), required=False, allow_null=True)
    severity = WordField(SEVERITY_OF_WORD, SEVERITY_WORDS, required=False, allow_null=True)
    priority = WordField(PRIORITY_OF_WORD, PRIORITY_WORDS, required=False, allow_null=True)
    category = CategoryField(slug_field="slug", queryset=Category.objects.active(), required=False, allow_null=True)
    service = ServiceField(queryset=Service.objects.active(), required=False, allow_null=True)
    group_by = LabelNamesField(required=False, allow_null=True)
    open_after = OpenAfterSerializer(source="*", required=False)

    class Meta:
        model = Route
        fields = [
            *("id", "name", "position", "is_enabled", "matchers", "drop", "team", "severity", "priority"),
            *("category", "service", "group_by", "open_after", "dropped_count", "matched_count", "created_at"),
        ]
        read_only_fields = ["dropped_count", "matched_count", "created_at"]

    def get_fields(self) -> Any:
        going_on = serializers.BooleanField(
            source="go_on", required=False, help_text="Later routes too, for what this one leaves open."
        )
        return {**super().get_fields(), "continue": going_on}

    def create(self, validated_data: dict[str, Any]) -> Route:
        if "position" not in validated_data:
            last = Route.objects.aggregate(last=Max("position"))["last"]
            validated_data["position"] = 0 if last is None else last + 1
        made: Route = super().create(validated_data)
        return made


class OrderSerializer(StrictFields, serializers.Serializer[Any]):
    """The ids of all routes, in their new order."""

    ids = serializers.ListField(child=serializers.IntegerField(min_value=1, max_value=MAX_ID), max_length=10_000)


class OrderedSerializer(serializers.Serializer[Any]):
    """The routes in their new order."""

    ids = serializers.ListField(child=serializers.IntegerField())


@extend_schema_field(serializers.CharField())
class ZoneField(serializers.CharField):
    def to_internal_value(self, data: Any) -> str:
        try:
            return validation.time_zone(super().to_internal_value(data))
        except ValueError as error:
            raise serializers.ValidationError(str(error)) from error


class SilenceSerializer(CleanedModelSerializer):
    """A silence; with `weekdays` it is active on these only, between two times of day in its time zone."""

    matchers = MatchersField()
    ends_at = serializers.DateTimeField()
    weekdays = WeekdaysField(required=False)
    ends_time = EndTimeField(
        required=False, allow_null=True, help_text="24:00 is midnight; before starts_time: next day."
    )
    time_zone = ZoneField(max_length=64, required=False)
    is_active = serializers.SerializerMethodField(help_text="Whether it silences now.")

    class Meta:
        model = Silence
        fields = [
            *("id", "matchers", "starts_at", "ends_at", "comment", "weekdays", "starts_time", "ends_time"),
            *("time_zone", "is_active", "created_by", "created_at"),
        ]
        read_only_fields = ["created_by", "created_at"]

    def get_is_active(self, silence: Silence) -> bool:
        return specs_of([silence])[0].is_active(timezone.now())

    def validate_matchers(self, value: list[dict[str, str]]) -> list[dict[str, str]]:
        if not value:
            raise serializers.ValidationError("At least one matcher is required.")
        return value
