"""Alerts in the API; a test compares `represent` to them."""

from typing import Any

from rest_framework import serializers

from alerts.models import Alert
from alerts.serializers.fields import MAX_ID
from alerts.vocabulary import AlertStatus, Ending
from core.api.configuration import StrictFields
from core.api.fields import TextField
from core.api.schema import paged
from core.severity import SEVERITY_WORDS, Severity
from incidents.serializers.fields import GrantField

MOST_AT_ONCE = 500
COLUMNS = (
    *("id", "fingerprint", "status", "title", "description", "labels", "annotations", "links", "starts_at", "ends_at"),
    *("ended_by", "expires_at", "first_seen_at", "last_seen_at", "occurrences", "is_flapping"),
)


class AlertLinkSerializer(serializers.Serializer[Any]):
    """A page about the alert, as its sender gave it."""

    href = serializers.CharField()
    text = serializers.CharField()


class AlertSerializer(serializers.Serializer[Any]):
    """One condition that a source watches. `starts_at` and `ends_at` are of its latest firing; `occurrences` counts
    messages that it fires."""

    id = serializers.IntegerField()
    source = serializers.IntegerField()  # type: ignore[assignment]
    source_name = serializers.CharField()
    fingerprint = serializers.CharField()
    status = serializers.ChoiceField(choices=AlertStatus.choices)
    severity = serializers.ChoiceField(choices=SEVERITY_WORDS)
    title = serializers.CharField()
    description = serializers.CharField()
    labels = serializers.DictField(child=serializers.CharField())
    annotations = serializers.DictField(child=serializers.CharField())
    links = AlertLinkSerializer(many=True)
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField(allow_null=True)
    ended_by = serializers.ChoiceField(choices=Ending.choices, allow_blank=True)
    expires_at = serializers.DateTimeField(allow_null=True)
    first_seen_at = serializers.DateTimeField()
    last_seen_at = serializers.DateTimeField()
    occurrences = serializers.IntegerField()
    is_flapping = serializers.BooleanField()
    incident = serializers.IntegerField(allow_null=True)
    silenced_by = serializers.IntegerField(allow_null=True, help_text="Id of the silence that keeps it quiet.")


AlertPageSerializer = paged(AlertSerializer)


def represent(alert: Alert) -> dict[str, Any]:
    """Return an alert, its source loaded, as the API shows it."""
    return {
        **{name: getattr(alert, name) for name in COLUMNS},
        "severity": Severity(alert.severity).word,
        "source": alert.source_id,
        "source_name": alert.source.name,
        "incident": alert.incident_id,
        "silenced_by": alert.silenced_by_id,
    }


class MoveSerializer(StrictFields, serializers.Serializer[Any]):
    """Where an alert goes."""

    incident = serializers.CharField(max_length=30, help_text="Number or reference.")
    grants_access = GrantField()


class MergeSerializer(StrictFields, serializers.Serializer[Any]):
    """Which incident takes the alerts of this one."""

    into = serializers.CharField(max_length=30, help_text="Number or reference.")
    grants_access = GrantField()


class SplitSerializer(StrictFields, serializers.Serializer[Any]):
    """Alerts that get an incident of their own."""

    alerts = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=MAX_ID), min_length=1, max_length=MOST_AT_ONCE
    )
    title = TextField(max_length=200, required=False, allow_blank=True, help_text="The first alert's without one.")
    grants_access = GrantField()


class IncidentRefSerializer(serializers.Serializer[Any]):
    """An incident's reference and title."""

    id = serializers.IntegerField()
    reference = serializers.CharField()
    title = serializers.CharField()
    status = serializers.CharField()
