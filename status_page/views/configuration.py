"""Routes of the page itself, its groups, components and templates."""

from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status as http
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.configuration import ConfigurationViewSet
from core.api.idempotency import IdempotentWrites
from core.api.paging import Key
from core.api.parameters import IDEMPOTENCY_KEY
from core.api.permissions import IsAdmin, RespondersReadOrAdmin
from core.api.problems import refuse_unknown_parameters
from core.errors import NotFound
from incidents.views.uploads import FilesParser
from status_page.models import Component, ComponentGroup, UpdateTemplate
from status_page.serializers.configuration import (
    AccessKeySerializer,
    ComponentGroupSerializer,
    ComponentOrderSerializer,
    ComponentSerializer,
    LogoSerializer,
    StatusPageSerializer,
    UpdateTemplateSerializer,
)
from status_page.services import components, page, templates
from users.authentication import person

POSITIONED = {"position": [Key("position")], "name": [Key("name")], "id": [Key("id")]}
IDS = "[0-9]{1,18}"


class StatusPageView(IdempotentWrites, APIView):
    """The page itself: responders read, administrators change it."""

    permission_classes = [RespondersReadOrAdmin]

    @extend_schema(
        operation_id="status_page_retrieve", summary=_("Get the status page"), responses=StatusPageSerializer
    )
    def get(self, request: Request) -> Response:
        refuse_unknown_parameters(request, set())
        return Response(StatusPageSerializer(page.the_page()).data)

    @extend_schema(
        operation_id="status_page_partial_update",
        summary=_("Update the status page"),
        parameters=[IDEMPOTENCY_KEY],
        request=StatusPageSerializer,
        responses=StatusPageSerializer,
    )
    def patch(self, request: Request) -> Response:
        form = StatusPageSerializer(page.the_page(), data=request.data, partial=True)
        form.is_valid(raise_exception=True)
        return Response(StatusPageSerializer(page.edit_page(by=person(request), changes=form.validated_data)).data)


class LogoView(APIView):
    """The picture beside the page's name."""

    permission_classes = [RespondersReadOrAdmin]
    parser_classes = [FilesParser]

    @extend_schema(
        operation_id="status_logo_retrieve",
        summary=_("Get the status page's logo"),
        responses={(200, "image/png"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request) -> HttpResponse:
        logo = bytes(page.the_page().logo)
        if not logo:
            raise NotFound("The page has no logo.")
        return HttpResponse(logo, content_type="image/png")

    @extend_schema(
        operation_id="status_logo_create",
        summary=_("Upload a logo for the status page"),
        request={"multipart/form-data": LogoSerializer},
        responses={200: StatusPageSerializer},
    )
    def post(self, request: Request) -> Response:
        form = LogoSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        data = form.validated_data["logo"].read(page.MAX_UPLOAD_BYTES + 1)
        return Response(StatusPageSerializer(page.set_logo(by=person(request), data=data)).data)

    @extend_schema(
        operation_id="status_logo_destroy", summary=_("Remove the status page's logo"), responses={204: None}
    )
    def delete(self, request: Request) -> Response:
        page.set_logo(by=person(request), data=None)
        return Response(status=http.HTTP_204_NO_CONTENT)


class AccessKeyView(APIView):
    """The key of a private page; its answer is not remembered, since it is a secret."""

    permission_classes = [IsAdmin]

    @extend_schema(
        operation_id="status_access_key_create",
        summary=_("Replace the access key of the private status page"),
        request=None,
        responses={201: OpenApiResponse(AccessKeySerializer, description=_("The key, shown this once."))},
    )
    def post(self, request: Request) -> Response:
        return Response({"key": page.new_access_key(by=person(request))}, status=http.HTTP_201_CREATED)


class GroupViewSet(ConfigurationViewSet):
    """Groups of components, in the page's order."""

    queryset = ComponentGroup.objects.all()
    serializer_class = ComponentGroupSerializer
    permission_classes = [RespondersReadOrAdmin]
    orderings = POSITIONED
    default_ordering = "position"
    lookup_value_regex = IDS

    def perform_destroy(self, instance: Any) -> None:
        components.remove_group(instance, by=person(self.request))


class ComponentViewSet(ConfigurationViewSet):
    """Components and how they are, in the page's order."""

    queryset = Component.objects.select_related("group", "service")
    serializer_class = ComponentSerializer
    permission_classes = [RespondersReadOrAdmin]
    orderings = POSITIONED
    default_ordering = "position"
    lookup_value_regex = IDS

    def perform_destroy(self, instance: Any) -> None:
        components.remove_component(instance, by=person(self.request))

    @extend_schema(
        operation_id="status_components_reorder",
        summary=_("Reorder the components of the status page"),
        request=ComponentOrderSerializer,
        responses={200: ComponentOrderSerializer},
    )
    @action(detail=False, methods=["post"])
    def reorder(self, request: Request) -> Response:
        form = ComponentOrderSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        components.reorder_components(form.validated_data["ids"], by=person(request))
        return Response({"ids": form.validated_data["ids"]})


class TemplateViewSet(ConfigurationViewSet):
    """Texts that announcements begin with."""

    queryset = UpdateTemplate.objects.all()
    serializer_class = UpdateTemplateSerializer
    permission_classes = [RespondersReadOrAdmin]
    lookup_value_regex = IDS

    def perform_destroy(self, instance: Any) -> None:
        templates.remove_template(instance, by=person(self.request))
