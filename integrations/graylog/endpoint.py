"""GELF over HTTP."""

from intake.requests import IntakeRequest, IntakeResponse
from logs.endpoints.senders import LogEndpoint
from logs.lines import Parsed


class GelfEndpoint(LogEndpoint):
    """GELF over HTTP. It has no place for a key: Basic, a header, or `?key=`."""

    paths = (r"gelf/?",)
    format = "gelf"

    def key(self, request: IntakeRequest) -> str:
        return super().key(request) or request.parameter("key")

    def response(self, request: IntakeRequest, parsed: Parsed) -> IntakeResponse:
        return IntakeResponse(202)


ENDPOINTS = (GelfEndpoint(),)
