"""Escalations as the API shows them."""

import datetime as dt
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from core.api.configuration import StrictFields
from core.api.fields import MAX_TEXT, TextField, WordField
from core.severity import SEVERITY_OF_WORD, SEVERITY_WORDS, Severity
from paging.services.describing import NONE
from paging.vocabulary import AlarmReason, Importance, RunState
from responders.serializers.policies import MAX_TARGETS, TargetKindField, TargetSerializer

FAR = dt.timedelta(days=3660)
STATES = [*(state.value for state in (RunState.RUNNING, RunState.ACKNOWLEDGED, RunState.EXHAUSTED)), NONE]


class NewPageSerializer(StrictFields, serializers.Serializer[Any]):
    """Whom to page now, and what to tell them."""

    targets = TargetSerializer(many=True, min_length=1, max_length=MAX_TARGETS)  # type: ignore[call-arg]  # many=True takes it
    message = TextField(max_length=MAX_TEXT, allow_blank=True, default="")


class PolicySimulationSerializer(StrictFields, serializers.Serializer[Any]):
    """When an incident opens, and how severe it is."""

    at = serializers.DateTimeField(required=False, help_text=_("Now, unless given."))
    severity = WordField(SEVERITY_OF_WORD, SEVERITY_WORDS, default=Severity.CRITICAL)

    def validate_at(self, at: dt.datetime) -> dt.datetime:
        if abs(at - timezone.now()) > FAR:
            raise serializers.ValidationError(_("The time must be within ten years of now."))
        return at


class NotifiedSerializer(serializers.Serializer[Any]):
    """Somebody who would be notified if nobody answers before."""

    after_minutes = serializers.FloatField(help_text=_("Since the opening."))
    user = serializers.IntegerField(allow_null=True, help_text=_("Null for a room or machine."))
    name = serializers.CharField()
    method = serializers.CharField(allow_null=True, help_text=_("Null if there is no way to reach the person."))
    because = serializers.CharField()
    step = serializers.IntegerField(allow_null=True, help_text=_("From 1; null after the last."))
    round = serializers.IntegerField()


class SkippedStepSerializer(serializers.Serializer[Any]):
    """A step that would page nobody."""

    after_minutes = serializers.IntegerField()
    step = serializers.IntegerField()
    because = serializers.CharField()


class PolicyRefSerializer(serializers.Serializer[Any]):
    """A policy."""

    id = serializers.IntegerField(allow_null=True)
    name = serializers.CharField()


class PolicySimulatedSerializer(serializers.Serializer[Any]):
    """What a policy would do if nobody answers."""

    at = serializers.DateTimeField()
    policy = PolicyRefSerializer()
    notified = NotifiedSerializer(many=True)
    skipped = SkippedStepSerializer(many=True)
    gives_up_after_minutes = serializers.IntegerField(allow_null=True)


class PagedTargetSerializer(serializers.Serializer[Any]):
    """What was named."""

    kind = TargetKindField()
    id = serializers.IntegerField()


class PersonSerializer(serializers.Serializer[Any]):
    """A person."""

    id = serializers.IntegerField()
    name = serializers.CharField()


class PageSerializer(serializers.Serializer[Any]):
    """Somebody who was paged, and what became of it."""

    id = serializers.IntegerField()
    at = serializers.DateTimeField()
    user = serializers.IntegerField(allow_null=True, help_text=_("Null for a room or machine."))
    name = serializers.CharField()
    target = PagedTargetSerializer()
    why = serializers.CharField()
    step = serializers.IntegerField(allow_null=True)
    round = serializers.IntegerField()
    importance = serializers.ChoiceField(choices=Importance.choices)
    message = serializers.CharField()
    by = PersonSerializer(allow_null=True, help_text=_("Who paged by hand."))
    answered_at = serializers.DateTimeField(allow_null=True)
    cancelled_at = serializers.DateTimeField(allow_null=True)
    failed_at = serializers.DateTimeField(allow_null=True, help_text=_("When every attempt had failed."))
    deliveries = serializers.ListField(child=serializers.DictField())


class ComingStepSerializer(serializers.Serializer[Any]):
    """What happens next, if nobody answers."""

    at = serializers.DateTimeField()
    step = serializers.IntegerField(allow_null=True, help_text=_("Null: the policy gives up."))
    users = PersonSerializer(many=True)
    others = serializers.ListField(child=serializers.CharField(), help_text=_("Rooms and machines."))
    methods = serializers.ListField(child=serializers.CharField())
    because = serializers.CharField(help_text=_("Why nobody would be paged."))


class AlarmSerializer(serializers.Serializer[Any]):
    """Nobody was reached."""

    at = serializers.DateTimeField()
    reason = serializers.ChoiceField(choices=AlarmReason.choices)
    detail = serializers.CharField()


class EscalationSerializer(serializers.Serializer[Any]):
    """An incident's escalation."""

    state = serializers.ChoiceField(choices=STATES)
    step = serializers.IntegerField(allow_null=True, help_text=_("The last step performed, from 1."))
    round = serializers.IntegerField(allow_null=True)
    next_step_at = serializers.DateTimeField(allow_null=True)
    policy = serializers.DictField(allow_null=True, help_text=_("As it was when the escalation started."))
    because = serializers.CharField()
    alarm = AlarmSerializer(allow_null=True, help_text=_("That nobody was reached."))
    pages = PageSerializer(many=True)
    next = ComingStepSerializer(many=True)
