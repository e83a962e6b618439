"""`/intake/{key}/` for every kind, and heartbeats."""

from typing import Any, ClassVar

from alerts.endpoints.named import heartbeat_name, ping
from alerts.endpoints.signals import endings_of, ping_of
from alerts.reading.values import text
from alerts.services.heartbeats import has_heartbeat
from alerts.services.processing import parse
from alerts.updates import Leftover
from intake.endpoints import Endpoint
from intake.models import Source
from intake.operations import Operation
from intake.readers import payload_readers
from intake.requests import IntakeError, IntakeRequest, IntakeResponse
from intake.results import IntakeResult
from intake.services.queue import delivery_key, event_of, store_events

HEARTBEAT = "/intake/{key}/heartbeat/"
NAMED = "/intake/{key}/heartbeat/{name:path}/"
ALERT = {"title": "Disk almost full", "severity": "high", "key": "db-3/disk", "status": "firing"}


class IntakeEndpoint(Endpoint):
    """One address for every kind, with the key in the path."""

    operations: ClassVar = (Operation("POST", "/intake/{key}/", "Send alerts", 202, ALERT),)
    more_methods = ("GET", "PUT")

    def key(self, request: IntakeRequest) -> str:
        return self.path_parameter(request, "key")

    def is_slow(self, source: Source | None) -> bool:
        return source is not None and getattr(payload_readers().get(source.kind), "IS_SLOW", False)

    def checks_signature(self, source: Source) -> bool:
        return hasattr(payload_readers().get(source.kind), "verify")

    def ingest(self, request: IntakeRequest, source: Source | None) -> IntakeResult | IntakeResponse:
        assert source is not None  # noqa: S101 (`source()` raises otherwise)
        reader: Any = payload_readers().get(source.kind)
        if reader is None:
            raise IntakeError(f"A source of kind {source.kind} has its own endpoints; see its page in the docs.")
        if verify := getattr(reader, "verify", None):
            verify(request, source.signing_secret)
        if (greet := getattr(reader, "greet", None)) and greet(request):
            return accepted(0)
        updates = parse(source, request)
        number = reader.delivery_id(request) if hasattr(reader, "delivery_id") else ""
        event = event_of(request, source, delivery_key=delivery_key(source, number) if number else None)
        return IntakeResult([event], accepted(len(updates), getattr(updates, "leftover", None)), store_events, source)


class HeartbeatEndpoint(Endpoint):
    """The source itself: alive, or `/fail` and the like."""

    operations: ClassVar = (
        Operation("GET", HEARTBEAT, "Ping a source's heartbeat", 204),
        Operation("POST", HEARTBEAT, "Ping a source's heartbeat (POST)", 204),
    )
    more_methods = ("HEAD", "PUT")
    key = IntakeEndpoint.key

    def ingest(self, request: IntakeRequest, source: Source | None) -> IntakeResult | IntakeResponse:
        assert source is not None  # noqa: S101 (`source()` raises otherwise)
        return ping(source, ping_of("", "", request), IntakeResponse(204))


class NamedHeartbeatEndpoint(HeartbeatEndpoint):
    """One of a source's jobs, with its outcome."""

    operations = (
        Operation("GET", NAMED, "Ping a named heartbeat", 204),
        Operation("POST", NAMED, "Ping a named heartbeat (POST)", 204),
        Operation("GET", f"{NAMED}fail/", "Report a failed job", 204),
        Operation("POST", f"{NAMED}fail/", "Report a failed job (POST)", 204),
    )

    def ingest(self, request: IntakeRequest, source: Source | None) -> IntakeResult | IntakeResponse:
        assert source is not None  # noqa: S101 (`source()` raises otherwise)
        path = self.path_parameter(request, "name")
        if path.startswith("/"):
            raise IntakeError("A heartbeat's name must follow a single slash.", status=404)
        name, ending = endings_of(path)
        if ending and ending != "fail" and has_heartbeat(source, text(path)):
            name, ending = path, ""  # it was given this name
        return ping(source, ping_of(heartbeat_name(name) if name else "", ending, request), IntakeResponse(204))


def accepted(alerts: int, leftover: Leftover | None = None) -> IntakeResponse:
    """Return 202, naming unreadable items."""
    left = [{"item": number, "detail": why} for number, why in leftover.reasons] if leftover else []
    return IntakeResponse.json(202, {"accepted": True, "alerts": alerts, **({"unread": left} if left else {})})


ENDPOINTS = (IntakeEndpoint(), HeartbeatEndpoint(), NamedHeartbeatEndpoint())
