"""Alertmanager's API at `/api/v2/alerts`, for a Prometheus.

Source: https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml
"""

from alerts.services.processing import parse
from intake.endpoints import Endpoint, basic_pair, bearer
from intake.models import Source
from intake.operations import BEARER, Operation
from intake.requests import IntakeError, IntakeRequest, IntakeResponse
from intake.results import IntakeResult
from intake.services.queue import event_of, store_events

EXAMPLE = [{"labels": {"alertname": "DiskFull", "severity": "critical"}}]


class AlertmanagerApiEndpoint(Endpoint):
    """Key as bearer token or Basic password."""

    operations = (Operation("POST", "/api/v2/alerts", "Send alerts (Alertmanager)", 200, EXAMPLE),)
    scheme = BEARER
    challenge = 'Bearer, Basic realm="alerts"'
    kinds = ("prometheus", "alertmanager")

    def key(self, request: IntakeRequest) -> str:
        return bearer(request, "bearer") or basic_pair(request)[1]

    def ingest(self, request: IntakeRequest, source: Source | None) -> IntakeResult | IntakeResponse:
        assert source is not None  # noqa: S101 (`source()` raises otherwise)
        parse(source, request, format="prometheus")
        return IntakeResult([event_of(request, source, format="prometheus")], IntakeResponse(200), store_events, source)

    def refuse(self, error: IntakeError) -> IntakeResponse:
        response = super().refuse(error)
        return IntakeResponse.json(error.status, error.message, **response.headers)


ENDPOINTS = (AlertmanagerApiEndpoint(),)
