from collections.abc import Callable

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from core.api.idempotency import IdempotentWrites
from core.api.permissions import IsAdmin
from core.errors import NotFound
from notifications.filters import DELIVERIES
from notifications.models import Delivery
from notifications.serializers.ledger import DeliveryPageSerializer, DeliverySerializer, serialize_delivery
from notifications.services import ledger

ID = OpenApiParameter("delivery_id", OpenApiTypes.INT, OpenApiParameter.PATH)


class DeliveryViewSet(IdempotentWrites, ViewSet):
    """Every message, and every attempt to send it; newest first."""

    permission_classes = [IsAdmin]
    lookup_url_kwarg = "delivery_id"
    lookup_value_regex = "[0-9]{1,18}"

    @extend_schema(
        operation_id="deliveries_list",
        summary=_("List deliveries"),
        parameters=DELIVERIES.parameters,
        responses=DeliveryPageSerializer,
    )
    def list(self, request: Request) -> Response:
        return DELIVERIES.page(request, Delivery.objects.all, asker=None).respond(serialize_delivery)

    @extend_schema(
        operation_id="deliveries_retrieve",
        summary=_("Get a delivery"),
        parameters=[ID],
        responses=DeliverySerializer,
    )
    def retrieve(self, request: Request, delivery_id: str) -> Response:
        return Response(serialize_delivery(delivery_of(delivery_id)))

    @extend_schema(
        operation_id="deliveries_retry",
        summary=_("Send a failed or cancelled delivery again"),
        parameters=[ID],
        request=None,
        responses=DeliverySerializer,
    )
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, delivery_id: str) -> Response:
        return act(ledger.retry, delivery_id)

    @extend_schema(
        operation_id="deliveries_cancel",
        summary=_("Cancel a delivery that waits or is held"),
        parameters=[ID],
        request=None,
        responses=DeliverySerializer,
    )
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, delivery_id: str) -> Response:
        return act(ledger.cancel, delivery_id)

    @extend_schema(
        operation_id="deliveries_release",
        summary=_("Send a held delivery now"),
        parameters=[ID],
        request=None,
        responses=DeliverySerializer,
    )
    @action(detail=True, methods=["post"])
    def release(self, request: Request, delivery_id: str) -> Response:
        return act(ledger.release, delivery_id)


def act(work: Callable[[Delivery], Delivery], delivery_id: str) -> Response:
    return Response(serialize_delivery(work(delivery_of(delivery_id))))


def delivery_of(delivery_id: str) -> Delivery:
    """Return a delivery. Raises NotFound."""
    delivery = Delivery.objects.prefetch_related("attempts").filter(pk=int(delivery_id)).first()
    if delivery is None:
        raise NotFound(gettext("The delivery does not exist."))
    return delivery
