"""How often suggestions were right, as the API shows it."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from assistant.vocabulary import LearntField


class BandSerializer(serializers.Serializer[Any]):
    """Suggestions of about the same confidence."""

    said = serializers.FloatField(help_text=_("Their mean confidence."))
    was_right = serializers.FloatField(help_text=_("The share of them that was right."))
    compared = serializers.IntegerField()


class FieldAccuracySerializer(serializers.Serializer[Any]):
    """One field's suggestions for incidents that people reported."""

    field = serializers.ChoiceField(choices=LearntField.choices)
    total = serializers.IntegerField(source="counts.total")
    silent = serializers.IntegerField(source="counts.silent", help_text=_("Nothing was suggested."))
    compared = serializers.IntegerField(source="counts.compared", help_text=_("Those of resolved incidents."))
    right = serializers.IntegerField(source="counts.right")
    in_three = serializers.IntegerField(source="counts.in_three", help_text=_("Right, or second or third."))
    share_right = serializers.FloatField(source="counts.share_right", allow_null=True)
    share_in_three = serializers.FloatField(source="counts.share_in_three", allow_null=True)
    spared = serializers.IntegerField(help_text=_("Opened with something else, and corrected to what was suggested."))
    bands = BandSerializer(many=True)


class AccuracySerializer(serializers.Serializer[Any]):
    """How often team, category and severity were suggested right."""

    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    learnt_from = serializers.IntegerField(allow_null=True, help_text=_("Incidents that the latest training read."))
    by_field = FieldAccuracySerializer(many=True)
