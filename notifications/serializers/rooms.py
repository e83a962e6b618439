from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.api.configuration import CleanedModelSerializer
from core.api.fields import LineField
from notifications.channels.port import masked
from notifications.models import RoomChannel
from notifications.services import rooms
from responders.models import Team


class EventKindsField(serializers.ListField):
    """Kinds of timeline events."""

    child = serializers.CharField(max_length=24)

    def to_internal_value(self, data: Any) -> list[str]:
        return rooms.check_events(super().to_internal_value(data))


class RoomChannelSerializer(CleanedModelSerializer):
    """A room that is told of a team's incidents; without a team, of all; of restricted ones, only the reference.

    The answer that makes a webhook of it holds the webhook's `secret`, which is shown only then.
    """

    kind = LineField(max_length=32, help_text=_("Kind of channel, such as slack, teams, telegram, email or webhook."))
    address = LineField(max_length=1000, help_text=_("Masked when read; send it back masked to leave it as it is."))
    team = serializers.PrimaryKeyRelatedField(queryset=Team.objects.active(), allow_null=True, required=False)
    events = EventKindsField(required=False)
    confirmed_at = serializers.SerializerMethodField(
        help_text=_("When somebody last entered the code of a test that was read there; for kinds without receipts.")
    )

    class Meta:
        model = RoomChannel
        fields = ["id", "name", "kind", "address", "team", "events", "is_enabled", "state", "reason", "confirmed_at"]
        fields += ["created_at"]
        read_only_fields = ["state", "reason", "created_at"]

    _new_data: Mapping[str, str] = {}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        room: RoomChannel | None = self.instance
        kind = attrs.get("kind", room.kind if room else "")
        address = attrs.get("address", room.address if room else "")
        if room is not None and kind == room.kind and address == masked(room.kind, room.address):
            address = room.address
        if room is None or (kind, address) != (room.kind, room.address):
            attrs["address"] = rooms.check_address(kind, address)
            attrs |= {"state": RoomChannel._meta.get_field("state").get_default(), "reason": ""} if room else {}
            if room is None or kind != room.kind:
                attrs["data"] = self._new_data = rooms.room_channel(kind).new_data()
            else:
                attrs["data"] = {name: value for name, value in room.data.items() if name != "confirmed_at"}
        elif self.partial:
            attrs.pop("address", None)
        else:
            attrs["address"] = room.address  # a PUT would reset it
        return super().validate(attrs)

    @extend_schema_field(OpenApiTypes.DATETIME)
    def get_confirmed_at(self, room: RoomChannel) -> str | None:
        confirmed_at: str | None = room.data.get("confirmed_at")
        return confirmed_at

    def to_representation(self, instance: RoomChannel) -> dict[str, Any]:
        shown = super().to_representation(instance)
        secret = {"secret": self._new_data["secret"]} if "secret" in self._new_data else {}
        return {**shown, "address": masked(instance.kind, instance.address), **secret}
