from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.permissions import IsResponder
from core.api.problems import refuse_unknown_parameters
from notifications.serializers.readiness import ReadinessSerializer
from notifications.services.readiness import unready_people


class ReadinessView(APIView):
    """Whom a page would not reach."""

    permission_classes = [IsResponder]

    @extend_schema(
        operation_id="readiness_retrieve",
        summary=_("List people on call who cannot be reached"),
        responses=ReadinessSerializer,
    )
    def get(self, request: Request) -> Response:
        refuse_unknown_parameters(request, set())
        now = timezone.now()
        results = [
            {
                "user": {"id": one.user.pk, "name": one.user.name},
                "code": one.code,
                "reason": one.reason,
                "where": list(one.where),
                "is_warning": one.is_warning,
            }
            for one in unready_people(now)
        ]
        return Response({"at": now, "results": results})
