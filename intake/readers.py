"""Payload readers by kind of source; vendors' folders register them."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from intake.requests import IntakeRequest
from intake.vocabulary import LOGS

# stored with every request; never credentials
KEPT_HEADERS = ("content-type", "content-encoding", "user-agent")


class PayloadReader(Protocol):
    """A module that reads a vendor's payloads."""

    TITLE: str
    SNIPPET: str
    parse: Callable[[IntakeRequest], list[Any]]


_readers: dict[str, PayloadReader] = {}


def register_payload_reader(kind: str, reader: PayloadReader) -> None:
    _readers[kind] = reader


def payload_readers() -> dict[str, PayloadReader]:
    return _readers


def kinds() -> list[tuple[str, str]]:
    """Return kinds and titles."""
    vendors = [(kind, reader.TITLE) for kind, reader in _readers.items()]
    return [*sorted(vendors, key=lambda pair: pair[1].casefold()), (LOGS, "Logs")]


def kept_headers(kind: str) -> tuple[str, ...]:
    """Return the headers stored for a kind."""
    return (*KEPT_HEADERS, *getattr(_readers.get(kind), "KEPT_HEADERS", ()))


def examples(module: Any, name: str = "alerts") -> list[dict[str, Any]]:
    """Return the examples beside a reader: `{name, headers, path, query, body | text | base64, updates | lines}`."""
    path = Path(module.__file__).parent / "examples" / f"{name}.json"
    loaded: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def guide_beside(module: Any) -> Path:
    return Path(module.__file__).parent / "guide.md"


def example_request(example: dict[str, Any]) -> IntakeRequest:
    """Return an example's request."""
    if "base64" in example:
        body = base64.b64decode(example["base64"])
    else:
        body = example["text"].encode() if "text" in example else json.dumps(example["body"]).encode()
    headers = {"content-type": "application/json", **example.get("headers", {})}
    return IntakeRequest("POST", example.get("path", "/"), headers, body, example.get("query", ""))
