from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import status as http
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from alerts.filters import CHANGES
from alerts.models import ChangeEvent
from alerts.serializers.changes import ChangePageSerializer, ChangeSerializer
from alerts.services.changes import changes_before
from core.api.idempotency import IdempotentWrites
from core.api.parameters import IDEMPOTENCY_KEY
from core.api.permissions import IsResponder
from core.api.problems import refuse_unknown_parameters
from core.db.transactions import unit_of_work
from incidents.views.lookup import INCIDENT_ID, incident_for


class ChangeListView(IdempotentWrites, APIView):
    """Changes to systems, such as deployments."""

    permission_classes = [IsResponder]

    @extend_schema(
        operation_id="changes_list",
        summary=_("List changes"),
        parameters=CHANGES.parameters,
        responses=ChangePageSerializer,
    )
    def get(self, request: Request) -> Response:
        pages = CHANGES.page(request, ChangeEvent.objects.all, asker=None)
        return pages.get_paginated_response(ChangeSerializer(pages.rows, many=True).data)

    @extend_schema(
        operation_id="changes_create",
        summary=_("Record a change"),
        parameters=[IDEMPOTENCY_KEY],
        request=ChangeSerializer,
        responses={201: ChangeSerializer},
    )
    def post(self, request: Request) -> Response:
        serializer = ChangeSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        unit_of_work(serializer.save)()
        return Response(serializer.data, status=http.HTTP_201_CREATED)


class IncidentChangesView(APIView):
    """Changes in the hour before an incident."""

    permission_classes = [IsResponder]

    @extend_schema(
        operation_id="incident_changes_list",
        summary=_("List changes in the hour before an incident"),
        parameters=[INCIDENT_ID],
        responses=ChangePageSerializer,
    )
    def get(self, request: Request, id: str) -> Response:
        refuse_unknown_parameters(request, set())
        found = changes_before(incident_for(request, id))
        results: Any = ChangeSerializer(found, many=True).data
        return Response({"next": None, "previous": None, "results": results})
