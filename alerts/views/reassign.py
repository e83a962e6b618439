"""Move and split alerts, merge incidents."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import status as http
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from alerts.serializers.alerts import (
    AlertSerializer,
    IncidentRefSerializer,
    MergeSerializer,
    MoveSerializer,
    SplitSerializer,
    represent,
)
from alerts.services import reassign
from alerts.views.alerts import alerts_for
from core.api.idempotency import IdempotentWrites
from core.api.parameters import IDEMPOTENCY_KEY
from core.errors import NotFound
from incidents.models import Incident
from incidents.views.lookup import INCIDENT_ID, incident_for, one_of
from users.authentication import person


class AlertMoveView(IdempotentWrites, APIView):
    """Move an alert to another incident."""

    @extend_schema(
        operation_id="alerts_move",
        summary=_("Move an alert to another incident"),
        parameters=[IDEMPOTENCY_KEY],
        request=MoveSerializer,
        responses={200: AlertSerializer},
    )
    def post(self, request: Request, alert_id: int) -> Response:
        alerts = alerts_for(request, [alert_id])
        asked = _read(MoveSerializer, request)
        target = _incident_at(request, "incident", asked["incident"])
        reassign.move(alerts, target, by=person(request), grants_access=asked["grants_access"])
        return Response(represent(alerts_for(request, [alert_id])[0]))


class AlertSplitView(IdempotentWrites, APIView):
    """Split alerts off into a new incident."""

    schema_errors = {"404": "One of the alerts does not exist, or is not visible to the caller."}

    @extend_schema(
        operation_id="alerts_split",
        summary=_("Split alerts off into a new incident"),
        parameters=[IDEMPOTENCY_KEY],
        request=SplitSerializer,
        responses={201: IncidentRefSerializer},
    )
    def post(self, request: Request) -> Response:
        asked = _read(SplitSerializer, request)
        alerts = alerts_for(request, asked["alerts"])
        incident = reassign.split(
            alerts, by=person(request), title=asked.get("title", ""), grants_access=asked["grants_access"]
        )
        return Response(incident_ref(incident), status=http.HTTP_201_CREATED)


class IncidentMergeView(IdempotentWrites, APIView):
    """Merge an incident into another."""

    @extend_schema(
        operation_id="incidents_merge",
        summary=_("Merge an incident into another"),
        parameters=[INCIDENT_ID, IDEMPOTENCY_KEY],
        request=MergeSerializer,
        responses={200: IncidentRefSerializer},
    )
    def post(self, request: Request, id: str) -> Response:
        incident = incident_for(request, id)
        asked = _read(MergeSerializer, request)
        into = _incident_at(request, "into", asked["into"])
        reassign.merge(incident, into, by=person(request), grants_access=asked["grants_access"])
        return Response(incident_ref(one_of(Incident.objects.visible_to(person(request)), str(into.pk))))


def incident_ref(incident: Incident) -> dict[str, Any]:
    """Return an incident's reference for the API."""
    return {
        "id": incident.pk,
        "reference": incident.reference,
        "title": incident.title,
        "status": incident.status,
    }


def _incident_at(request: Request, field: str, id: str) -> Incident:
    try:
        return one_of(Incident.objects.visible_to(person(request)), id)
    except NotFound as error:
        raise NotFound(error.message, field=field) from error


def _read(serializer: type[Serializer[Any]], request: Request) -> dict[str, Any]:
    form = serializer(data=request.data)
    form.is_valid(raise_exception=True)
    found: dict[str, Any] = form.validated_data
    return found
