from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import status as http
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.idempotency import IdempotentWrites
from core.api.parameters import IDEMPOTENCY_KEY
from core.api.permissions import IsResponder
from core.errors import PermissionRefused
from incidents.views.lookup import INCIDENT_ID, incident_for
from paging.serializers import (
    EscalationSerializer,
    NewPageSerializer,
    PageSerializer,
    PolicySimulatedSerializer,
    PolicySimulationSerializer,
)
from paging.services.by_hand import page_by_hand
from paging.services.describing import describe, serialize_page
from paging.services.simulating import simulate_policy
from responders.models import EscalationPolicy
from users.authentication import person


class EscalationView(APIView):
    """The escalation of an incident."""

    @extend_schema(
        operation_id="incident_escalation",
        summary=_("Get who was paged, why, and what comes next"),
        parameters=[INCIDENT_ID],
        responses=EscalationSerializer,
    )
    def get(self, request: Request, id: str) -> Response:
        incident = incident_for(request, id)
        if not person(request).is_staff:
            raise PermissionRefused("Only responders and administrators see who is paged.")
        return Response(EscalationSerializer(describe(incident)).data)


class PageView(IdempotentWrites, APIView):
    """Paging by hand."""

    @extend_schema(
        operation_id="incident_page",
        summary=_("Page people, teams or schedules now"),
        parameters=[INCIDENT_ID, IDEMPOTENCY_KEY],
        request=NewPageSerializer,
        responses={201: PageSerializer(many=True)},
    )
    def post(self, request: Request, id: str) -> Response:
        incident = incident_for(request, id)
        serializer = NewPageSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        named = [(target["kind"], target["id"]) for target in serializer.validated_data["targets"]]
        pages = page_by_hand(incident, named, serializer.validated_data["message"], by=person(request))
        shown = [serialize_page(page, []) for page in pages]
        return Response(PageSerializer(shown, many=True).data, status=http.HTTP_201_CREATED)


class PolicySimulationView(APIView):
    """What a policy would do."""

    permission_classes = [IsResponder]

    @extend_schema(
        operation_id="escalation_policies_simulate",
        summary=_("Simulate an escalation policy"),
        request=PolicySimulationSerializer,
        responses=PolicySimulatedSerializer,
    )
    def post(self, request: Request, policy_id: int) -> Response:
        policy = get_object_or_404(EscalationPolicy, pk=policy_id)
        serializer = PolicySimulationSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        asked = serializer.validated_data
        found = simulate_policy(policy, severity=asked["severity"], at=asked.get("at") or timezone.now())
        return Response(PolicySimulatedSerializer(found).data)
