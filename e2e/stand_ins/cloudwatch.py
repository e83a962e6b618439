"""CloudWatch Logs: StartQuery, GetQueryResults, StopQuery, and PutLogEvents (`logs`, 2014-03-28, JSON 1.1).

Requests are held against botocore's model of the service, and their signatures (SigV4) are checked.
"""

import json
import re
import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import botocore.session
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.validate import ParamValidator

from e2e.stand_ins.insights import Event, Malformed, Query, compiled
from e2e.stand_ins.serving import Reply, Request, StandIn, run

KEY, SECRET, REGION = "AKIASTANDINSTANDIN00", "stand-in-secret", "eu-central-1"
MOST_RUNNING = 30
JSON = "application/x-amz-json-1.1"
TARGET = re.compile(r"Logs_20140328\.(\w+)")
AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(\S+?)/(\d{8})/([\w-]+)/(\w+)/aws4_request, SignedHeaders=(\S+), Signature=(\w+)"
)
PATTERN = re.compile(r"[.\-_/#A-Za-z0-9]{1,512}")


@dataclass
class Running:
    query: Query
    events: list[Event]
    limit: int
    looks: int = 0
    status: str = "Scheduled"


class Wrong(Exception):
    def __init__(self, code: str, message: str, status: int = 400, **members: Any) -> None:
        super().__init__(message)
        self.code, self.message, self.status, self.members = code, message, status, members


class CloudWatch(StandIn):
    """A query is complete at the look number `looks`; before, its answers are parts. `outcome` is how it ends."""

    def __init__(self, port: int = 0, *, groups: tuple[str, ...] = ("/app/shop",), looks: int = 2) -> None:
        super().__init__(port)
        self.groups, self.looks, self.outcome = list(groups), looks, "Complete"
        self.events: list[Event] = []
        self.model = botocore.session.get_session().get_service_model("logs")

    def forget(self) -> None:
        self.queries: dict[str, Running] = {}
        self.tokens: dict[str, tuple[str, int]] = {}

    def add(self, at: int, message: str, group: str = "/app/shop") -> None:
        """Put an event; `at` is in milliseconds."""
        self.events.append(Event(at, message, group))

    def judge(self, request: Request) -> Reply:
        try:
            if request.method != "POST" or request.path != "/":
                raise Wrong("UnknownOperationException", "", 404)
            match = TARGET.fullmatch(request.headers.get("x-amz-target", ""))
            answers: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
                **{"StartQuery": self.start_query, "GetQueryResults": self.get_query_results},
                **{"StopQuery": self.stop_query, "PutLogEvents": self.put_log_events},
            }
            if match is None or match[1] not in answers or request.headers.get("content-type") != JSON:
                raise Wrong("UnknownOperationException", "")
            _check_signature(request)
            body = json.loads(request.body)
            report = ParamValidator().validate(body, self.model.operation_model(match[1]).input_shape)
            if report.has_errors():
                raise Wrong("InvalidParameterException", report.generate_report())
            return Reply(200, json.dumps(answers[match[1]](body)).encode(), _headers())
        except Wrong as error:
            said = {"__type": error.code, "message": error.message, **error.members}
            return Reply(error.status, json.dumps(said).encode(), _headers())

    def start_query(self, body: dict[str, Any]) -> dict[str, Any]:
        named = [name for name in ("logGroupName", "logGroupNames", "logGroupIdentifiers") if name in body]
        if len(named) != 1:
            raise Wrong("InvalidParameterException", "Exactly one of logGroupName, logGroupNames, logGroupIdentifiers")
        groups = body[named[0]] if named[0] != "logGroupName" else [body["logGroupName"]]
        groups = [name.rpartition(":log-group:")[2] for name in groups]
        if not 0 < len(groups) <= 50 or not all(PATTERN.fullmatch(name) for name in groups):
            raise Wrong("InvalidParameterException", "1 validation error detected: Value at 'logGroupNames'")
        if missing := [name for name in groups if name not in self.groups]:
            said = f"Log group '{missing[0]}' does not exist for account ID '123456789012'"
            raise Wrong("ResourceNotFoundException", said)
        if body["endTime"] < body["startTime"]:
            raise Wrong("InvalidParameterException", "Query's end time is before its start time")
        if not 1 <= body.get("limit", 10_000) <= 100_000 or len(body["queryString"]) > 10_000:
            raise Wrong("InvalidParameterException", "1 validation error detected")
        if sum(one.status in ("Scheduled", "Running") for one in self.queries.values()) >= MOST_RUNNING:
            raise Wrong("LimitExceededException", "Account maximum query concurrency limit of [30] reached.")
        try:
            query = compiled(body["queryString"])
        except Malformed as error:
            compile_error = {"location": {"startCharOffset": 0, "endCharOffset": 1}, "message": str(error)}
            raise Wrong("MalformedQueryException", str(error), queryCompileError=compile_error) from error
        # Whole seconds, the last one included.
        start, end = body["startTime"] * 1000, (body["endTime"] + 1) * 1000
        events = [one for one in self.events if one.group in groups and start <= one.at < end]
        name = str(uuid.uuid4())
        self.queries[name] = Running(query, events, body.get("limit", 10_000))
        return {"queryId": name}

    def get_query_results(self, body: dict[str, Any]) -> dict[str, Any]:
        one = self._query(body["queryId"])
        if not 0 <= body.get("maxItems", 10_000) <= 10_000:
            raise Wrong("InvalidParameterException", "maxItems must be at most 10000")
        offset = 0
        if token := body.get("nextToken"):
            if self.tokens.get(token, ("", 0))[0] != body["queryId"]:
                raise Wrong("InvalidParameterException", "The specified nextToken is invalid.")
            offset = self.tokens[token][1]
        elif one.status in ("Scheduled", "Running"):
            one.looks += 1
            one.status = self.outcome if one.looks >= self.looks else "Running"
        rows = one.query.run(one.events, one.limit)
        if one.status != "Complete":
            rows = rows[: len(rows) // 2] if one.status == "Running" else []
        until = offset + body.get("maxItems", 10_000)
        scanned = {"recordsMatched": float(len(rows)), "recordsScanned": float(len(one.events)), "bytesScanned": 1.0}
        answer = {"queryLanguage": "CWLI", "results": rows[offset:until], "statistics": scanned, "status": one.status}
        if one.status == "Complete" and until < len(rows):
            token = secrets.token_urlsafe(20)
            self.tokens[token] = body["queryId"], until
            answer["nextToken"] = token
        return answer

    def stop_query(self, body: dict[str, Any]) -> dict[str, Any]:
        one = self._query(body["queryId"])
        if one.status not in ("Scheduled", "Running"):
            raise Wrong("InvalidParameterException", "The specified query is not running.")
        one.status = "Cancelled"
        return {"success": True}

    def put_log_events(self, body: dict[str, Any]) -> dict[str, Any]:
        if body["logGroupName"] not in self.groups:
            raise Wrong("ResourceNotFoundException", "The specified log group does not exist.")
        for one in body["logEvents"]:
            self.add(one["timestamp"], one["message"], body["logGroupName"])
        return {"nextSequenceToken": "0"}

    def _query(self, name: str) -> Running:
        if name not in self.queries:
            raise Wrong("ResourceNotFoundException", f"Query id [{name}] does not exist")
        return self.queries[name]


def _check_signature(request: Request) -> None:
    match = AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
    if match is None:
        raise Wrong("MissingAuthenticationTokenException", "Missing Authentication Token")
    key, _day, region, service, signed, signature = match.groups()
    if key != KEY:
        raise Wrong("UnrecognizedClientException", "The security token included in the request is invalid.")
    if (region, service) != (REGION, "logs"):
        raise Wrong("InvalidSignatureException", "Credential should be scoped to a valid region.")
    headers = {name: request.headers.get(name, "") for name in signed.split(";")}
    sent = AWSRequest("POST", f"http://{request.headers['host']}{request.target}", headers, request.body)
    sent.context["timestamp"] = request.headers.get("x-amz-date", "")
    auth = SigV4Auth(Credentials(KEY, SECRET), service, region)
    expected = auth.signature(auth.string_to_sign(sent, auth.canonical_request(sent)), sent)
    if not {"host", "x-amz-date", "x-amz-target"} <= set(headers) or not secrets.compare_digest(expected, signature):
        raise Wrong("InvalidSignatureException", "The request signature we calculated does not match the signature.")


def _headers() -> dict[str, str]:
    return {"Content-Type": JSON, "x-amzn-RequestId": str(uuid.uuid4())}


if __name__ == "__main__":
    run(CloudWatch, 4586, f"A stand-in for CloudWatch Logs (key {KEY}, secret {SECRET}, {REGION}):")
