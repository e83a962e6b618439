"""Runbooks, their secrets, freeze windows and the global stop as the API shows and takes them."""

import zoneinfo
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from core.api.configuration import CleanedModelSerializer, StrictFields
from core.api.fields import LineField, TextField
from core.text.sentences import shown
from remediation.models import FreezeWindow, Runbook, RunbookSecret
from remediation.serializers.definitions import LimitField, MatcherField, ParametersField, StepsField
from remediation.vocabulary import Risk
from responders.lineups import typed_instant
from responders.serializers.lineups import TypedTimeField

MATCHER_HELP = _("Of incidents it is proposed for by itself; what is given must all hold.")
COOLDOWN_HELP = _("Seconds between runs, whatever the targets; null: 300 for runs of class A by a rule, else none.")


class RunbookDefinitionSerializer(serializers.Serializer[Any]):
    """What a version of a runbook does."""

    risk = serializers.ChoiceField(choices=Risk.choices, help_text=_("b: approved by somebody else."))
    parameters = ParametersField()
    steps = StepsField()
    cooldown_seconds = LimitField(help_text=_("Per target."))
    runbook_cooldown = LimitField(allow_null=True, help_text=COOLDOWN_HELP)
    daily_cap = LimitField()
    daily_cap_per_target = LimitField()
    max_targets = LimitField()
    max_percent = LimitField()
    automatic_for = MatcherField(allow_null=True, help_text=MATCHER_HELP)


class RunbookVersionSerializer(RunbookDefinitionSerializer):
    """A version of a runbook, which never changes."""

    number = serializers.IntegerField()
    digest = serializers.CharField()
    created_at = serializers.DateTimeField()
    created_by = serializers.CharField(source="created_by.name", default="")


class RunbookSerializer(serializers.Serializer[Any]):
    """A runbook with its present version."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    description = serializers.CharField()
    is_enabled = serializers.BooleanField()
    paused_at = serializers.DateTimeField(allow_null=True, help_text=_("It failed twice in a row; release it."))
    paused_because = serializers.SerializerMethodField()
    version = serializers.IntegerField(source="current.number")
    created_at = serializers.DateTimeField()

    def get_paused_because(self, runbook: Runbook) -> str:
        return shown(runbook.paused_because)

    def to_representation(self, instance: Runbook) -> dict[str, Any]:
        found: dict[str, Any] = super().to_representation(instance)
        return {**found, **RunbookDefinitionSerializer(instance.current).data}


class ShownRunbookSerializer(RunbookSerializer, RunbookDefinitionSerializer):
    """A runbook with its present version."""


class RunbookChangeSerializer(StrictFields, serializers.Serializer[Any]):
    """A change of a runbook; another definition becomes its next version."""

    name = LineField(max_length=100)
    description = TextField(max_length=4000, required=False, allow_blank=True)
    is_enabled = serializers.BooleanField(required=False)
    risk = serializers.ChoiceField(choices=Risk.choices, required=False)
    parameters = ParametersField(required=False)
    steps = StepsField()
    cooldown_seconds = LimitField(required=False, help_text=_("Per target."))
    runbook_cooldown = LimitField(required=False, allow_null=True, help_text=COOLDOWN_HELP)
    daily_cap = LimitField(required=False)
    daily_cap_per_target = LimitField(required=False)
    max_targets = LimitField(required=False)
    max_percent = LimitField(
        required=False, help_text=_("Of how many there are; 100 where no step can tell that, as with HTTP.")
    )
    automatic_for = MatcherField(required=False, allow_null=True, help_text=MATCHER_HELP)


class RunbookSecretSerializer(StrictFields, serializers.ModelSerializer[RunbookSecret]):
    """A credential that steps name; its value is never shown."""

    value = TextField(
        write_only=True, required=False, trim_whitespace=False, max_length=4000, help_text=_("Of the header, whole.")
    )

    updated_by = serializers.CharField(source="updated_by.name", default="", read_only=True)

    class Meta:
        model = RunbookSecret
        fields = ["id", "name", "url_prefix", "header", "value", "updated_at", "updated_by"]
        read_only_fields = ["updated_at"]


class FreezeWindowSerializer(CleanedModelSerializer):
    """A time in which runs need an administrator's written reason."""

    starts_at = TypedTimeField(help_text=_("Without an offset, by the clocks of `time_zone`."))
    ends_at = TypedTimeField(help_text=_("Without an offset, by the clocks of `time_zone`."))

    class Meta:
        model = FreezeWindow
        fields = ["id", "name", "starts_at", "ends_at", "is_weekly", "time_zone", "teams", "services"]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        kept = self.instance.time_zone if self.partial and self.instance is not None else "UTC"
        zone = attrs.get("time_zone", kept)
        if zone in zoneinfo.available_timezones():
            moments = {name: attrs[name] for name in ("starts_at", "ends_at") if name in attrs}
            attrs.update({name: typed_instant(moment, zone, name) for name, moment in moments.items()})
        return super().validate(attrs)


class StopReasonSerializer(StrictFields, serializers.Serializer[Any]):
    """Why."""

    reason = TextField(max_length=1000)


class StopSerializer(serializers.Serializer[Any]):
    """Whether all remediation is stopped, since when, by whom and why."""

    is_stopped = serializers.BooleanField()
    reason = serializers.CharField()
    stopped_at = serializers.DateTimeField(allow_null=True)
    stopped_by = serializers.CharField()
