import datetime as dt

from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.permissions import IsResponder
from core.api.problems import refuse_unknown_parameters
from logs.filters import LINES, selection
from logs.models import LogEntry
from logs.serializers.rules import TemplatesSerializer
from logs.templates import templates_of

MAX_LINES = 20_000
MAX_TEMPLATES = 500
OFFERED = ("service", "since", "until", "level", "level_min")


class LogTemplatesView(APIView):
    """The templates of the newest lines."""

    permission_classes = [IsResponder]

    @extend_schema(
        operation_id="logs_templates",
        summary=_("Group the newest log lines by template"),
        parameters=[OpenApiParameter(name, OpenApiTypes.STR, description=LINES.filters[name].help) for name in OFFERED],
        responses=TemplatesSerializer,
    )
    def get(self, request: Request) -> Response:
        """The 500 most frequent templates among at most 20,000 lines. For responders and administrators."""
        refuse_unknown_parameters(request, set(OFFERED))
        messages, is_complete = newest(request)
        found = templates_of(messages)[:MAX_TEMPLATES]
        shown = [{"template": one.text, "count": one.count, "sample": one.sample} for one in found]
        return Response({"lines": len(messages), "is_complete": is_complete, "templates": shown})


def newest(request: Request) -> tuple[list[str], bool]:
    """Return the newest messages, oldest first; and whether all."""
    selected = selection(LogEntry.objects.all(), request.query_params.dict())
    rows: list[tuple[dt.datetime, int, str]] = []
    for branch in selected.branches:
        found = selected.rows.filter(branch).order_by("-timestamp", "-id")
        rows += found.values_list("timestamp", "id", "message")[: MAX_LINES + 1]
    rows.sort()
    return [message for _timestamp, _id, message in rows[-MAX_LINES:]], len(rows) <= MAX_LINES
