from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from core.api.configuration import CleanedModelSerializer
from core.api.fields import LineField
from notifications.models import WebhookEndpoint
from notifications.serializers.rooms import EventKindsField
from notifications.services.webhooks import WORKING, check_url
from responders.models import Team

MOST_MIRRORS = 20


class UrlField(LineField):
    """An address that may be called."""

    def to_internal_value(self, data: Any) -> str:
        return check_url(super().to_internal_value(data))


class WebhookSerializer(CleanedModelSerializer):
    """A program told of a team's incidents, or of all; of restricted ones, only the reference."""

    url = UrlField(max_length=1000)
    team = serializers.PrimaryKeyRelatedField(queryset=Team.objects.active(), allow_null=True, required=False)
    events = EventKindsField(required=False)
    mirrors = serializers.ListField(
        child=LineField(max_length=100),
        max_length=MOST_MIRRORS,
        required=False,
        help_text=_("Kinds or names of sources behind the address: what came from them is never sent back there."),
    )

    class Meta:
        model = WebhookEndpoint
        fields = [
            *("id", "name", "url", "team", "events", "format", "mirrors", "is_enabled", "state", "reason"),
            *("failing_since", "old_secret_until", "created_at"),
        ]
        read_only_fields = ["state", "reason", "failing_since", "old_secret_until", "created_at"]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        webhook: WebhookEndpoint | None = self.instance
        attrs = super().validate(attrs)
        # Whoever changes the address or enables it anew has mended it.
        if webhook is not None and (attrs.get("url", webhook.url) != webhook.url or attrs.get("is_enabled")):
            attrs |= WORKING
        return attrs


class SecretSerializer(serializers.Serializer[Any]):
    """A secret, shown only now."""

    secret = serializers.CharField(help_text=_("whsec_…, as libraries of Standard Webhooks take it."))


class NewWebhookSerializer(WebhookSerializer):
    """A new webhook with its secret, which is shown only now."""

    secret = serializers.CharField(read_only=True)

    class Meta(WebhookSerializer.Meta):
        fields = [*WebhookSerializer.Meta.fields, "secret"]
