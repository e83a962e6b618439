"""Route that says how often suggestions were right."""

import datetime as dt

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from assistant.models import RoutingModel
from assistant.serializers.accuracy import AccuracySerializer
from assistant.services.accuracy import accuracy
from core.api.permissions import IsAdmin
from core.api.problems import refuse_unknown_parameters

MOST_DAYS, DAYS = 730, 90


class SpanSerializer(serializers.Serializer[None]):
    """The days to look back."""

    days = serializers.IntegerField(min_value=1, max_value=MOST_DAYS, default=DAYS)


class AccuracyView(APIView):
    """How often suggestions were right."""

    permission_classes = [IsAdmin]

    @extend_schema(
        operation_id="suggestions_accuracy",
        summary=_("See how often suggestions were right"),
        parameters=[
            OpenApiParameter("days", OpenApiTypes.INT, description=_("Days to look back, 1 to 730; 90 if left out."))
        ],
        responses=AccuracySerializer,
    )
    def get(self, request: Request) -> Response:
        refuse_unknown_parameters(request, {"days"})
        asked = SpanSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        until = timezone.now()
        since = until - dt.timedelta(days=asked.validated_data["days"])
        learnt_from = RoutingModel.objects.values_list("incidents", flat=True).order_by("-pk").first()
        found = {"since": since, "until": until, "learnt_from": learnt_from, "by_field": accuracy(since, until)}
        return Response(AccuracySerializer(found).data)
