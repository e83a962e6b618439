"""`/system/info`, and what `/health` tells of the incidents."""

from typing import Any

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from core.server.health import SystemInfoView
from incident_response.legacy.base import Legacy


class SystemView(Legacy, SystemInfoView):
    """`/system/info`."""

    page = "console:system"

    def get(self, request: Request) -> Response:
        data: dict[str, Any] = super().get(request).data
        return Response({**data, "python_version": data["python"], "timestamp": timezone.now()})
