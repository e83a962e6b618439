"""Twilio's published OpenAPI, as far as the fake judges by it."""

import json
import re
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

FILE = Path(__file__).resolve().parents[5] / "shared/data/schemas/twilio_messages_calls.openapi.json"
ABSENT = f"Twilio's OpenAPI is not at {FILE}."


class Schema:
    """What requests and answers look like; without the file, everything passes."""

    def __init__(self, file: Path = FILE) -> None:
        self._file = file

    @cached_property
    def _document(self) -> dict[str, Any]:
        return json.loads(self._file.read_text(encoding="utf-8")) if self._file.is_file() else {}

    def request_faults(self, resource: str, form: dict[str, list[str]]) -> list[str]:
        """Return what a form to `Messages` or `Calls` has wrong."""
        operation = self._operation(resource)
        if not operation:
            return []
        schema = operation["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"]
        properties = schema["properties"]
        faults = [f"{name} is missing" for name in schema.get("required", ()) if not form.get(name)]
        for name, values in form.items():
            if name not in properties:
                faults.append(f"{name} is no parameter")
                continue
            faults += self._value_faults(name, self._resolved(properties[name]), values)
        return faults

    def answer_faults(self, resource: str, answer: dict[str, Any]) -> list[str]:
        """Return what an answer (201) of the fake itself has wrong."""
        operation = self._operation(resource)
        if not operation:
            return []
        schema = self._resolved(operation["responses"]["201"]["content"]["application/json"]["schema"])
        faults = [f"{name} is no member" for name in answer if name not in schema["properties"]]
        for name, value in answer.items():
            if isinstance(value, str) and name in schema["properties"]:
                faults += self._text_faults(name, self._resolved(schema["properties"][name]), value)
        return faults

    def _operation(self, resource: str) -> dict[str, Any]:
        paths = self._document.get("paths", {})
        return paths.get(f"/2010-04-01/Accounts/{{AccountSid}}/{resource}.json", {}).get("post", {})

    def _resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in schema:
            found: Any = self._document
            for part in schema["$ref"].removeprefix("#/").split("/"):
                found = found[part]
            schema = found
        return schema

    def _value_faults(self, name: str, schema: dict[str, Any], values: list[str]) -> list[str]:
        if schema.get("type") == "array":
            items = self._resolved(schema["items"])
            return [fault for value in values for fault in self._text_faults(name, items, value)]
        if len(values) != 1:
            return [f"{name} is given {len(values)} times"]
        return self._text_faults(name, schema, values[0])

    def _text_faults(self, name: str, schema: dict[str, Any], value: str) -> list[str]:
        checks = {
            "type": {"integer": r"-?\d+", "boolean": r"true|false", "number": r"-?\d+(\.\d+)?"}.get(
                schema.get("type", ""), r"(?s:.*)"
            ),
            "pattern": schema.get("pattern", r"(?s:.*)"),
        }
        faults = [f"{name} has not the {what}" for what, pattern in checks.items() if not re.fullmatch(pattern, value)]
        if "enum" in schema and value not in schema["enum"]:
            faults.append(f"{name} is none of {schema['enum']}")
        if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
            faults.append(f"{name} has {len(value)} characters")
        if schema.get("format") == "uri" and not (
            urlsplit(value).scheme in ("http", "https") and urlsplit(value).netloc
        ):
            faults.append(f"{name} is no absolute address")
        return faults
