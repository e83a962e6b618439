from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from core.api.configuration import StrictFields
from core.api.fields import LineField
from core.api.schema import paged
from notifications.channels.push.subscription import joined
from notifications.models import ContactMethod, NotificationRule
from notifications.vocabulary import Importance, MethodState


class ContactMethodSerializer(serializers.Serializer[Any]):
    """An address of yours on a channel."""

    id = serializers.IntegerField()
    kind = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    address = serializers.CharField(help_text=_("Empty until a chat is linked."))
    state = serializers.ChoiceField(choices=MethodState.choices)
    reason = serializers.CharField(help_text=_("Why it is failing or disabled."))
    failing_since = serializers.DateTimeField(allow_null=True)
    verified_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()


ContactMethodPageSerializer = paged(ContactMethodSerializer)


class AddedMethodSerializer(ContactMethodSerializer):
    """A new contact method."""

    link_code = serializers.CharField(
        help_text=_("For chats: send it to the bot within ten minutes. Empty where a code is sent to the address.")
    )
    secret = serializers.CharField(help_text=_("Of a webhook: what it is signed with, shown only now. Else empty."))


class NewContactMethodSerializer(StrictFields, serializers.Serializer[Any]):
    """A contact method to add."""

    kind = LineField(max_length=32, help_text=_("email, sms, voice, slack, telegram, push or webhook."))
    address = LineField(
        max_length=1000, required=False, allow_blank=True, default="", help_text=_("Not needed to link a chat.")
    )
    label = LineField(max_length=100, required=False, allow_blank=True, default="")  # type: ignore[assignment]
    data = serializers.DictField(  # type: ignore[assignment]
        required=False,
        help_text=_("Of a push subscription, its `keys`, where `address` is its endpoint alone; nothing else."),
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        data = attrs.pop("data", None)
        if not data:
            return attrs
        keys = data.get("keys")
        if attrs["kind"] != "push" or set(data) != {"keys"} or not isinstance(keys, dict):
            raise serializers.ValidationError({"data": _("Only a push subscription has data: its keys.")})
        return {**attrs, "address": joined(attrs["address"], keys)}


class MethodLabelSerializer(StrictFields, serializers.Serializer[Any]):
    """What a contact method is called."""

    label = LineField(max_length=100, allow_blank=True)  # type: ignore[assignment]


class CodeSerializer(StrictFields, serializers.Serializer[Any]):
    """A code that was sent to you or shown to you."""

    code = LineField(max_length=32)


class RuleStepSerializer(StrictFields, serializers.Serializer[Any]):
    """When a method is used."""

    method = serializers.IntegerField(min_value=1, max_value=2**63 - 1)
    delay_minutes = serializers.IntegerField(min_value=0, max_value=24 * 60)


class QuietHoursField(serializers.DictField):
    """`{"from": "22:00", "to": "07:00", "weekdays": [0, 1]}`, Monday is 0; `{}` for none."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        hours = super().to_internal_value(data)
        if unknown := sorted(set(hours) - {"from", "to", "weekdays"}):
            message = _("Unknown: %(names)s. Valid: from, to, weekdays.") % {"names": ", ".join(unknown)}
            raise serializers.ValidationError(message)
        weekdays = hours.get("weekdays", [])
        if not isinstance(weekdays, list) or not all(type(day) is int and 0 <= day <= 6 for day in weekdays):
            raise serializers.ValidationError(_("Weekdays are numbers from 0, Monday, to 6."))
        if not all(isinstance(hours.get(name, ""), str) for name in ("from", "to")):
            raise serializers.ValidationError(_("Write times as 22:00."))
        return hours


class NotificationRuleSerializer(StrictFields, serializers.Serializer[Any]):
    """How you are reached for pages of one importance."""

    importance = serializers.ChoiceField(choices=Importance.choices)
    steps = RuleStepSerializer(many=True)
    quiet_hours = QuietHoursField(
        required=False, default=dict, help_text=_("In your time zone; hold low importance only.")
    )


NotificationRulePageSerializer = paged(NotificationRuleSerializer)


def serialize_method(row: ContactMethod) -> dict[str, Any]:
    names = ("kind", "label", "address", "state", "reason", "failing_since", "verified_at", "created_at")
    return {"id": row.pk, **{name: getattr(row, name) for name in names}}


def serialize_rule(row: NotificationRule) -> dict[str, Any]:
    return {"importance": row.importance, "steps": row.steps, "quiet_hours": row.quiet_hours}
