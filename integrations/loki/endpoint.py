"""Loki's push."""

from intake.requests import IntakeError, IntakeRequest, IntakeResponse
from logs.endpoints.senders import TEXT, LogEndpoint
from logs.lines import Parsed


class LokiEndpoint(LogEndpoint):
    """Loki's push. Its agents try again after 429 and 5xx; what else they are told goes to their own log."""

    paths = (r"loki/api/v1/push/?",)
    format = "loki"

    def response(self, request: IntakeRequest, parsed: Parsed) -> IntakeResponse:
        return IntakeResponse(204, media_type=TEXT)

    def refuse(self, error: IntakeError) -> IntakeResponse:
        return IntakeResponse(error.status, f"{error.message}\n".encode(), super().refuse(error).headers, TEXT)


ENDPOINTS = (LokiEndpoint(),)
