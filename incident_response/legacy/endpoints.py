"""`POST /logs`, received as other senders' lines are."""

from dataclasses import replace

from intake.endpoints import bearer
from intake.models import Source
from intake.requests import IntakeRequest
from logs.endpoints.own import OwnEndpoint
from users.tokens import PERSONAL_PREFIX


class LegacyLogs(OwnEndpoint):
    """Our own endpoint, which takes personal tokens as bearer too."""

    more_paths = ("/logs",)

    def source(self, request: IntakeRequest) -> Source | None:
        return super().source(_with_token(request))


def _with_token(request: IntakeRequest) -> IntakeRequest:
    """Return the request with a personal token under its own scheme: a bearer's is taken for a source's key."""
    token = bearer(request, "bearer")
    if not token.startswith(PERSONAL_PREFIX):
        return request
    return replace(request, headers={**request.headers, "authorization": f"Token {token}"})


LEGACY_LOGS = LegacyLogs()
