"""The addresses that collectors know: OpenTelemetry's, Loki's, Splunk's and Graylog's."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar, NoReturn

from alerts.incoming import Incoming, IntakeError, Reply
from alerts.intake.doors import WrongKind
from alerts.models import Source
from alerts.taken import Taken
from logs.doors.senders import LogDoor
from logs.formats import hec, otlp
from logs.lines import Parsed

PROTOBUF = "application/x-protobuf"
TEXT = "text/plain; charset=utf-8"


class OtlpDoor(LogDoor):
    """OTLP over HTTP. Exporters try again after 429, 502, 503 and 504 and drop the batch after anything else."""

    paths = (r"v1/logs/?",)
    format = "otlp"

    def source(self, incoming: Incoming) -> Source | None:
        with _remembering(incoming):
            return super().source(incoming)

    def take(self, incoming: Incoming, source: Source | None) -> Taken | Reply:
        with _remembering(incoming):
            return super().take(incoming, source)

    def refuse_all(self, parsed: Parsed) -> None:
        """Nothing: OTLP answers even this with 200 and a count."""

    def reply(self, incoming: Incoming, parsed: Parsed) -> Reply:
        as_json = otlp.is_json(incoming)
        body = otlp.response(parsed, as_json=as_json)
        return Reply(200, body) if as_json else Reply(200, body, media_type=PROTOBUF)

    def refuse(self, error: IntakeError) -> Reply:
        reply = super().refuse(error)
        as_json = getattr(error, "as_json", True)
        body = otlp.status(error.status, error.message, as_json=as_json)
        return Reply(error.status, body, reply.headers, "application/json" if as_json else PROTOBUF)


@contextmanager
def _remembering(incoming: Incoming) -> Iterator[None]:
    """A refusal is to be written as the request was."""
    try:
        yield
    except IntakeError as error:
        error.as_json = otlp.is_json(incoming)  # type: ignore[attr-defined]
        raise


class LokiDoor(LogDoor):
    """Loki's push. Its agents try again after 429 and 5xx; what else they are told goes to their own log."""

    paths = (r"loki/api/v1/push/?",)
    format = "loki"

    def reply(self, incoming: Incoming, parsed: Parsed) -> Reply:
        return Reply(204, media_type=TEXT)

    def refuse(self, error: IntakeError) -> Reply:
        return Reply(error.status, f"{error.message}\n".encode(), super().refuse(error).headers, TEXT)


class HecDoor(LogDoor):
    """Splunk's collector, with its numbers. The token may also stand in the query (`?token=`), as there."""

    paths = tuple(f"services/collector{rest}/?" for rest in ("", "/event", "/event/1.0", "/raw", "/raw/1.0"))
    format = "hec"
    challenge = "Splunk"

    def key(self, incoming: Incoming) -> str:
        return super().key(incoming) or incoming.parameter("token")

    def source(self, incoming: Incoming) -> Source | None:
        if not self.key(incoming):
            if incoming.headers.get("authorization"):
                raise _hec_error("Invalid authorization", 3, 401)
            raise _hec_error("Token is required", 2, 401)
        try:
            return super().source(incoming)
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

    def reply(self, incoming: Incoming, parsed: Parsed) -> Reply:
        answer: dict[str, object] = {"text": "Success", "code": 0}
        if parsed.rejected:
            answer |= {"accepted": len(parsed.lines), "rejected": parsed.rejected, "errors": parsed.reasons}
        return Reply.json(200, answer)

    def refuse(self, error: IntakeError) -> Reply:
        code = getattr(error, "code", _BUSY if error.status in (429, 503) else hec.INVALID)
        return Reply.json(error.status, {"text": error.message, "code": code}, **super().refuse(error).headers)


_BUSY = 9


def _hec_error(message: str, code: int, status: int) -> IntakeError:
    error = IntakeError(message, status=status, is_kept=False)
    error.code = code  # type: ignore[attr-defined]
    return error


class HecHealthDoor(LogDoor):
    """Whether the collector takes events; asked without a token."""

    paths: ClassVar[tuple[str, ...]] = (r"services/collector/health/?", r"services/collector/health/1.0/?")
    methods = frozenset({"GET", "HEAD", "POST"})

    def is_key_in_body(self, incoming: Incoming) -> bool:
        return True  # there is none

    def source(self, incoming: Incoming) -> Source | None:
        return None

    def take(self, incoming: Incoming, source: Source | None) -> Taken | Reply:
        return Reply.json(200, {"text": "HEC is healthy", "code": 17})


class HecProbeDoor(HecHealthDoor):
    """Docker's Splunk driver asks OPTIONS, without a token, of whatever path it is to send to, and does not start
    without 200."""

    paths = (r"services/collector(?:/.*)?",)
    methods = frozenset({"OPTIONS"})

    def take(self, incoming: Incoming, source: Source | None) -> Taken | Reply:
        return Reply(200, headers={"Allow": "OPTIONS, POST"}, media_type=TEXT)


class GelfDoor(LogDoor):
    """GELF over HTTP. It has no place for a key: Basic, a header, or `?key=`."""

    paths = (r"gelf/?",)
    format = "gelf"

    def key(self, incoming: Incoming) -> str:
        return super().key(incoming) or incoming.parameter("key")

    def reply(self, incoming: Incoming, parsed: Parsed) -> Reply:
        return Reply(202)
