"""OTLP over HTTP."""

from collections.abc import Iterator
from contextlib import contextmanager

from intake.models import Source
from intake.requests import IntakeError, IntakeRequest, IntakeResponse
from intake.results import IntakeResult
from integrations.opentelemetry import log_payload as otlp
from logs.endpoints.senders import LogEndpoint
from logs.lines import Parsed

PROTOBUF = "application/x-protobuf"


class OtlpEndpoint(LogEndpoint):
    """OTLP over HTTP. Exporters try again after 429, 502, 503 and 504 and drop the batch after anything else."""

    paths = (r"v1/logs/?",)
    format = "otlp"

    def source(self, incoming: IntakeRequest) -> Source | None:
        with _remembering(incoming):
            return super().source(incoming)

    def take(self, incoming: IntakeRequest, source: Source | None) -> IntakeResult | IntakeResponse:
        with _remembering(incoming):
            return super().take(incoming, source)

    def refuse_all(self, parsed: Parsed) -> None:
        """Nothing: OTLP answers even this with 200 and a count."""

    def reply(self, incoming: IntakeRequest, parsed: Parsed) -> IntakeResponse:
        as_json = otlp.is_json(incoming)
        body = otlp.response(parsed, as_json=as_json)
        return IntakeResponse(200, body) if as_json else IntakeResponse(200, body, media_type=PROTOBUF)

    def refuse(self, error: IntakeError) -> IntakeResponse:
        reply = super().refuse(error)
        as_json = getattr(error, "as_json", True)
        body = otlp.status(error.status, error.message, as_json=as_json)
        return IntakeResponse(error.status, body, reply.headers, "application/json" if as_json else PROTOBUF)


@contextmanager
def _remembering(incoming: IntakeRequest) -> Iterator[None]:
    """A refusal is to be written as the request was."""
    try:
        yield
    except IntakeError as error:
        error.as_json = otlp.is_json(incoming)  # type: ignore[attr-defined]
        raise


ENDPOINTS = (OtlpEndpoint(),)
