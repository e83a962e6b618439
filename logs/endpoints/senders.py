"""Shared parts of log endpoints."""

from typing import ClassVar

from django.http import HttpRequest
from django.utils import timezone
from rest_framework.exceptions import APIException
from rest_framework.request import Request

from intake.endpoints import Endpoint, basic_pair, bearer
from intake.models import Source
from intake.operations import BEARER, KeyScheme
from intake.requests import IntakeError, IntakeRequest, IntakeResponse
from intake.results import IntakeResult
from intake.services.queue import event_of
from intake.vocabulary import LOGS, IntakeState
from logs.formats import formats
from logs.lines import Parsed
from logs.services.intake import Delivery, store_lines
from logs.services.storing import normalise
from users.authentication import PersonalTokenAuthentication, SessionJWTAuthentication
from users.models import User

TEXT = "text/plain; charset=utf-8"
LINE_BYTES = 100  # a short line's stored size, in bytes of a body


class LogEndpoint(Endpoint):
    """Key of a `logs` source: bearer, Basic password or `X-API-Key`."""

    scheme: ClassVar[KeyScheme | None] = BEARER
    has_key_in_path = False
    kinds = (LOGS,)
    challenge = 'Bearer, Basic realm="logs"'
    schemes: ClassVar[tuple[str, ...]] = ("bearer",)

    def key(self, request: IntakeRequest) -> str:
        return bearer(request, *self.schemes) or password(request) or request.headers.get("x-api-key", "")

    def accepts_others(self, request: IntakeRequest) -> bool:
        """Return False: alerts and log lines do not mix."""
        return False

    def wrong_kind(self, source: Source) -> str:
        return f"The key belongs to {source.name}, which sends alerts; log lines need a source of kind logs."

    def ingest(self, request: IntakeRequest, source: Source | None) -> IntakeResult | IntakeResponse:
        parsed = formats()[self.format].parse(request)
        if not parsed.lines and parsed.rejected:
            self.refuse_all(parsed)
        response = self.response(request, parsed)
        if not parsed.lines:
            return response
        failed = None
        if parsed.rejected and source is not None:
            # not for a replay: its good lines are stored
            failed = event_of(request, source, format=self.format, state=IntakeState.IGNORED, reason=parsed.summary)
        ready = normalise(parsed.lines, source, timezone.now())
        return IntakeResult(
            [Delivery(ready, failed)], response, store_lines, source, weight=LINE_BYTES * len(ready.lines)
        )

    def refuse_all(self, parsed: Parsed) -> None:
        """Raise IntakeError for a request without a line."""
        raise IntakeError(" ".join(parsed.reasons))

    def response(self, request: IntakeRequest, parsed: Parsed) -> IntakeResponse:
        """Return the response once lines are committed."""
        raise NotImplementedError


def password(request: IntakeRequest) -> str:
    """Return the Basic password, else the name, else ""."""
    name, secret = basic_pair(request)
    return secret or name


def caller(request: IntakeRequest) -> User | None:
    """Return the token's person; None without one. Raises IntakeError (401, 403)."""
    asked = HttpRequest()
    asked.method, asked.META["HTTP_AUTHORIZATION"] = "POST", request.headers.get("authorization", "")
    try:
        for method in (SessionJWTAuthentication(), PersonalTokenAuthentication()):
            if found := method.authenticate(Request(asked)):
                return found[0]
    except APIException as error:
        raise IntakeError(str(error.detail), status=error.status_code, is_stored=False) from error
    return None
