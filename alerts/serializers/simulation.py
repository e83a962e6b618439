"""What is asked of a simulation, and its answer."""

import datetime as dt
from typing import Any

from django.utils import timezone
from rest_framework import serializers

from alerts.serializers.alerts import IncidentNamedSerializer
from alerts.serializers.sources import ParsedAlertSerializer
from alerts.services.simulating import SimulationResult
from alerts.transitions import Transition
from alerts.updates import FINGERPRINT_LENGTH, TITLE_LENGTH
from core.api.configuration import StrictFields
from core.api.fields import RowField, TextField
from core.severity import PRIORITY_WORDS, SEVERITY_WORDS
from intake.models import Source

MOST_LABELS = 100
LONGEST = 2000
FAR = dt.timedelta(days=3660)


class TextsField(serializers.DictField):
    """Text to text."""

    child = serializers.CharField(max_length=LONGEST, allow_blank=True, trim_whitespace=False)

    def to_internal_value(self, data: Any) -> dict[str, str]:
        found: dict[str, str] = super().to_internal_value(data)
        if len(found) > MOST_LABELS:
            raise serializers.ValidationError(f"There are at most {MOST_LABELS} here.")
        return found


class SimulatedAlertSerializer(StrictFields, serializers.Serializer[Any]):
    """An alert that fires, as it might come."""

    title = TextField(max_length=TITLE_LENGTH, required=False, default="Simulated alert")
    severity = serializers.ChoiceField(choices=SEVERITY_WORDS, required=False)
    description = TextField(max_length=LONGEST, required=False, allow_blank=True)
    labels = TextsField(required=False)
    fingerprint = TextField(max_length=FINGERPRINT_LENGTH, required=False, allow_blank=True)
    starts_at = serializers.DateTimeField(required=False)


class RouteSimulationSerializer(StrictFields, serializers.Serializer[Any]):
    """Either an alert, or the payload of a source: JSON, or a text that is taken as it is. `at` is now without it."""

    source = RowField(  # type: ignore[assignment]
        queryset=Source.objects.select_related("team"), required=False
    )
    alert = SimulatedAlertSerializer(required=False)
    payload = serializers.JSONField(required=False)
    headers = TextsField(required=False)
    at = serializers.DateTimeField(required=False)

    def validate_at(self, value: dt.datetime) -> dt.datetime:
        """Not so far away that no clock could be set there."""
        if abs(value - timezone.now()) > FAR:
            raise serializers.ValidationError("A simulation reaches ten years into the past and the future.")
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """One of the two, and what goes with it."""
        if ("alert" in attrs) == ("payload" in attrs):
            raise serializers.ValidationError({"alert": "Give an alert, or a payload with its source; not both."})
        if "payload" in attrs and "source" not in attrs:
            raise serializers.ValidationError({"source": "Say which source the payload comes from."})
        if "headers" in attrs and "payload" not in attrs:
            raise serializers.ValidationError({"headers": "Headers go with a payload."})
        return attrs


class RouteNamedSerializer(serializers.Serializer[Any]):
    """A route."""

    id = serializers.IntegerField()
    name = serializers.CharField()


class PassedRouteSerializer(RouteNamedSerializer):
    """A route that did not match."""

    reason = serializers.CharField()


class SilencingSerializer(serializers.Serializer[Any]):
    """The silence that would keep it quiet."""

    id = serializers.IntegerField()
    comment = serializers.CharField()
    ends_at = serializers.DateTimeField()


class OpeningSerializer(serializers.Serializer[Any]):
    """The incident it would open."""

    title = serializers.CharField()
    severity = serializers.ChoiceField(choices=SEVERITY_WORDS)
    priority = serializers.ChoiceField(choices=PRIORITY_WORDS, allow_null=True)
    team = serializers.IntegerField(allow_null=True)
    category = serializers.CharField(allow_null=True)
    services = serializers.ListField(child=serializers.CharField())


class ToldSerializer(serializers.Serializer[Any]):
    """Somebody who would be told."""

    id = serializers.IntegerField()
    name = serializers.CharField()


class SimulatedFateSerializer(serializers.Serializer[Any]):
    """What would become of one alert."""

    alert = ParsedAlertSerializer()
    outcome = serializers.ChoiceField(
        choices=[outcome.value for outcome in Transition],
        allow_null=True,
        help_text="What it means for what is known of the alert; null where a route drops it.",
    )
    route = RouteNamedSerializer(allow_null=True, help_text="Null: its source decides.")
    passed = PassedRouteSerializer(many=True, help_text="The routes before it, and why each did not match.")
    silence = SilencingSerializer(allow_null=True)
    group_by = serializers.DictField(
        child=serializers.CharField(), help_text="Labels it is grouped by; none: it stands alone."
    )
    fate = serializers.ChoiceField(choices=[fate.value for fate in SimulationResult])
    detail = serializers.CharField(help_text="The same in a sentence.")
    incident = IncidentNamedSerializer(
        allow_null=True, help_text="Null: none, or a new one. What is not yours to see counts for nothing here."
    )
    opening = OpeningSerializer(allow_null=True)
    notified = ToldSerializer(many=True, help_text="Members of the incident's team.")


class RouteSimulatedSerializer(serializers.Serializer[Any]):
    """What would become of each alert, by itself, at that time."""

    at = serializers.DateTimeField()
    alerts = SimulatedFateSerializer(many=True)
