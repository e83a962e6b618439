from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.configuration import ConfigurationViewSet
from core.api.permissions import IsAdmin
from notifications.models import RoomChannel
from notifications.serializers.ledger import DeliverySerializer, serialize_delivery
from notifications.serializers.rooms import RoomChannelSerializer
from notifications.services.testing import test_room


class RoomChannelViewSet(ConfigurationViewSet):
    """Rooms of teams, in chat or elsewhere."""

    permission_classes = [IsAdmin]
    queryset = RoomChannel.objects.all()
    serializer_class = RoomChannelSerializer

    @extend_schema(
        operation_id="channels_test",
        summary=_("Send a test message to a channel"),
        request=None,
        responses={202: DeliverySerializer},
    )
    @action(detail=True, methods=["post"])
    def test(self, request: Request, pk: str) -> Response:
        return Response(serialize_delivery(test_room(self.get_object(), by=request.user)), status=202)
