"""`/system/info` and `/metrics`."""

from typing import Any

from django.http.response import HttpResponse, HttpResponseBase
from django.utils import timezone
from django.views.decorators.cache import never_cache
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.permissions import IsAdmin
from core.server import metrics
from core.server.health import SystemInfoView
from incident_response.legacy.base import Legacy


class SystemView(Legacy, SystemInfoView):
    """`/system/info`."""

    page = "console:system"

    def get(self, request: Request) -> Response:
        data: dict[str, Any] = super().get(request).data
        return Response({**data, "python_version": data["python"], "timestamp": timezone.now()})


class MetricsView(Legacy, APIView):
    """`/metrics`, which administrators' tokens read too."""

    permission_classes = [IsAdmin]

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if metrics.is_scraper(request):
            return metrics.metrics(request)
        return never_cache(super().dispatch)(request, *args, **kwargs)

    def get(self, request: Request) -> HttpResponse:
        return metrics.exposition()
