import datetime as dt
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from alerts.serializers.alerts import IncidentRefSerializer
from alerts.serializers.sources import ParsedAlertSerializer
from alerts.services.simulating import SimulationResult, contributors
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
    child = serializers.CharField(max_length=LONGEST, allow_blank=True, trim_whitespace=False)

    def to_internal_value(self, data: Any) -> dict[str, str]:
        found: dict[str, str] = super().to_internal_value(data)
        if len(found) > MOST_LABELS:
            raise serializers.ValidationError(_("At most %(most)d entries are accepted.") % {"most": MOST_LABELS})
        return found


class SimulatedAlertSerializer(StrictFields, serializers.Serializer[Any]):
    """An alert that fires."""

    title = TextField(max_length=TITLE_LENGTH, required=False, default="Simulated alert")
    severity = serializers.ChoiceField(choices=SEVERITY_WORDS, required=False)
    description = TextField(max_length=LONGEST, required=False, allow_blank=True)
    labels = TextsField(required=False)
    fingerprint = TextField(max_length=FINGERPRINT_LENGTH, required=False, allow_blank=True)
    starts_at = serializers.DateTimeField(required=False)


class RouteSimulationSerializer(StrictFields, serializers.Serializer[Any]):
    """An alert, or a source's payload as JSON or text; `at` is now by default."""

    source = RowField(  # type: ignore[assignment]
        queryset=Source.objects.select_related("team"), required=False
    )
    alert = SimulatedAlertSerializer(required=False)
    payload = serializers.JSONField(required=False)
    headers = TextsField(required=False)
    at = serializers.DateTimeField(required=False)

    def validate_at(self, value: dt.datetime) -> dt.datetime:
        if abs(value - timezone.now()) > FAR:
            raise serializers.ValidationError(_("The time must be within ten years of now."))
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("alert" in attrs) == ("payload" in attrs):
            raise serializers.ValidationError({"alert": _("Send either an alert, or a payload with its source.")})
        if "payload" in attrs and "source" not in attrs:
            raise serializers.ValidationError({"source": _("Name the source that the payload comes from.")})
        if "headers" in attrs and "payload" not in attrs:
            raise serializers.ValidationError({"headers": _("Headers need a payload.")})
        return attrs


class RouteRefSerializer(serializers.Serializer[Any]):
    """A route."""

    id = serializers.IntegerField()
    name = serializers.CharField()


class PassedRouteSerializer(RouteRefSerializer):
    """A route that did not match."""

    reason = serializers.CharField()


class SilencingSerializer(serializers.Serializer[Any]):
    """The silence that would apply."""

    id = serializers.IntegerField()
    comment = serializers.CharField()
    ends_at = serializers.DateTimeField()


class OpeningSerializer(serializers.Serializer[Any]):
    """The incident that it would open."""

    title = serializers.CharField()
    severity = serializers.ChoiceField(choices=SEVERITY_WORDS)
    priority = serializers.ChoiceField(choices=PRIORITY_WORDS, allow_null=True)
    team = serializers.IntegerField(allow_null=True)
    category = serializers.CharField(allow_null=True)
    services = serializers.ListField(child=serializers.CharField())


class SimulatedAlertResultSerializer(serializers.Serializer[Any]):
    """What would happen to one alert; apps add their part."""

    alert = ParsedAlertSerializer()
    outcome = serializers.ChoiceField(
        choices=[outcome.value for outcome in Transition],
        allow_null=True,
        help_text=_("What the message means for the alert; null if a route drops it."),
    )
    route = RouteRefSerializer(allow_null=True, help_text=_("Null if no route matched: the source decides."))
    passed = PassedRouteSerializer(many=True, help_text=_("Earlier routes, and why each did not match."))
    silence = SilencingSerializer(allow_null=True)
    group_by = serializers.DictField(
        child=serializers.CharField(), help_text=_("Labels the alert is grouped by; empty if it stands alone.")
    )
    result = serializers.ChoiceField(choices=[result.value for result in SimulationResult])
    detail = serializers.CharField(help_text=_("The result in a sentence."))
    incident = IncidentRefSerializer(
        allow_null=True, help_text=_("Null if there is none or a new one. Incidents you cannot see are left out.")
    )
    opening = OpeningSerializer(allow_null=True)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {**super().get_fields(), **{one.name: one.field() for one in contributors}}


class RouteSimulatedSerializer(serializers.Serializer[Any]):
    """What would happen to each alert by itself."""

    at = serializers.DateTimeField()
    alerts = SimulatedAlertResultSerializer(many=True)
