"""Describe senders' endpoints in OpenAPI."""

import re
from typing import Any

from intake.endpoints import Endpoint, endpoints
from intake.operations import Operation

TAG = "intake"


def add_endpoints(result: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
    """Add every endpoint to the document (drf-spectacular hook)."""
    schemes = result["components"].setdefault("securitySchemes", {})
    for endpoint in endpoints():
        if endpoint.scheme is not None and endpoint.operations:
            schemes[endpoint.scheme.name] = dict(endpoint.scheme.definition)
        for operation in endpoint.operations:
            described = _describe(endpoint, operation)
            result["paths"].setdefault(operation.openapi_path, {})[operation.method.lower()] = described
    return result


def _describe(endpoint: Endpoint, operation: Operation) -> dict[str, Any]:
    method, path, names = operation.method.lower(), operation.openapi_path, operation.parameters
    words = re.sub(r"{\w+}|/", " ", path).split()
    is_read = method in ("get", "options") and operation.status == 200
    described: dict[str, Any] = {
        "operationId": "_".join([TAG, *words, *names, method]).replace(".", "_"),
        "summary": operation.summary,
        "description": "" if is_read else "A 2xx response means that the request is stored.",
        "tags": [TAG],
        "parameters": [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names],
        "security": [{endpoint.scheme.name: []}] if endpoint.scheme else [],
        "responses": {
            str(operation.status): {"description": "Found." if is_read else "Stored."},
            "default": {"description": "Refused, in the format that the sender expects."},
        },
    }
    if method == "post":
        content = {"schema": {}} if operation.example is None else {"schema": {}, "example": operation.example}
        described["requestBody"] = {"content": {operation.media_type: content}}
    return described
