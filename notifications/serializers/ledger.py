from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from core.api.schema import paged
from notifications.models import Delivery, DeliveryAttempt
from notifications.vocabulary import Importance, Kind, Outcome, State


class AttemptSerializer(serializers.Serializer[Any]):
    """One attempt to send."""

    number = serializers.IntegerField()
    at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
    outcome = serializers.ChoiceField(choices=Outcome.choices)
    provider = serializers.CharField()
    detail = serializers.CharField()


class DeliverySerializer(serializers.Serializer[Any]):
    """A message to one recipient by one method. Only `answered` means that somebody was reached."""

    id = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=Kind.choices)
    importance = serializers.ChoiceField(choices=Importance.choices)
    incident = serializers.IntegerField(allow_null=True)
    page = serializers.IntegerField(allow_null=True)
    event = serializers.IntegerField(allow_null=True)
    user = serializers.IntegerField(allow_null=True)
    method = serializers.IntegerField(allow_null=True)
    room = serializers.IntegerField(allow_null=True)
    webhook = serializers.IntegerField(allow_null=True)
    recipient = serializers.CharField()
    channel = serializers.CharField(help_text=_("Kind of channel."))
    state = serializers.ChoiceField(choices=State.choices)
    reason = serializers.CharField(help_text=_("Why it failed or was cancelled."))
    created_at = serializers.DateTimeField()
    next_attempt_at = serializers.DateTimeField(allow_null=True)
    held_because = serializers.CharField()
    bundle = serializers.IntegerField(allow_null=True, help_text=_("The delivery that carries this one."))
    bundle_count = serializers.IntegerField(help_text=_("Other deliveries that this one carries."))
    handed_over_at = serializers.DateTimeField(allow_null=True)
    accepted_at = serializers.DateTimeField(allow_null=True)
    delivered_at = serializers.DateTimeField(allow_null=True)
    answered_at = serializers.DateTimeField(allow_null=True)
    attempts = AttemptSerializer(many=True)


DeliveryPageSerializer = paged(DeliverySerializer)


def serialize_attempt(attempt: DeliveryAttempt) -> dict[str, Any]:
    names = ("number", "at", "ended_at", "outcome", "provider", "detail")
    return {name: getattr(attempt, name) for name in names}


def serialize_delivery(row: Delivery) -> dict[str, Any]:
    plain = (
        *("id", "kind", "importance", "recipient", "channel", "state", "reason", "created_at", "next_attempt_at"),
        *("held_because", "bundle_count", "handed_over_at", "accepted_at", "delivered_at", "answered_at"),
    )
    return {
        **{name: getattr(row, name) for name in plain},
        "incident": row.incident_id,
        "page": row.page_id,
        "event": row.event_id,
        "user": row.user_id,
        "method": row.method_id,
        "room": row.room_id,
        "webhook": row.webhook_id,
        "bundle": row.bundle_id,
        "attempts": [serialize_attempt(attempt) for attempt in row.attempts.all()],
    }
