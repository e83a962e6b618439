"""Runs as the API shows and takes them."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from core.api.configuration import StrictFields
from core.api.fields import RowField, TextField
from core.text.sentences import shown
from remediation.models import Run, Runbook
from remediation.vocabulary import Activity, Finding, PhaseState, PhaseWord, Risk, RunState

UNSEEN = _("Send the digest of the run that you read: it is what you approve.")


class RunPersonSerializer(serializers.Serializer[Any]):
    """Somebody who did something about a run."""

    id = serializers.IntegerField()
    name = serializers.CharField()


class RunRunbookSerializer(serializers.Serializer[Any]):
    """The runbook of a run, in the version that it executes."""

    id = serializers.IntegerField(source="runbook_id")
    name = serializers.CharField(source="runbook.name")
    version = serializers.IntegerField(source="number")
    risk = serializers.ChoiceField(choices=Risk.choices)


class RunTargetSerializer(serializers.Serializer[Any]):
    """What a step of a run changes."""

    id = serializers.IntegerField()
    step = serializers.SerializerMethodField()
    kind = serializers.CharField()
    name = serializers.CharField()
    details = serializers.JSONField()

    def get_step(self, target: Any) -> int:
        return int(target.step) + 1


class RunPhaseSerializer(serializers.Serializer[Any]):
    """A phase of a step on a target."""

    target = serializers.IntegerField(source="target_id")
    phase = serializers.ChoiceField(choices=PhaseWord.choices)
    state = serializers.ChoiceField(choices=PhaseState.choices)
    attempts = serializers.IntegerField()
    output = serializers.CharField()
    started_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


class RunSerializer(serializers.Serializer[Any]):
    """A run of a runbook for an incident."""

    id = serializers.IntegerField()
    incident = serializers.CharField(source="incident.reference")
    runbook = RunRunbookSerializer(source="version")
    state = serializers.ChoiceField(choices=RunState.choices)
    activity = serializers.ChoiceField(choices=Activity.choices, allow_blank=True)
    why = serializers.SerializerMethodField()
    parameters = serializers.JSONField()
    digest = serializers.CharField(help_text=_("Of version, parameters and targets: what an approval binds."))
    is_automatic = serializers.BooleanField(help_text=_("A rule proposed it."))
    needs_approval_by = serializers.SerializerMethodField(
        help_text=_("`anybody` who may approve, `somebody_else` than the proposer, or `nobody` any more.")
    )
    proposed_by = RunPersonSerializer(allow_null=True)
    approved_by = RunPersonSerializer(allow_null=True)
    executed_by = RunPersonSerializer(allow_null=True)
    override_reason = serializers.CharField()
    settled_by = RunPersonSerializer(allow_null=True)
    finding = serializers.ChoiceField(
        choices=Finding.choices, allow_blank=True, help_text=_("What an unknown run did, once somebody settled it.")
    )
    settled_note = serializers.CharField()
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    approved_at = serializers.DateTimeField(allow_null=True)
    dry_run_at = serializers.DateTimeField(allow_null=True)
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    settled_at = serializers.DateTimeField(allow_null=True)

    def get_why(self, run: Run) -> str:
        return shown(run.why)

    def get_needs_approval_by(self, run: Run) -> str:
        if run.state != RunState.PROPOSED:
            return "nobody"
        return "somebody_else" if run.version.risk == Risk.B else "anybody"


class RunDetailSerializer(RunSerializer):
    """A run with its targets and phases."""

    targets = RunTargetSerializer(many=True)
    phases = RunPhaseSerializer(many=True)


class RunWarningSerializer(serializers.Serializer[Any]):
    """What would forbid a run now."""

    code = serializers.CharField()
    text = serializers.CharField()


class ProposedRunSerializer(RunDetailSerializer):
    """A run that was just proposed, and what would forbid it now."""

    warnings = RunWarningSerializer(many=True)


class NewRunSerializer(StrictFields, serializers.Serializer[Any]):
    """A run to propose."""

    runbook = RowField(queryset=Runbook.objects.all())
    parameters = serializers.DictField(required=False)


class RunApprovalSerializer(StrictFields, serializers.Serializer[Any]):
    """An approval, of the digest that you saw."""

    digest = serializers.CharField(
        max_length=64,
        help_text=_("Of the run that you read; if it is another's, nothing is approved."),
        error_messages=dict.fromkeys(("required", "null", "blank"), UNSEEN),
    )
    override_reason = TextField(
        required=False, allow_blank=True, max_length=1000, help_text=_("During a change freeze, of an administrator.")
    )


class RunExecutionSerializer(StrictFields, serializers.Serializer[Any]):
    """An execution."""

    override_reason = TextField(
        required=False, allow_blank=True, max_length=1000, help_text=_("During a change freeze, of an administrator.")
    )


class RunReasonSerializer(StrictFields, serializers.Serializer[Any]):
    """Why, if you want to say so."""

    reason = TextField(required=False, allow_blank=True, max_length=1000)


class RunSettlementSerializer(StrictFields, serializers.Serializer[Any]):
    """What somebody found that an unknown run did."""

    finding = serializers.ChoiceField(choices=Finding.choices)
    note = TextField(max_length=1000, help_text=_("What you looked at, and what you saw."))
