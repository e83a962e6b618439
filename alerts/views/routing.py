from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from alerts.filters import SILENCES
from alerts.models import Route, Silence
from alerts.serializers.routing import OrderedSerializer, OrderSerializer, RouteSerializer, SilenceSerializer
from alerts.serializers.simulation import RouteSimulatedSerializer, RouteSimulationSerializer
from alerts.services.ordering import end_silence, reorder_routes, require_not_over
from alerts.services.simulating import simulate
from core.api.configuration import ConfigurationViewSet
from core.api.paging import Key
from core.api.permissions import IsResponder, RespondersReadOrAdmin
from users.authentication import person


class RouteViewSet(ConfigurationViewSet):
    """Routes, in evaluation order."""

    queryset = Route.objects.select_related("category", "service")
    serializer_class = RouteSerializer
    permission_classes = [RespondersReadOrAdmin]
    orderings = {"position": [Key("position")], "name": [Key("name")], "id": [Key("id")]}
    default_ordering = "position"
    lookup_value_regex = "[0-9]+"

    @extend_schema(
        operation_id="routes_reorder",
        summary=_("Reorder routes"),
        request=OrderSerializer,
        responses={200: OrderedSerializer},
    )
    @action(detail=False, methods=["post"])
    def reorder(self, request: Request) -> Response:
        form = OrderSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        reorder_routes(form.validated_data["ids"], by=person(request))
        return Response({"ids": form.validated_data["ids"]})

    @extend_schema(
        operation_id="routes_simulate",
        summary=_("Simulate an alert; nothing is stored"),
        request=RouteSimulationSerializer,
        responses={200: RouteSimulatedSerializer},
    )
    @action(detail=False, methods=["post"], permission_classes=[IsResponder])
    def simulate(self, request: Request) -> Response:
        form = RouteSimulationSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        return Response(simulate(**form.validated_data, viewer=person(request)))


class SilenceViewSet(ConfigurationViewSet):
    """Silences; expired ones are kept for the record."""

    queryset = Silence.objects.all()
    serializer_class = SilenceSerializer
    permission_classes = [IsResponder]
    orderings = SILENCES.orderings
    default_ordering = SILENCES.default_ordering
    lookup_value_regex = "[0-9]+"

    @extend_schema(parameters=SILENCES.filter_parameters)
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        pages = SILENCES.page(request, self.get_queryset, asker=None)
        return pages.get_paginated_response(self.get_serializer(pages.rows, many=True).data)

    def perform_create(self, serializer: BaseSerializer[Any]) -> None:
        serializer.validated_data["created_by"] = self.request.user
        super().perform_create(serializer)

    def perform_update(self, serializer: BaseSerializer[Any]) -> None:
        silence: Any = serializer.instance
        require_not_over(silence)
        super().perform_update(serializer)

    def perform_destroy(self, instance: Any) -> None:
        end_silence(instance, by=person(self.request))

    @extend_schema(
        summary=_("End a silence now; it is kept for the record"),
        operation_id="silences_end",
        request=None,
        responses={200: SilenceSerializer},
    )
    @action(detail=True, methods=["post"])
    def end(self, request: Request, pk: str) -> Response:
        ended = end_silence(self.get_object(), by=person(request))
        return Response(self.get_serializer(ended).data)
