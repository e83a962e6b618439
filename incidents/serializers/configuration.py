"""Categories, SLA policies and rules for reports as the API shows and takes them."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from core.api.configuration import CleanedModelSerializer, StrictFields
from core.api.fields import MAX_ID, MAX_TEXT, FlagField, LineField, RowField, TextField, WordField
from core.severity import SEVERITY_OF_WORD, SEVERITY_WORDS
from incidents.models import Category, ReportRule, SlaPolicy
from incidents.models.rules import MAX_PHRASE, MAX_RULE_WORDS
from incidents.rules import Miss
from incidents.serializers.fields import CategoryField, EndTimeField
from incidents.services.report_rules import next_position
from responders.models import Service, Team


class CategorySerializer(CleanedModelSerializer):
    """A category."""

    class Meta:
        model = Category
        fields = ["id", "name", "slug", "description", "default_team", "is_active"]


class SlaPolicySerializer(CleanedModelSerializer):
    """A service-level policy; minutes are counted round the clock or in its business hours."""

    severity = WordField(SEVERITY_OF_WORD, SEVERITY_WORDS)
    closes_at = EndTimeField(
        required=False, help_text="24:00 is midnight; a time before opens_at is of the next day (night shifts)."
    )

    class Meta:
        model = SlaPolicy
        fields = [
            "id",
            "name",
            "severity",
            "category",
            "ack_minutes",
            "resolve_minutes",
            "is_round_the_clock",
            "time_zone",
            "weekdays",
            "opens_at",
            "closes_at",
            "holidays",
        ]


LAST_POSITION = 1_000_000


class ReportRuleSerializer(CleanedModelSerializer):
    """A rule for reports: all conditions that are set must hold; of `words`, one."""

    position = serializers.IntegerField(min_value=0, max_value=LAST_POSITION, required=False)
    category = CategoryField(slug_field="slug", queryset=Category.objects.active(), required=False, allow_null=True)
    service = serializers.SlugRelatedField[Service](
        slug_field="slug", queryset=Service.objects.active(), required=False, allow_null=True
    )
    location = LineField(max_length=200, required=False, allow_blank=True)
    words = serializers.ListField(
        child=LineField(max_length=MAX_PHRASE), required=False, allow_empty=True, max_length=MAX_RULE_WORDS
    )
    team = RowField(queryset=Team.objects.active(), required=False, allow_null=True)
    severity = WordField(SEVERITY_OF_WORD, SEVERITY_WORDS, required=False, allow_null=True)

    class Meta:
        model = ReportRule
        fields = [
            *("id", "name", "position", "is_enabled", "category", "service", "location", "words"),
            *("team", "severity", "created_at"),
        ]
        read_only_fields = ["created_at"]

    def create(self, validated_data: dict[str, Any]) -> ReportRule:
        validated_data.setdefault("position", next_position())
        made: ReportRule = super().create(validated_data)
        return made


class RuleOrderSerializer(StrictFields, serializers.Serializer[Any]):
    """The ids of all rules for reports, in their new order."""

    ids = serializers.ListField(child=serializers.IntegerField(min_value=1, max_value=MAX_ID), max_length=10_000)


class RuleTrialSerializer(StrictFields, serializers.Serializer[Any]):
    """A report to try."""

    title = LineField(max_length=200)
    description = TextField(max_length=MAX_TEXT, required=False, allow_blank=True)
    location = LineField(max_length=200, required=False, allow_blank=True)
    category = CategoryField(slug_field="slug", queryset=Category.objects.active(), required=False, allow_null=True)
    services = serializers.SlugRelatedField[Service](
        slug_field="slug", queryset=Service.objects.active(), many=True, required=False
    )
    is_restricted = FlagField(required=False)


class JudgedRuleSerializer(serializers.Serializer[Any]):
    """What a rule comes to."""

    id = serializers.IntegerField(source="rule.id")
    name = serializers.CharField(source="rule.name")
    miss = serializers.ChoiceField(
        choices=[(miss.value, miss.name) for miss in Miss],
        allow_null=True,
        help_text=_("The first condition that the report does not meet."),
    )
    outranked = serializers.ChoiceField(
        choices=[(miss.value, miss.name) for miss in Miss],
        allow_null=True,
        help_text=_("Why a rule that matches does not decide the team."),
    )


class RuleProspectSerializer(serializers.Serializer[Any]):
    """Where the report would go."""

    team = serializers.IntegerField(source="team.pk", allow_null=True, default=None)
    because = serializers.ChoiceField(choices=["rule", "service", "category", "default"])
    team_rule = serializers.IntegerField(source="decision.team.id", allow_null=True, default=None)
    severity = WordField(
        SEVERITY_OF_WORD, SEVERITY_WORDS, source="decision.severity.severity", allow_null=True, default=None
    )
    severity_rule = serializers.IntegerField(source="decision.severity.id", allow_null=True, default=None)
    rules = JudgedRuleSerializer(source="judged", many=True)
