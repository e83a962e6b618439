from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from core.api.configuration import ConfigurationViewSet
from core.api.idempotency import IdempotentWrites
from core.api.permissions import IsAdmin
from notifications.channels.webhook.signing import new_secret
from notifications.filters import DELIVERIES
from notifications.models import Delivery, WebhookEndpoint
from notifications.serializers.ledger import DeliveryPageSerializer, DeliverySerializer, serialize_delivery
from notifications.serializers.webhooks import NewWebhookSerializer, SecretSerializer, WebhookSerializer
from notifications.services import webhooks
from users.authentication import person

UNSTORED = {"Cache-Control": "no-store"}


class WebhookViewSet(ConfigurationViewSet):
    """Programs that are told of incidents, by Standard Webhooks."""

    permission_classes = [IsAdmin]
    queryset = WebhookEndpoint.objects.all()
    serializer_class = WebhookSerializer
    lookup_value_regex = "[0-9]{1,18}"

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse Idempotency-Key where the answer holds a secret: those are never stored."""
        if self.action in ("create", "rotate_secret"):
            super(IdempotentWrites, self).initial(request, *args, **kwargs)
        else:
            super().initial(request, *args, **kwargs)

    @extend_schema(summary=_("Create a webhook; its secret is shown once"), responses={201: NewWebhookSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        self.perform_create(serializer)
        secret = serializer.validated_data["secret"]
        return Response({**serializer.data, "secret": secret}, status=201, headers=UNSTORED)

    def perform_create(self, serializer: BaseSerializer[Any]) -> None:
        serializer.validated_data["secret"] = new_secret()
        super().perform_create(serializer)

    @extend_schema(
        operation_id="webhooks_secret",
        summary=_("Replace a webhook's secret; for a day the old one signs too"),
        request=None,
        responses={201: SecretSerializer},
    )
    @action(detail=True, methods=["post"], url_path="secret")
    def rotate_secret(self, request: Request, pk: str) -> Response:
        secret = webhooks.rotate_secret(self.get_object(), by=person(request))
        return Response({"secret": secret}, status=201, headers=UNSTORED)

    @extend_schema(
        operation_id="webhooks_test",
        summary=_("Send a test message to a webhook"),
        request=None,
        responses={202: DeliverySerializer},
    )
    @action(detail=True, methods=["post"])
    def test(self, request: Request, pk: str) -> Response:
        delivery = webhooks.send_test(self.get_object(), by=person(request))
        return Response(serialize_delivery(delivery), status=202)

    @extend_schema(
        operation_id="webhooks_deliveries",
        summary=_("List a webhook's deliveries"),
        parameters=DELIVERIES.parameters,
        responses=DeliveryPageSerializer,
    )
    @action(detail=True, methods=["get"])
    def deliveries(self, request: Request, pk: str) -> Response:
        webhook = self.get_object()

        def rows() -> QuerySet[Delivery]:
            return Delivery.objects.filter(webhook=webhook)

        return DELIVERIES.page(request, rows, asker=("webhook", webhook.pk)).respond(serialize_delivery)

    @extend_schema(
        operation_id="webhooks_redeliver",
        summary=_("Send one of a webhook's deliveries again"),
        parameters=[OpenApiParameter("delivery_id", OpenApiTypes.INT, OpenApiParameter.PATH)],
        request=None,
        responses={202: DeliverySerializer},
    )
    @action(detail=True, methods=["post"], url_path=r"deliveries/(?P<delivery_id>[0-9]{1,18})/redeliver")
    def redeliver(self, request: Request, pk: str, delivery_id: str) -> Response:
        delivery = webhooks.redeliver(self.get_object(), int(delivery_id))
        return Response(serialize_delivery(delivery), status=202)
