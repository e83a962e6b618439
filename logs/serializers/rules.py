from typing import Any

from rest_framework import serializers

from core.api.configuration import CleanedModelSerializer, StrictFields
from logs.models import DetectionRule, RuleSeverity
from logs.models.rules import DAY_SECONDS, DEFAULT_INTERVAL
from logs.services.rules import save_rule
from logs.services.simulating import Scenario
from logs.sources import INTERNAL
from logs.vocabulary import LEVEL_OF_WORD, LEVEL_WORDS, Level


class LevelField(serializers.ChoiceField):
    """A level; null stands for any."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=LEVEL_WORDS, **kwargs)

    def to_internal_value(self, data: Any) -> Any:
        return LEVEL_OF_WORD[super().to_internal_value(data)]

    def to_representation(self, value: Any) -> Any:
        return Level(value).word


class DetectionRuleSerializer(CleanedModelSerializer):
    """A rule: which lines to look for, and how many within how long raise an alert."""

    level = LevelField(required=False, allow_null=True, help_text="Lines of at least this level; null: of any.")
    group_by = serializers.ListField(
        child=serializers.CharField(max_length=100),
        required=False,
        help_text="service, host, level, template or attributes.<name>; of another store, fields of its rows.",
    )
    window_seconds = serializers.IntegerField(
        min_value=1,
        max_value=DAY_SECONDS,
        required=False,
        help_text="Length of the window in seconds. Of another store: the interval, unless given.",
    )

    class Meta:
        model = DetectionRule
        fields = [
            *("id", "name", "mode", "query", "level", "service", "group_by", "severity", "threshold"),
            *("window_seconds", "check_interval_seconds", "store", "source", "is_enabled", "is_builtin"),
            *("evaluated_until", "next_run_at", "is_failing", "failing_since", "last_error", "created_at"),
        ]
        read_only_fields = [
            *("source", "is_builtin", "evaluated_until", "next_run_at", "is_failing", "failing_since", "last_error"),
            "created_at",
        ]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Let windows of another store follow each other, so that each row counts once, unless asked otherwise."""
        if self.instance is None and attrs.get("store", INTERNAL) != INTERNAL:
            interval = attrs.get("check_interval_seconds", DEFAULT_INTERVAL)
            attrs = {"window_seconds": interval, **attrs}
        return super().validate(attrs)

    def create(self, validated_data: dict[str, Any]) -> DetectionRule:
        return save_rule(DetectionRule(**validated_data))

    def update(self, instance: DetectionRule, validated_data: dict[str, Any]) -> DetectionRule:
        """Change the rule; a new condition starts it afresh."""
        for name, value in validated_data.items():
            setattr(instance, name, value)
        return save_rule(instance, only=validated_data.keys())


class RuleTemplateFieldsSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(source="title")
    store = serializers.CharField()
    query = serializers.CharField()
    threshold = serializers.IntegerField()
    severity = serializers.ChoiceField(choices=RuleSeverity.choices)
    check_interval_seconds = serializers.IntegerField()
    window_seconds = serializers.IntegerField()
    group_by = serializers.ListField(child=serializers.CharField())


class RuleTemplateSerializer(serializers.Serializer[Any]):
    """A rule to begin with: `rule` is what a rule is created from."""

    key = serializers.CharField()
    store = serializers.CharField()
    title = serializers.CharField()
    about = serializers.CharField()
    unusable_because = serializers.CharField(help_text="Empty, or which settings the store lacks.")
    rule = RuleTemplateFieldsSerializer(source="*")


class RuleTemplatesSerializer(serializers.Serializer[Any]):
    """The rules to begin with, of all stores."""

    templates = RuleTemplateSerializer(many=True)


class RangeSerializer(StrictFields, serializers.Serializer[Any]):
    """The time to try a rule on."""

    since = serializers.DateTimeField(required=False, help_text="A day before its end, unless given.")
    until = serializers.DateTimeField(required=False, help_text="Now, unless given.")


class UnsavedRuleSerializer(DetectionRuleSerializer):
    """A rule to try without storing it, and the time to try it on."""

    name = serializers.CharField(max_length=100, required=False, default="Unsaved rule")
    since = serializers.DateTimeField(required=False, write_only=True)
    until = serializers.DateTimeField(required=False, write_only=True)

    class Meta(DetectionRuleSerializer.Meta):
        fields = [
            *("name", "mode", "query", "level", "service", "group_by", "severity", "threshold"),
            *("window_seconds", "check_interval_seconds", "store", "since", "until"),
        ]
        read_only_fields: list[str] = []

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        nameless = {name: value for name, value in attrs.items() if name != "name"}
        return {**super().validate(nameless), "name": attrs["name"]}

    def rule(self) -> DetectionRule:
        given = {name: value for name, value in self.validated_data.items() if name not in ("since", "until")}
        return DetectionRule(**given)


class RaisedSerializer(serializers.Serializer[Any]):
    """An alert that the rule would have raised."""

    title = serializers.CharField()
    group = serializers.DictField(child=serializers.CharField())
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField(allow_null=True, help_text="Null: it would fire still at the end of the range.")
    windows = serializers.IntegerField(help_text="How many windows reached the threshold; of an immediate rule, lines.")
    peak = serializers.IntegerField(help_text="The most lines in one window.")
    lines = serializers.ListField(child=serializers.CharField(), help_text="Samples.")


class BacktestSerializer(serializers.Serializer[Any]):
    """What a rule would have done."""

    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    evaluated_until = serializers.DateTimeField(help_text="Before `until` where there were too many lines.")
    is_truncated = serializers.BooleanField()
    windows = serializers.IntegerField(help_text="How many windows were evaluated.")
    lines_read = serializers.IntegerField()
    threshold = serializers.IntegerField(help_text="How many lines in one window raise an alert.")
    peak = serializers.IntegerField(help_text="The most lines of one group in a window, whether it was enough or not.")
    alerts = RaisedSerializer(many=True)


class TemplateSerializer(serializers.Serializer[Any]):
    """Lines that differ only in variable parts."""

    template = serializers.CharField()
    count = serializers.IntegerField()
    sample = serializers.CharField()


class TemplatesSerializer(serializers.Serializer[Any]):
    """The templates of the newest lines, the most frequent first."""

    lines = serializers.IntegerField(help_text="How many lines were looked at.")
    is_complete = serializers.BooleanField(help_text="Whether these were all.")
    templates = TemplateSerializer(many=True)


class SimulationSerializer(StrictFields, serializers.Serializer[Any]):
    type = serializers.ChoiceField(choices=Scenario.choices, default=Scenario.HIGH_ERROR_RATE)
    severity = serializers.ChoiceField(choices=RuleSeverity.choices, default=RuleSeverity.HIGH)
    service = serializers.CharField(max_length=100, default="simulation")


class SimulatedSerializer(serializers.Serializer[Any]):
    """What was done; the worker opens an incident within moments."""

    type = serializers.ChoiceField(choices=Scenario.choices)
    service = serializers.CharField()
    rule = serializers.CharField()
    lines = serializers.IntegerField(help_text="How many were written.")
    fingerprints = serializers.ListField(
        child=serializers.CharField(), help_text="Of the alerts; see alerts/?fingerprint=."
    )
    steps = serializers.ListField(child=serializers.CharField())
