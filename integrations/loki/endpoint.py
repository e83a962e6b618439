"""Loki's push."""

from intake.operations import Operation
from intake.requests import IntakeError, IntakeRequest, IntakeResponse
from logs.endpoints.senders import TEXT, LogEndpoint
from logs.lines import Parsed

EXAMPLE = {"streams": [{"stream": {"service": "checkout"}, "values": [["1700000000000000000", "Payment refused"]]}]}


class LokiEndpoint(LogEndpoint):
    """Loki's push. Its agents try again after 429 and 5xx; the rest goes to their own log."""

    operations = (Operation("POST", "/loki/api/v1/push", "Push log lines (Loki)", 204, EXAMPLE),)
    format = "loki"

    def response(self, request: IntakeRequest, parsed: Parsed) -> IntakeResponse:
        return IntakeResponse(204, media_type=TEXT)

    def refuse(self, error: IntakeError) -> IntakeResponse:
        return IntakeResponse(error.status, f"{error.message}\n".encode(), super().refuse(error).headers, TEXT)


ENDPOINTS = (LokiEndpoint(),)
