from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from core.api.configuration import StrictFields
from core.api.schema import paged
from notifications.models import Notification
from notifications.vocabulary import Importance, Kind

MOST_AT_ONCE = 500


class NotificationSerializer(serializers.Serializer[Any]):
    """An entry of your inbox."""

    id = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=Kind.choices)
    importance = serializers.ChoiceField(choices=Importance.choices)
    title = serializers.CharField()
    body = serializers.CharField()
    incident = serializers.IntegerField(allow_null=True)
    path = serializers.CharField(help_text=_("Of the page that shows it, below the server's address; may be empty."))
    created_at = serializers.DateTimeField()
    read_at = serializers.DateTimeField(allow_null=True)


class InboxSerializer(paged(NotificationSerializer)):  # type: ignore[misc]
    """A page of your inbox, and how much of all of it is unread."""

    unread = serializers.IntegerField()


class ReadSerializer(StrictFields, serializers.Serializer[Any]):
    """Which entries were read: their ids, or all up to now."""

    ids = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**63 - 1), required=False, max_length=MOST_AT_ONCE
    )
    all = serializers.BooleanField(required=False, default=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if bool(attrs.get("ids")) == attrs["all"]:
            raise serializers.ValidationError({"ids": _("Send either ids or all: true.")})
        return attrs


class UnreadSerializer(serializers.Serializer[Any]):
    """How much is unread now."""

    unread = serializers.IntegerField()


def serialize_notification(row: Notification, *, is_visible: bool) -> dict[str, Any]:
    """Return an entry; no more than the reference of an incident that its owner may not see any more."""
    return {
        "id": row.pk,
        "kind": row.kind,
        "importance": row.importance,
        "title": row.title if is_visible else f"INC-{row.incident_id}",
        "body": row.body if is_visible else "",
        "incident": row.incident_id,
        "path": row.path,
        "created_at": row.created_at,
        "read_at": row.read_at,
    }
