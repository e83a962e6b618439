"""Log lines over HTTP; our own endpoint stores them."""

from typing import Any

from django.http import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.permissions import IsResponder
from core.api.schema import paged
from core.errors import NotFound
from intake.http import request_from, response_from
from intake.serving import serve
from logs.endpoints.own import OWN
from logs.filters import LINES
from logs.models import LogEntry
from logs.serializers import COLUMNS, AcceptedLinesSerializer, LogEntrySerializer, NewLineSerializer, represent


class LogEntriesView(APIView):
    """Log lines."""

    permission_classes = [IsResponder]
    schema_errors = {"409": None, "413": "The request holds more lines than allowed."}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Skip authentication by a source's key: the endpoint does it."""
        if request.method != "POST":
            super().initial(request, *args, **kwargs)

    @extend_schema(
        operation_id="logs_list",
        summary=_("List log lines, newest first"),
        parameters=LINES.parameters,
        responses=paged(LogEntrySerializer),
    )
    def get(self, request: Request) -> Response:
        """Lines that match all filters, the newest first. For responders and administrators."""
        return LINES.page(request, LogEntry.objects.all, asker=None).respond(represent)

    @extend_schema(
        operation_id="logs_create",
        summary=_("Send log lines"),
        request={
            "application/json": NewLineSerializer(many=True),
            "application/x-ndjson": NewLineSerializer,
        },
        responses={202: AcceptedLinesSerializer},
    )
    def post(self, request: Request) -> HttpResponseBase:
        """Send one line, an array, or one per line (NDJSON), with the key of a source of kind `logs` as bearer token,
        or as a responder. Invalid lines are counted, the others stored."""
        return response_from(serve(OWN, request_from(request._request)), request._request)


class LogEntryView(APIView):
    """A log line."""

    permission_classes = [IsResponder]

    @extend_schema(operation_id="logs_retrieve", summary=_("Get a log line"), responses=LogEntrySerializer)
    def get(self, request: Request, id: int) -> Response:
        row = LogEntry.objects.filter(pk=id).values(*COLUMNS).order_by().first() if id < 2**63 else None
        if row is None:
            raise NotFound(f"Log line {id} does not exist; it may have expired.")
        return Response(represent(row))
