"""The routes of numbers."""

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.problems import refuse
from incidents import metrics
from incidents.filters import INCIDENTS, filter_incidents
from incidents.models import Incident
from incidents.serializers.metrics import SlaMetricsSerializer, SummarySerializer
from incidents.views.incidents import FILTER_PARAMETERS, person


class SummaryView(APIView):
    """How many incidents there are, by status, severity, team and category."""

    @extend_schema(
        operation_id="incidents_summary",
        summary="Count incidents by status, severity, team and category",
        parameters=FILTER_PARAMETERS,
        responses=SummarySerializer,
    )
    def get(self, request: Request) -> Response:
        viewer = person(request)
        incidents = filter_incidents(Incident.objects.visible_to(viewer), request)
        return Response(metrics.incident_summary(incidents, is_filtered=_is_filtered(request), viewer=viewer))


class SlaMetricsView(APIView):
    """How fast incidents were acknowledged and resolved, and how often in time."""

    @extend_schema(
        operation_id="metrics_sla",
        summary="Measure how fast incidents were handled",
        parameters=[
            *FILTER_PARAMETERS,
            OpenApiParameter("group_by", OpenApiTypes.STR, enum=list(metrics.GROUPINGS), description="Groups."),
        ],
        responses=SlaMetricsSerializer,
    )
    def get(self, request: Request) -> Response:
        viewer = person(request)
        incidents = filter_incidents(Incident.objects.visible_to(viewer), request, also=frozenset({"group_by"}))
        group_by = request.query_params.get("group_by")
        if group_by is not None and group_by not in metrics.GROUPINGS:
            refuse("group_by", f"Cannot group by {group_by}; offered are {', '.join(metrics.GROUPINGS)}.")
        answer = metrics.response_metrics(
            incidents, is_filtered=_is_filtered(request), viewer=viewer, group_by=group_by, now=timezone.now()
        )
        return Response(answer)


def _is_filtered(request: Request) -> bool:
    return any(request.query_params.get(name) for name in INCIDENTS.filters)
