"""`POST /api/v1/logs/`, beside the list's GET."""

from core.api.problems import CREDENTIALS, SIGN_IN
from intake.endpoints import bearer
from intake.models import Source
from intake.requests import IntakeError, IntakeRequest, IntakeResponse
from logs.endpoints.senders import LogEndpoint, caller
from logs.lines import Parsed


class OwnEndpoint(LogEndpoint):
    """Also accepts tokens of responders and administrators."""

    more_paths, more_methods = ("/api/v1/logs/",), ("POST",)  # described with the list
    format = "own"
    has_route = False  # shared with the list
    challenge, asks_for = CREDENTIALS, f"{LogEndpoint.asks_for} {SIGN_IN}"

    def source(self, request: IntakeRequest) -> Source | None:
        if not is_persons(request):
            return super().source(request)
        person = caller(request)
        if person is None:
            raise IntakeError(f"The request has no key. {self.asks_for}", status=401)
        if not (person.is_responder or person.is_admin):
            raise IntakeError("Only responders and administrators can send log lines.", status=403, is_stored=False)
        return None

    def response(self, request: IntakeRequest, parsed: Parsed) -> IntakeResponse:
        answer = {"accepted": len(parsed.lines), "rejected": parsed.rejected}
        return IntakeResponse.json(202, {**answer, "errors": parsed.reasons} if parsed.rejected else answer)


def is_persons(request: IntakeRequest) -> bool:
    """Return whether a person's token is sent: JWTs have dots."""
    return bool(bearer(request, "token")) or "." in bearer(request, "bearer")


OWN = OwnEndpoint()
