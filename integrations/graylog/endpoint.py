"""GELF over HTTP."""

from intake.operations import Operation
from intake.requests import IntakeRequest, IntakeResponse
from logs.endpoints.senders import LogEndpoint
from logs.lines import Parsed

EXAMPLE = {"version": "1.1", "host": "web-1", "short_message": "Payment refused", "level": 3}


class GelfEndpoint(LogEndpoint):
    """GELF has no place for a key: Basic, a header, or `?key=`."""

    operations = (Operation("POST", "/gelf", "Send a log message (GELF)", 202, EXAMPLE),)
    format = "gelf"

    def key(self, request: IntakeRequest) -> str:
        return super().key(request) or request.parameter("key")

    def response(self, request: IntakeRequest, parsed: Parsed) -> IntakeResponse:
        return IntakeResponse(202)


ENDPOINTS = (GelfEndpoint(),)
