"""How the OpenAPI document describes the endpoints of senders, which are no views of the REST framework.

What a vendor's protocol takes and answers, the vendor describes; here stand the addresses, how the key is told, and
what a success looks like. Each vendor's folder in integrations/ has a guide.
"""

import re
from dataclasses import dataclass
from typing import Any

TAG = "intake"
PARAMETER = re.compile(r"{(\w+)}")
SCHEMES = {
    "sourceKey": {"type": "http", "scheme": "bearer", "description": "The key of a source."},
    "genieKey": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "`GenieKey`, a space, and the key of a source.",
    },
}
ALERT = {"title": "Disk almost full", "severity": "high", "key": "db-3/disk", "status": "firing"}
EVENT = {
    "routing_key": "the source's key",
    "event_action": "trigger",
    "dedup_key": "db-3/disk",
    "payload": {"summary": "Disk almost full", "source": "db-3", "severity": "error"},
}
CHANGE = {"routing_key": "the source's key", "payload": {"summary": "Release 4.2", "source": "checkout"}}
LINE = {"event": {"message": "Payment refused", "level": "error"}, "host": "web-1", "sourcetype": "checkout"}
GELF = {"version": "1.1", "host": "web-1", "short_message": "Payment refused", "level": 3}
PUSH = {"streams": [{"stream": {"service": "checkout"}, "values": [["1700000000000000000", "Payment refused"]]}]}


@dataclass(frozen=True)
class Operation:
    """One operation. `scheme` is one of SCHEMES; "" where the key stands in the path, the query or the body."""

    method: str
    path: str
    summary: str
    status: int
    scheme: str = ""
    example: Any = None
    media_type: str = "application/json"


OPERATIONS = (
    Operation("post", "/intake/{key}/", "Hand in alerts in the words of the source's tool", 202, example=ALERT),
    Operation("get", "/intake/{key}/heartbeat/", "Say that a source is alive", 204),
    Operation("post", "/intake/{key}/heartbeat/", "Say by POST that a source is alive", 204),
    Operation("get", "/intake/{key}/heartbeat/{name}/", "Say that one thing of a source is alive", 204),
    Operation("post", "/intake/{key}/heartbeat/{name}/", "Say by POST that one thing of a source is alive", 204),
    Operation("get", "/intake/{key}/heartbeat/{name}/fail/", "Report that a job behind a source failed", 204),
    Operation("post", "/intake/{key}/heartbeat/{name}/fail/", "Report by POST that a job behind a source failed", 204),
    Operation("post", "/api/v2/alerts", "Hand in alerts as to Alertmanager", 200, "sourceKey", [{"labels": {}}]),
    Operation("post", "/v2/enqueue", "Hand in an event as to PagerDuty", 202, example=EVENT),
    Operation("post", "/v2/change/enqueue", "Tell of a change as to PagerDuty", 202, example=CHANGE),
    Operation("post", "/v2/alerts", "Make an alert as in Opsgenie", 202, "genieKey", {"message": "Disk almost full"}),
    Operation("get", "/v2/alerts", "List a source's alerts as Opsgenie does", 200, "genieKey"),
    Operation("get", "/v2/alerts/requests/{request_id}", "Say as Opsgenie what became of a request", 200, "genieKey"),
    Operation("get", "/v2/alerts/{identifier}", "Show an alert as Opsgenie does", 200, "genieKey"),
    Operation("delete", "/v2/alerts/{identifier}", "End an alert as by deleting it in Opsgenie", 202, "genieKey"),
    Operation(
        *("post", "/v2/alerts/{identifier}/{action}", "Acknowledge, close or note an alert as in Opsgenie", 202),
        *("genieKey", {"note": "On it"}),
    ),
    Operation("get", "/v2/heartbeats/{name}", "Show a heartbeat as Opsgenie does", 200, "genieKey"),
    Operation("post", "/v2/heartbeats/{name}/ping", "Say that something is alive as to Opsgenie", 202, "genieKey"),
    Operation(
        *("post", "/v1/logs", "Hand in log lines over OTLP", 200, "sourceKey"),
        media_type="application/x-protobuf",
    ),
    Operation("post", "/loki/api/v1/push", "Hand in log lines as to Loki", 204, "sourceKey", PUSH),
    Operation("post", "/services/collector/event", "Hand in log lines as to Splunk", 200, "sourceKey", LINE),
    Operation("options", "/services/collector/event", "Answer a Splunk client that asks before it starts", 200),
    Operation("get", "/services/collector/health", "Say as Splunk whether log lines are taken", 200),
    Operation("post", "/gelf", "Hand in a log line as to Graylog", 202, "sourceKey", GELF),
)


def add_doors(result: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
    """The document with the endpoints; a postprocessing hook of drf-spectacular."""
    result["components"].setdefault("securitySchemes", {}).update(SCHEMES)
    for one in OPERATIONS:
        result["paths"].setdefault(one.path, {})[one.method] = _operation(one)
    return result


def _operation(one: Operation) -> dict[str, Any]:
    words = PARAMETER.sub("", one.path).replace("/", " ").split()
    operation: dict[str, Any] = {
        "operationId": "_".join([TAG, *words, *PARAMETER.findall(one.path), one.method]).replace(".", "_"),
        "summary": one.summary,
        "tags": [TAG],
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
            for name in PARAMETER.findall(one.path)
        ],
        "security": [{one.scheme: []}] if one.scheme else [],
        "responses": {
            str(one.status): {"description": "Found." if one.method == "get" and one.status == 200 else "Committed."},
            "default": {"description": "Refused, in the shape that the sender knows."},
        },
    }
    if one.method == "post":
        content = {"schema": {}} if one.example is None else {"schema": {}, "example": one.example}
        operation["requestBody"] = {"content": {one.media_type: content}}
    return operation
