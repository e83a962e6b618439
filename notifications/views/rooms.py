from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.configuration import ConfigurationViewSet
from core.api.idempotency import IdempotentWrites
from core.api.permissions import IsAdmin
from notifications.channels.port import channel_of
from notifications.models import RoomChannel
from notifications.serializers.contacts import CodeSerializer
from notifications.serializers.ledger import DeliverySerializer, serialize_delivery
from notifications.serializers.rooms import RoomChannelSerializer
from notifications.services.testing import confirm_room, test_room


class RoomChannelViewSet(ConfigurationViewSet):
    """Rooms of teams, in chat or elsewhere."""

    permission_classes = [IsAdmin]
    queryset = RoomChannel.objects.all()
    serializer_class = RoomChannelSerializer

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse to remember answers that hold a secret: those are never stored."""
        kind = request.data.get("kind") if isinstance(request.data, Mapping) else None
        channel = channel_of(kind) if isinstance(kind, str) else None
        if channel is not None and "secret" in channel.new_data():
            super(IdempotentWrites, self).initial(request, *args, **kwargs)
        else:
            super().initial(request, *args, **kwargs)

    @extend_schema(
        operation_id="channels_test",
        summary=_("Send a test message to a channel"),
        request=None,
        responses={202: DeliverySerializer},
    )
    @action(detail=True, methods=["post"])
    def test(self, request: Request, pk: str) -> Response:
        return Response(serialize_delivery(test_room(self.get_object(), by=request.user)), status=202)

    @extend_schema(
        operation_id="channels_confirm",
        summary=_("Confirm a test message by the code read in the channel"),
        request=CodeSerializer,
        responses=RoomChannelSerializer,
    )
    @action(detail=True, methods=["post"])
    def confirm(self, request: Request, pk: str) -> Response:
        given = CodeSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        room = confirm_room(self.get_object(), given.validated_data["code"])
        return Response(self.get_serializer(room).data)
