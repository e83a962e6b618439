"""OTLP over HTTP."""

from collections.abc import Iterator
from contextlib import contextmanager

from intake.models import Source
from intake.operations import Operation
from intake.requests import IntakeError, IntakeRequest, IntakeResponse
from intake.results import IntakeResult
from integrations.opentelemetry import log_payload as otlp
from logs.endpoints.senders import LogEndpoint
from logs.lines import Parsed

PROTOBUF = "application/x-protobuf"


class OtlpEndpoint(LogEndpoint):
    """OTLP over HTTP. Exporters try again after 429, 502, 503 and 504 and drop the batch after anything else."""

    operations = (Operation("POST", "/v1/logs", "Send log records (OTLP)", 200, media_type=PROTOBUF),)
    format = "otlp"

    def source(self, request: IntakeRequest) -> Source | None:
        with _remembering(request):
            return super().source(request)

    def ingest(self, request: IntakeRequest, source: Source | None) -> IntakeResult | IntakeResponse:
        with _remembering(request):
            return super().ingest(request, source)

    def refuse_all(self, parsed: Parsed) -> None:
        """Refuse nothing: OTLP answers even this with 200 and a count."""

    def response(self, request: IntakeRequest, parsed: Parsed) -> IntakeResponse:
        as_json = otlp.is_json(request)
        body = otlp.response(parsed, as_json=as_json)
        return IntakeResponse(200, body) if as_json else IntakeResponse(200, body, media_type=PROTOBUF)

    def refuse(self, error: IntakeError) -> IntakeResponse:
        response = super().refuse(error)
        as_json = getattr(error, "as_json", True)
        body = otlp.status(error.status, error.message, as_json=as_json)
        return IntakeResponse(error.status, body, response.headers, "application/json" if as_json else PROTOBUF)


@contextmanager
def _remembering(request: IntakeRequest) -> Iterator[None]:
    try:
        yield
    except IntakeError as error:
        error.as_json = otlp.is_json(request)  # type: ignore[attr-defined]
        raise


ENDPOINTS = (OtlpEndpoint(),)
