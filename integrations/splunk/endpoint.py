"""Splunk's HTTP event collector."""

from typing import ClassVar, NoReturn

from intake.endpoints import WrongKind
from intake.models import Source
from intake.operations import Operation
from intake.requests import IntakeError, IntakeRequest, IntakeResponse
from intake.results import IntakeResult
from integrations.splunk import log_payload as hec
from logs.endpoints.senders import TEXT, LogEndpoint
from logs.lines import Parsed

COLLECTOR = "/services/collector"
EXAMPLE = {"event": {"message": "Payment refused", "level": "error"}, "host": "web-1", "sourcetype": "checkout"}
_BUSY = 9


class HecEndpoint(LogEndpoint):
    """Splunk's collector, with its numbers. The token may also stand in the query (`?token=`), as there."""

    operations = (Operation("POST", f"{COLLECTOR}/event", "Send log events (Splunk HEC)", 200, EXAMPLE),)
    more_paths = tuple(f"{COLLECTOR}{rest}" for rest in ("", "/event/1.0", "/raw", "/raw/1.0"))
    format = "hec"
    challenge = "Splunk"
    schemes = ("splunk", "bearer")

    def key(self, request: IntakeRequest) -> str:
        return super().key(request) or request.parameter("token")

    def source(self, request: IntakeRequest) -> Source | None:
        if not self.key(request):
            if request.headers.get("authorization"):
                raise _hec_error("Invalid authorization", 3, 401)
            raise _hec_error("Token is required", 2, 401)
        try:
            return super().source(request)
        except WrongKind as error:
            raise _hec_error(error.message, 7, 403) from error  # Splunk's number for an index that is not the token's
        except IntakeError as error:
            raise _hec_error("Invalid token", 4, 403) from error

    def refuse_all(self, parsed: Parsed) -> NoReturn:
        reason = " ".join(parsed.reasons)
        if "has no event" in reason:
            raise hec.HecError("Event field is required", hec.EVENT_MISSING)
        if "is blank" in reason:
            raise hec.HecError("Event field cannot be blank", hec.EVENT_BLANK)
        raise hec.HecError(f"Invalid data format: {reason}", hec.INVALID)

    def response(self, request: IntakeRequest, parsed: Parsed) -> IntakeResponse:
        answer: dict[str, object] = {"text": "Success", "code": 0}
        if parsed.rejected:
            answer |= {"accepted": len(parsed.lines), "rejected": parsed.rejected, "errors": parsed.reasons}
        return IntakeResponse.json(200, answer)

    def refuse(self, error: IntakeError) -> IntakeResponse:
        code = getattr(error, "code", _BUSY if error.status in (429, 503) else hec.INVALID)
        return IntakeResponse.json(error.status, {"text": error.message, "code": code}, **super().refuse(error).headers)


def _hec_error(message: str, code: int, status: int) -> IntakeError:
    error = IntakeError(message, status=status, is_stored=False)
    error.code = code  # type: ignore[attr-defined]
    return error


class HecHealthEndpoint(LogEndpoint):
    """Whether the collector takes events; asked without a token."""

    operations: ClassVar = (Operation("GET", f"{COLLECTOR}/health", "Check collector health (Splunk HEC)", 200),)
    more_paths: ClassVar[tuple[str, ...]] = (f"{COLLECTOR}/health/1.0",)
    more_methods: ClassVar[tuple[str, ...]] = ("HEAD", "POST")
    scheme = None

    def is_key_in_body(self, request: IntakeRequest) -> bool:
        return True  # there is none

    def source(self, request: IntakeRequest) -> Source | None:
        return None

    def ingest(self, request: IntakeRequest, source: Source | None) -> IntakeResult | IntakeResponse:
        return IntakeResponse.json(200, {"text": "HEC is healthy", "code": 17})


class HecProbeEndpoint(HecHealthEndpoint):
    """Docker's Splunk driver asks OPTIONS of its path, without a token, and does not start without 200."""

    operations = (Operation("OPTIONS", f"{COLLECTOR}/event", "Probe the collector (Splunk HEC)", 200),)
    more_paths = (COLLECTOR, f"{COLLECTOR}/{{rest:path}}")
    more_methods = ()
    has_route = False  # it shares its paths with those that take events

    def ingest(self, request: IntakeRequest, source: Source | None) -> IntakeResult | IntakeResponse:
        return IntakeResponse(200, headers={"Allow": "OPTIONS, POST"}, media_type=TEXT)


ENDPOINTS = (HecEndpoint(), HecHealthEndpoint(), HecProbeEndpoint())
