"""Escalation policies as the API shows and takes them."""

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any
from zoneinfo import available_timezones

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.api.configuration import CleanedModelSerializer, StrictFields
from core.api.fields import MAX_ID
from core.severity import SEVERITY_WORDS
from responders import targets
from responders.models import EscalationPolicy
from responders.models.policies import MAX_MINUTES, MAX_REPEAT
from responders.policies import ALARM, ALL, NEXT, ROUND_ROBIN, SKIP, STRATEGIES, policy_of, sentences_of, with_names
from responders.services.policies import keep_targets, make_only_default_policy, values_of

MAX_STEPS = 50
MAX_TARGETS = 50
MAX_ACKS = 10
CLOCK = {"type": "string", "pattern": r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$", "example": "08:00"}
Errors = dict[str, Any]


class TargetKindField(serializers.ChoiceField):
    """A kind of target that an app has registered."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=[], **kwargs)

    @property
    def choices(self) -> dict[str, Any]:
        return {kind: one.label for kind, one in targets.target_kinds().items()}

    @choices.setter
    def choices(self, choices: Any) -> None: ...

    def to_internal_value(self, data: Any) -> str:
        if isinstance(data, str) and data in self.choices:
            return data
        raise serializers.ValidationError(f'"{data}" is not one of {", ".join(self.choices)}.', code="invalid_choice")

    def to_representation(self, value: Any) -> Any:
        return value


class TargetSerializer(StrictFields, serializers.Serializer[Any]):
    """Whom to page."""

    kind = TargetKindField()
    id = serializers.IntegerField(min_value=1, max_value=MAX_ID)
    name = serializers.CharField(read_only=True)


@extend_schema_field(CLOCK)
class ClockField(serializers.Field[Any, Any, Any, Any]):
    """A time of day as HH:MM; 24:00 is the end of the day."""

    default_error_messages = {"invalid": _("Must be a time of day such as 08:30, or 24:00.")}

    def to_internal_value(self, data: Any) -> str:
        if data == "24:00":
            return str(data)
        try:
            time = dt.time.fromisoformat(data)
        except (TypeError, ValueError):
            self.fail("invalid")
        if time.tzinfo is not None:  # the hours name their zone
            self.fail("invalid")
        return time.isoformat("minutes")

    def to_representation(self, value: Any) -> Any:
        return value


class BusinessHoursSerializer(StrictFields, serializers.Serializer[Any]):
    """Weekdays (Monday is 0) and times of day; hours that end before they begin end on the next day."""

    time_zone = serializers.CharField(help_text=_("IANA name, such as Europe/Zurich."))
    weekdays = serializers.ListField(
        child=serializers.IntegerField(min_value=0, max_value=6), min_length=1, max_length=7
    )
    locals()["from"] = ClockField()
    to = ClockField()

    def validate_time_zone(self, name: str) -> str:
        if name not in available_timezones():
            raise serializers.ValidationError(f"{name} is not a time zone; use a name such as Europe/Zurich.")
        return name

    def validate_weekdays(self, days: list[int]) -> list[int]:
        return sorted(set(days))

    def validate_from(self, time: str) -> str:
        if time == "24:00":
            raise serializers.ValidationError("Hours cannot begin at 24:00.")
        return time


class ConditionSerializer(StrictFields, serializers.Serializer[Any]):
    """When a step applies; otherwise it is skipped at once."""

    min_severity = serializers.ChoiceField(choices=SEVERITY_WORDS, required=False, allow_null=True)
    business_hours = BusinessHoursSerializer(required=False, allow_null=True)


@extend_schema_field(
    {
        "oneOf": [
            {"type": "string", "enum": [SKIP, ALARM]},
            {
                "type": "object",
                "required": ["kind", "id"],
                "properties": {
                    "kind": {"type": "string"},
                    "id": {"type": "integer", "minimum": 1},
                    "name": {"type": "string", "readOnly": True},
                },
            },
        ]
    }
)
class IfEmptyField(serializers.Field[Any, Any, Any, Any]):
    """`skip`, `alarm`, or a target to page instead."""

    default_error_messages = {"invalid": _("Must be skip, alarm, or a target: its kind and id.")}

    def to_internal_value(self, data: Any) -> Any:
        if data in (SKIP, ALARM):
            return data
        if not isinstance(data, Mapping):
            self.fail("invalid")
        return TargetSerializer().run_validation(data)

    def to_representation(self, value: Any) -> Any:
        return value


class StepSerializer(StrictFields, serializers.Serializer[Any]):
    """Whom to page, so many minutes after the step before it (the first: after the opening)."""

    delay_minutes = serializers.IntegerField(min_value=0, max_value=MAX_MINUTES, default=0)
    targets = TargetSerializer(many=True, min_length=1, max_length=MAX_TARGETS)  # type: ignore[call-arg]  # many=True takes it
    strategy = serializers.ChoiceField(
        choices=STRATEGIES,
        default=ALL,
        help_text=_("Page `all`, one person in turn (`round_robin`), or who is on call `next` in a schedule."),
    )
    only_in = ConditionSerializer(required=False, allow_null=True, default=None)
    if_empty = IfEmptyField(default=SKIP, help_text=_("What to do when a step has nobody to page; never waits."))
    needs_acks = serializers.IntegerField(
        min_value=1,
        max_value=MAX_ACKS,
        default=1,
        help_text=_("How many different people must answer before the escalation stops."),
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        keys = [(one["kind"], one["id"]) for one in attrs["targets"]]
        if len(set(keys)) < len(keys):
            raise serializers.ValidationError({"targets": "A target is named more than once."})
        if attrs["strategy"] == NEXT and any(kind != "schedule" for kind, _id in keys):
            raise serializers.ValidationError({"strategy": "Only schedules have somebody who is on call next."})
        if attrs["strategy"] == ROUND_ROBIN and attrs["needs_acks"] > 1:
            raise serializers.ValidationError(
                {"needs_acks": "A step that pages one person in turn cannot wait for several answers."}
            )
        if not any((attrs["only_in"] or {}).values()):
            attrs["only_in"] = None
        return attrs


class EscalationPolicySerializer(CleanedModelSerializer):
    """An escalation policy, and what it does in sentences."""

    steps = StepSerializer(many=True, min_length=1, max_length=MAX_STEPS)  # type: ignore[call-arg]  # many=True takes it
    repeat = serializers.IntegerField(min_value=0, max_value=MAX_REPEAT, default=0)
    wait_minutes = serializers.IntegerField(
        min_value=1,
        max_value=MAX_MINUTES,
        allow_null=True,
        default=None,
        help_text=_(
            "Minutes after the last step before the steps are repeated or the policy gives up. Null: the longest delay "
            "among its steps, or 5."
        ),
    )
    on_exhausted = TargetSerializer(many=True, max_length=MAX_TARGETS, default=list)  # type: ignore[call-arg]  # many=True takes it
    reack_minutes = serializers.IntegerField(
        min_value=1,
        max_value=MAX_MINUTES,
        allow_null=True,
        default=None,
        help_text=_("Page again when nobody has worked on an acknowledged incident for so long."),
    )
    summary = serializers.SerializerMethodField()

    class Meta:
        model = EscalationPolicy
        fields = [
            *("id", "name", "description", "team", "steps", "repeat", "wait_minutes", "on_exhausted"),
            *("reack_minutes", "is_default", "is_active", "summary", "created_at"),
        ]
        read_only_fields = ["created_at"]

    def get_summary(self, policy: EscalationPolicy) -> list[str]:
        said = sentences_of(policy_of(with_names(values_of(policy), self._names)))
        return [*said.steps, said.ending]

    @property
    def _names(self) -> dict[tuple[str, int], str]:
        """Return the names of all targets of the page's policies, read once."""
        root = self.root
        if not hasattr(root, "_target_names"):
            shown = root.instance if isinstance(root.instance, list) else [root.instance]
            named = {target.key for one in shown if one for target in policy_of(values_of(one)).named}
            root._target_names = targets.names_of(named)  # type: ignore[attr-defined]
        return root._target_names  # type: ignore[attr-defined, no-any-return]

    def to_representation(self, instance: EscalationPolicy) -> Any:
        shown = with_names({"steps": instance.steps, "on_exhausted": instance.on_exhausted}, self._names)
        instance.steps, instance.on_exhausted = shown["steps"], shown["on_exhausted"]
        return super().to_representation(instance)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = super().validate(attrs)
        known = set()
        if self.instance is not None:
            known = {target.key for target in policy_of(values_of(self.instance)).named}
        if errors := missing_targets(attrs, known):
            raise serializers.ValidationError(errors)
        return attrs

    def save(self, **kwargs: Any) -> Any:
        policy = super().save(**kwargs)
        keep_targets(policy)
        if self.validated_data.get("is_default"):
            make_only_default_policy(policy, by=self.context["request"].user)
        self.root.__dict__.pop("_target_names", None)
        return policy


def missing_targets(values: Mapping[str, Any], known: set[tuple[str, int]]) -> Errors:
    """Return errors about targets that do not exist, by place; `known` ones were there before, and may be retired."""
    places = list(_places(values))
    new = {key for _place, key in places} - known
    found = targets.names_of(new)
    errors: Errors = {}
    for place, (kind, number) in places:
        if (kind, number) in new and (kind, number) not in found:
            label = targets.target_kinds()[kind].label
            _put(errors, place, f"{label} {number} does not exist, is not active, or cannot be paged.")
    return errors


def _places(values: Mapping[str, Any]) -> Iterator[tuple[tuple[Any, ...], tuple[str, int]]]:
    for number, step in enumerate(values.get("steps", ())):
        for place, target in enumerate(step["targets"]):
            yield ("steps", number, "targets", place), (target["kind"], target["id"])
        if isinstance(step["if_empty"], Mapping):
            yield ("steps", number, "if_empty"), (step["if_empty"]["kind"], step["if_empty"]["id"])
    for place, target in enumerate(values.get("on_exhausted", ())):
        yield ("on_exhausted", place), (target["kind"], target["id"])


def _put(errors: Errors, place: tuple[Any, ...], message: str) -> None:
    """Set an error at a place; DRF takes lists by index as dicts."""
    for part in place[:-1]:
        errors = errors.setdefault(part, {})
    errors[place[-1]] = {"id": [message]}
