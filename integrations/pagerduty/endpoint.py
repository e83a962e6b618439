"""`/v2/enqueue` and `/v2/change/enqueue`: PagerDuty's Events API v2, for whatever can be told another address.

Source: https://developer.pagerduty.com/docs/events-api-v2-overview. Senders try 429 and 5xx again and give up on 400,
which is also what a wrong key gets there.
"""

from typing import Any

from django.utils import timezone

from alerts.reading.values import json_object, text
from alerts.services.changes import store_changes
from core.api.times import LEEWAY
from intake.endpoints import Endpoint, WrongKind
from intake.models import Source
from intake.operations import Operation
from intake.requests import IntakeError, IntakeRequest, IntakeResponse
from intake.results import IntakeResult
from intake.services.queue import event_of, store_events
from intake.serving import failed
from integrations.pagerduty.payload import change_of, errors_of, errors_of_change, with_dedup_key

HEADER = "x-routing-key"  # PagerDuty's own Python client sends it besides or instead of the body's
EVENT = {
    "routing_key": "the source's key",
    "event_action": "trigger",
    "dedup_key": "db-3/disk",
    "payload": {"summary": "Disk almost full", "source": "db-3", "severity": "error"},
}
CHANGE = {"routing_key": "the source's key", "payload": {"summary": "Release 4.2", "source": "checkout"}}
STATUSES = {429: "throttle exceeded", 503: "internal error"}


class InvalidEventError(IntakeError):
    """An event that PagerDuty, too, would refuse; `errors` says in its words why."""

    def __init__(self, *errors: str) -> None:
        super().__init__(f"Event object is invalid: {'; '.join(errors)}.")
        self.errors = errors


class _RoutedEndpoint(Endpoint):
    """The key is the body's `routing_key`."""

    kinds = ("pagerduty",)

    def is_key_in_body(self, request: IntakeRequest) -> bool:
        return not request.headers.get(HEADER, "").strip()

    def key(self, request: IntakeRequest) -> str:
        return request.headers.get(HEADER, "").strip() or text(json_object(request.unpacked).get("routing_key"))

    def source(self, request: IntakeRequest) -> Source | None:
        try:
            return super().source(request)
        except WrongKind as error:
            raise InvalidEventError(f"Invalid routing key. {error.message}") from error
        except IntakeError as error:
            if error.status == 401:
                raise InvalidEventError("'routing_key' is missing or blank") from error
            if error.status == 403:
                raise InvalidEventError("Invalid routing key") from error
            raise

    def refuse(self, error: IntakeError) -> IntakeResponse:
        response = super().refuse(error)
        said = {
            "status": STATUSES.get(error.status, "invalid event"),
            "message": error.message if error.status in STATUSES else "Event object is invalid",
            "errors": list(getattr(error, "errors", [error.message])),
        }
        return IntakeResponse.json(error.status, said, **response.headers)


class PagerDutyEndpoint(_RoutedEndpoint):
    """Events: trigger, acknowledge, resolve."""

    operations = (Operation("POST", "/v2/enqueue", "Send an event (PagerDuty)", 202, EVENT),)

    def ingest(self, request: IntakeRequest, source: Source | None) -> IntakeResult | IntakeResponse:
        body, key = with_dedup_key(json_object(request))
        kept = _without_key(request, body)
        if errors := errors_of(body):
            return failed(self, kept, source, InvalidEventError(*errors))
        response = IntakeResponse.json(202, {"status": "success", "message": "Event processed", "dedup_key": key})
        return IntakeResult([event_of(kept, source, format="pagerduty")], response, store_events, source)


class PagerDutyChangeEndpoint(_RoutedEndpoint):
    """Change events: what was deployed, switched or configured."""

    operations = (Operation("POST", "/v2/change/enqueue", "Send a change event (PagerDuty)", 202, CHANGE),)

    def ingest(self, request: IntakeRequest, source: Source | None) -> IntakeResult | IntakeResponse:
        body = json_object(request)
        if errors := errors_of_change(body):
            return failed(self, _without_key(request, body), source, InvalidEventError(*errors))
        change, now = change_of(body), timezone.now()
        if change.occurred_at is not None and change.occurred_at > now + LEEWAY:
            error = InvalidEventError("'payload.timestamp' lies in the future")
            return failed(self, _without_key(request, body), source, error)
        response = IntakeResponse.json(202, {"status": "success", "message": "Change event processed"})
        return IntakeResult([change], response, store_changes, source)


def _without_key(request: IntakeRequest, body: dict[str, Any]) -> IntakeRequest:
    return request.with_json({name: value for name, value in body.items() if name != "routing_key"})


ENDPOINTS = (PagerDutyEndpoint(), PagerDutyChangeEndpoint())
