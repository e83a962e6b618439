"""OpenTelemetry's logs over HTTP, as protobuf and as JSON.

Sources: https://opentelemetry.io/docs/specs/otlp/#otlphttp and opentelemetry-proto's logs.proto. In JSON, 64-bit
integers come as text or number, ids as hexadecimal digits (base64 where a general protobuf library wrote them), and
unknown fields are to be ignored.
"""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse

from core.text.encodings import unmarked
from intake.requests import IntakeError, IntakeRequest, read_json
from integrations.opentelemetry.status_pb2 import Status
from logs.levels import level_of, severity_number_level, unknown_level
from logs.lines import Line, Parsed, first_named
from logs.reading.records import level_in
from logs.reading.values import from_nanoseconds, text, trace_of
from logs.vocabulary import Level

FORMAT = "otlp"
TITLE = "OpenTelemetry (OTLP)"
SERVICE = ("service.name", "k8s.deployment.name", "k8s.container.name")
HOST = ("host.name", "k8s.node.name", "host.id", "k8s.pod.name", "service.instance.id")
MAX_NESTING = 20
_JSON = "application/json"
# gRPC's numbers for HTTP's: invalid argument, unauthenticated, permission denied, resource exhausted, unavailable.
_CODES = {400: 3, 401: 16, 403: 7, 413: 8, 429: 8, 503: 14}


def parse(request: IntakeRequest) -> Parsed:
    """Return a line for each log record. Raises IntakeError for what is neither protobuf nor JSON of this kind."""
    return _from_json(unmarked(request.body)) if is_json(request) else _from_protobuf(request.body)


def is_json(request: IntakeRequest) -> bool:
    """Return whether it is JSON: by its type, or without one by a first character that protobuf cannot have."""
    return request.media_type == _JSON or (not request.media_type and unmarked(request.body).lstrip()[:1] == b"{")


def response(parsed: Parsed, *, as_json: bool) -> bytes:
    """Return ExportLogsServiceResponse: empty for full success, else how many records were rejected and why."""
    if not as_json:
        answer = ExportLogsServiceResponse()
        if parsed.rejected:
            answer.partial_success.rejected_log_records = parsed.rejected
            answer.partial_success.error_message = parsed.summary
        return bytes(answer.SerializeToString())
    partial = {"rejectedLogRecords": str(parsed.rejected), "errorMessage": parsed.summary} if parsed.rejected else {}
    return text({"partialSuccess": partial}).encode()


def status(http_status: int, message: str, *, as_json: bool) -> bytes:
    """Return google.rpc.Status, with which OTLP answers failures."""
    code = _CODES.get(http_status, 2)
    if as_json:
        return text({"code": code, "message": message}).encode()
    return bytes(Status(code=code, message=message.encode("utf-8", "replace").decode()).SerializeToString())


def level_of_number(number: int, word: str, message: str) -> Level:
    """Return the level of a severity number, from 1 (trace) to 24 (fatal); of 0 the word's, or the message's."""
    return severity_number_level(number) or level_of(word) or level_in(message) or Level.INFO


# --- Protobuf ---------------------------------------------------------------------------------------------------------


def _from_protobuf(body: bytes) -> Parsed:
    try:
        request = ExportLogsServiceRequest.FromString(body)
    except DecodeError as error:
        raise IntakeError(f"The body is not an OTLP ExportLogsServiceRequest in protobuf: {error}.") from error
    lines = []
    for of_resource in request.resource_logs:
        shared = _attributes(of_resource.resource.attributes)
        for of_scope in of_resource.scope_logs:
            common = _with_scope(shared, of_scope.scope.name)
            lines += [_line_of(record, common) for record in of_scope.log_records]
    return Parsed(lines)


def _line_of(record: Any, common: dict[str, Any]) -> Line:
    attributes = {**common, **_attributes(record.attributes)}
    message = _message(_value(record.body), record.event_name, attributes)
    if record.span_id:
        attributes["span_id"] = record.span_id.hex()
    return Line(
        message,
        from_nanoseconds(record.time_unix_nano) or from_nanoseconds(record.observed_time_unix_nano),
        level_of_number(record.severity_number, record.severity_text, message),
        _named(attributes, SERVICE),
        _named(attributes, HOST),
        attributes,
        trace_of(record.trace_id.hex()),
        "" if severity_number_level(record.severity_number) else unknown_level(record.severity_text),
    )


def _attributes(pairs: Any) -> dict[str, Any]:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: Any, depth: int = MAX_NESTING) -> Any:
    kind = value.WhichOneof("value")
    if kind is None or depth == 0:
        return None
    if kind == "array_value":
        return [_value(part, depth - 1) for part in value.array_value.values]
    if kind == "kvlist_value":
        return {pair.key: _value(pair.value, depth - 1) for pair in value.kvlist_value.values}
    if kind == "bytes_value":
        return base64.b64encode(value.bytes_value).decode()
    return getattr(value, kind)


# --- JSON -------------------------------------------------------------------------------------------------------------


def _from_json(body: bytes) -> Parsed:
    request = read_json(body)
    if not isinstance(request, dict) or not isinstance(request.get("resourceLogs", []), list):
        raise IntakeError("The body is JSON but has no list resourceLogs; is this OTLP logs?")
    parsed = Parsed()
    for of_resource in _objects(request.get("resourceLogs")):
        shared = _json_attributes(_object(of_resource.get("resource")).get("attributes"))
        for of_scope in _objects(of_resource.get("scopeLogs")):
            common = _with_scope(shared, text(_object(of_scope.get("scope")).get("name")))
            records = of_scope.get("logRecords")
            for number, record in enumerate(records if isinstance(records, list) else [], 1):
                if isinstance(record, dict):
                    parsed.lines.append(_json_line_of(record, common))
                else:
                    parsed.reject(f"Log record {number} is not an object.")
    return parsed


def _json_line_of(record: Mapping[str, Any], common: dict[str, Any]) -> Line:
    attributes = {**common, **_json_attributes(record.get("attributes"))}
    message = _message(_json_value(record.get("body")), text(record.get("eventName")), attributes)
    if span_id := _id_of(record.get("spanId"), 16):
        attributes["span_id"] = span_id
    at = _integer(record.get("timeUnixNano")) or _integer(record.get("observedTimeUnixNano"))
    return Line(
        message,
        from_nanoseconds(at),
        level_of_number(_integer(record.get("severityNumber")), text(record.get("severityText")), message),
        _named(attributes, SERVICE),
        _named(attributes, HOST),
        attributes,
        trace_of(_id_of(record.get("traceId"), 32)),
        ""
        if severity_number_level(_integer(record.get("severityNumber")))
        else unknown_level(record.get("severityText")),
    )


def _json_attributes(pairs: Any) -> dict[str, Any]:
    return {text(pair.get("key")): _json_value(pair.get("value")) for pair in _objects(pairs)}


def _json_value(value: Any, depth: int = MAX_NESTING) -> Any:
    if not isinstance(value, dict) or depth == 0:
        return None
    for kind, said in value.items():
        if kind in ("stringValue", "boolValue", "bytesValue"):
            return said
        if kind == "intValue":
            return _integer(said)
        if kind == "doubleValue":
            return said  # NaN and the infinite come as text
        if kind == "arrayValue":
            values = _object(said).get("values")
            return [_json_value(part, depth - 1) for part in values] if isinstance(values, list) else []
        if kind == "kvlistValue":
            pairs = _objects(_object(said).get("values"))
            return {text(pair.get("key")): _json_value(pair.get("value"), depth - 1) for pair in pairs}
    return None


def _id_of(value: Any, digits: int) -> str:
    if not isinstance(value, str):
        return ""
    try:
        if len(value) == digits and int(value, 16) >= 0:
            return value.lower()
    except ValueError:
        pass
    try:
        raw = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return ""
    return raw.hex() if len(raw) * 2 == digits else ""


def _integer(value: Any) -> int:
    if isinstance(value, int):
        return int(value)
    if isinstance(value, str) and len(value) <= 20 and value.isascii() and value.removeprefix("-").isdigit():
        return int(value)
    return int(value) if isinstance(value, float) and abs(value) < 2**63 else 0


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _objects(values: Any) -> list[dict[str, Any]]:
    return [value for value in values if isinstance(value, dict)] if isinstance(values, list) else []


# --- Both -------------------------------------------------------------------------------------------------------------


def _with_scope(shared: dict[str, Any], scope: str) -> dict[str, Any]:
    return {**shared, "scope": scope} if scope else shared


def _named(attributes: Mapping[str, Any], names: tuple[str, ...]) -> str:
    return text(first_named(attributes, names)[1])


def _message(body: Any, event_name: str, attributes: Mapping[str, Any]) -> str:
    """Return the body; where it is empty, the message of the record's exception, or the event's name."""
    return text(body) or text(attributes.get("exception.message")) or event_name
