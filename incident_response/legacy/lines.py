"""`/logs`, `/alerts` and `/simulate-incident`."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponseBase, QueryDict
from rest_framework.request import Request
from rest_framework.response import Response

from alerts.views.alerts import AlertListView
from incident_response.legacy import words
from incident_response.legacy.answers import page_answer
from incident_response.legacy.base import Legacy, rename_limit, replace_data
from incident_response.legacy.endpoints import LEGACY_LOGS
from intake.http import request_from, response_from
from intake.serving import serve
from logs.views.entries import LogEntriesView
from logs.views.rules import SimulateIncidentView


class LogsView(Legacy, LogEntriesView):
    """`/logs`."""

    page = "console:logs"

    def get(self, request: Request) -> Response:
        rename_limit(request)
        response = super().get(request)
        rows = [{**row, "level": words.shown(row["level"])} for row in response.data["results"]]
        return Response(page_answer("logs", response.data, rows))

    def post(self, request: Request) -> HttpResponseBase:
        return response_from(serve(LEGACY_LOGS, request_from(request._request)), request._request)


class AlertsView(Legacy, AlertListView):
    """`/alerts`."""

    page = "console:alerts"

    def get(self, request: Request) -> Response:
        rename_limit(request)
        response = super().get(request)
        capitals = ("severity", "status")
        rows = [row | {name: words.shown(row[name]) for name in capitals} for row in response.data["results"]]
        return Response(page_answer("alerts", response.data, rows))


class SimulateView(Legacy, SimulateIncidentView):
    """`/simulate-incident`."""

    def post(self, request: Request) -> Response:
        data: Any = request.data
        if isinstance(data, Mapping) and isinstance(data.get("severity"), str):
            data = data.dict() if isinstance(data, QueryDict) else data
            replace_data(request, {**data, "severity": words.severity_of(data["severity"])})
        response = super().post(request)
        said = "Simulated lines are stored; the worker opens the incident within moments."
        response.data = {"status": "success", "message": said, **response.data}
        return response
