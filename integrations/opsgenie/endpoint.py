"""Opsgenie's API at `/v2/alerts` and `/v2/heartbeats`.

Source: https://docs.opsgenie.com/docs/alert-api and https://docs.opsgenie.com/docs/heartbeat-api. Writes get 202 and a
request id; reads see what the key's own source sent.
"""

import re
import uuid
from dataclasses import replace

from alerts.endpoints.named import ping_named
from alerts.reading.values import json_object, text
from alerts.services.processing import parse
from intake.endpoints import Endpoint, bearer
from intake.models import Source
from intake.operations import KeyScheme, Operation
from intake.requests import IntakeError, IntakeRequest, IntakeResponse
from intake.results import IntakeResult
from intake.services.queue import delivery_key, event_of, store_events
from intake.vocabulary import IntakeState
from integrations.opsgenie import responses as answers
from integrations.opsgenie.payload import ACTION, ALIAS, CREATE, with_alias

# (method, rest of the path) → action; custom actions apart
_POSTED = "acknowledge unacknowledge close notes snooze escalate assign responders teams tags details"
ACTIONS = {
    **{("POST", word): word for word in _POSTED.split()},
    **{("PUT", word): word for word in ("priority", "message", "description")},
    **{("PATCH", word): word for word in ("priority", "message", "description")},
    **{("DELETE", word): f"-{word}" for word in ("tags", "details")},
}
_ACTED = re.compile(r"(.+)/(actions/[^/]+|[a-z]+)", re.DOTALL)
GENIE_KEY = KeyScheme(
    "genieKey",
    {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "`GenieKey`, a space, and the key of a source.",
    },
)


class _GenieEndpoint(Endpoint):
    """Key after "GenieKey" in Authorization."""

    kinds = ("opsgenie",)
    scheme = GENIE_KEY
    challenge, asks_for = "GenieKey", "Send it as Authorization: GenieKey <key>."

    def accepts_others(self, request: IntakeRequest) -> bool:
        """Return whether the request writes: other kinds' keys never read."""
        return request.method != "GET"

    def key(self, request: IntakeRequest) -> str:
        return bearer(request, "geniekey")

    def refuse(self, error: IntakeError) -> IntakeResponse:
        headers = dict(super().refuse(error).headers)
        if error.status == 429:
            headers["X-RateLimit-State"] = "THROTTLED"
        return answers.refusal(error.status, error.message, **headers)


class OpsgenieAlertsEndpoint(_GenieEndpoint):
    """Create and list alerts."""

    operations = (
        Operation("POST", "/v2/alerts", "Create an alert (Opsgenie)", 202, {"message": "Disk almost full"}),
        Operation("GET", "/v2/alerts", "List alerts (Opsgenie)", 200),
    )

    def ingest(self, request: IntakeRequest, source: Source | None) -> IntakeResult | IntakeResponse:
        assert source is not None  # noqa: S101 (`source()` raises otherwise)
        if request.method == "GET":
            return answers.listed(source, request)
        given = json_object(request)
        body, alias = with_alias(given)
        stored = request if body is given else request.with_json(body)
        parse(source, stored, format="opsgenie")
        return _accepted(stored, source, CREATE, alias)


class OpsgenieRequestEndpoint(_GenieEndpoint):
    """The status of a request."""

    operations = (Operation("GET", "/v2/alerts/requests/{request_id}", "Get request status (Opsgenie)", 200),)

    def ingest(self, request: IntakeRequest, source: Source | None) -> IntakeResult | IntakeResponse:
        assert source is not None  # noqa: S101 (`source()` raises otherwise)
        return answers.outcome(source, self.path_parameter(request, "request_id"))


class OpsgenieAlertEndpoint(_GenieEndpoint):
    """An alert and actions on it; aliases may hold slashes."""

    operations = (
        Operation("GET", "/v2/alerts/{identifier:path}", "Get an alert (Opsgenie)", 200),
        Operation("DELETE", "/v2/alerts/{identifier:path}", "Delete an alert (Opsgenie)", 202),
        Operation(
            *("POST", "/v2/alerts/{identifier:path}/{action}", "Acknowledge, close or annotate an alert (Opsgenie)"),
            *(202, {"note": "On it"}),
        ),
    )
    more_methods = ("PUT", "PATCH")

    def ingest(self, request: IntakeRequest, source: Source | None) -> IntakeResult | IntakeResponse:
        assert source is not None  # noqa: S101 (`source()` raises otherwise)
        identifier, action = _asked(request.method, self.path_parameter(request, "identifier"))
        kind = request.parameter("identifierType").lower() or "id"
        if kind not in answers.IDENTIFIERS:
            raise IntakeError("identifierType must be id, alias or tiny.", status=422, is_stored=False)
        if action in ("", "delete") and request.path.endswith("/") and kind == "alias":
            # the last slash may be the alias's (an address) or a client's habit
            identifier = f"{identifier}/" if answers.find(source, kind, f"{identifier}/") else identifier
        if not action:
            return answers.alert_response(source, kind, identifier)
        alias = answers.alias_of(source, kind, identifier)
        if alias is None:
            return _accepted(request, source, action, "", state=IntakeState.IGNORED)
        parse(source, replace(request, headers={ACTION: action, ALIAS: alias}), format="opsgenie")
        return _accepted(request, source, action, alias)


class OpsgeniePingEndpoint(_GenieEndpoint):
    """A heartbeat; the first ping creates it."""

    operations = (Operation("POST", "/v2/heartbeats/{name:path}/ping", "Ping a heartbeat (Opsgenie)", 202),)
    more_methods = ("GET", "PUT", "PATCH")

    def key(self, request: IntakeRequest) -> str:
        """Return the key, also from the query."""
        return super().key(request) or request.parameter("apiKey")

    def accepts_others(self, request: IntakeRequest) -> bool:
        """Return True: a ping by GET writes."""
        return True

    def ingest(self, request: IntakeRequest, source: Source | None) -> IntakeResult | IntakeResponse:
        assert source is not None  # noqa: S101 (`source()` raises otherwise)
        return ping_named(source, self.path_parameter(request, "name"), answers.accepted("PONG - Heartbeat received"))


class OpsgenieHeartbeatEndpoint(_GenieEndpoint):
    """A heartbeat's state."""

    operations = (Operation("GET", "/v2/heartbeats/{name:path}", "Get a heartbeat (Opsgenie)", 200),)

    def ingest(self, request: IntakeRequest, source: Source | None) -> IntakeResult | IntakeResponse:
        assert source is not None  # noqa: S101 (`source()` raises otherwise)
        return answers.heartbeat(source, self.path_parameter(request, "name"))


def _accepted(
    request: IntakeRequest, source: Source, action: str, alias: str, *, state: IntakeState = IntakeState.WAITING
) -> IntakeResult:
    number = str(uuid.uuid4())
    key = delivery_key(source, answers.request_name(number))
    reason = answers.NO_ALERT if state == IntakeState.IGNORED else ""
    event = event_of(request, source, format="opsgenie", state=state, reason=reason, delivery_key=key)
    event.headers |= {ACTION: action, ALIAS: alias}
    return IntakeResult([event], answers.accepted("Request will be processed", number), store_events, source)


def _asked(method: str, rest: str) -> tuple[str, str]:
    """Return the alert and the action ("": show). Raises IntakeError (404)."""
    if method == "GET":
        return text(rest), ""
    match = _ACTED.fullmatch(rest)
    if match:
        action = _action(method, match[2])
        if action:
            return text(match[1]), action
    if method == "DELETE":
        return text(rest), "delete"
    raise IntakeError("Unknown alert action.", status=404)


def _action(method: str, word: str) -> str:
    if method == "POST" and word.startswith("actions/"):
        return text(word)
    return ACTIONS.get((method, word), "")


# the first matching path counts
ENDPOINTS = (
    OpsgenieAlertsEndpoint(),
    OpsgenieRequestEndpoint(),
    OpsgenieAlertEndpoint(),
    OpsgeniePingEndpoint(),
    OpsgenieHeartbeatEndpoint(),
)
