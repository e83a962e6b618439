"""The payload reader of each kind of source. Each vendor's folder registers its own."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from intake.requests import IntakeRequest
from intake.vocabulary import LOGS

# Stored with every request. Nothing that lets anybody in: no Authorization, no cookies.
KEPT_HEADERS = ("content-type", "content-encoding", "user-agent")


class PayloadReader(Protocol):
    """A module that reads a vendor's payloads; `integrations` says what else it may offer."""

    TITLE: str
    SNIPPET: str
    parse: Callable[[IntakeRequest], list[Any]]


_readers: dict[str, PayloadReader] = {}


def register_payload_reader(kind: str, reader: PayloadReader) -> None:
    """Register the module that reads what sources of this kind send."""
    _readers[kind] = reader


def payload_readers() -> dict[str, PayloadReader]:
    """Return every reader by the kind of source."""
    return _readers


def kinds() -> list[tuple[str, str]]:
    """Return the kinds that a source may have, with their titles."""
    vendors = [(kind, reader.TITLE) for kind, reader in _readers.items()]
    return [*sorted(vendors, key=lambda pair: pair[1].casefold()), (LOGS, "Logs")]


def kept_headers(kind: str) -> tuple[str, ...]:
    """Return the headers that are stored with a request of this kind."""
    return (*KEPT_HEADERS, *getattr(_readers.get(kind), "KEPT_HEADERS", ()))


def examples(module: Any, name: str = "alerts") -> list[dict[str, Any]]:
    """Return the examples beside a reader: `{name, headers, path, query, body | text | base64, updates | lines}`."""
    path = Path(module.__file__).parent / "examples" / f"{name}.json"
    loaded: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def guide_beside(module: Any) -> Path:
    """Return the path of the guide beside a reader."""
    return Path(module.__file__).parent / "guide.md"


def example_request(example: dict[str, Any]) -> IntakeRequest:
    """Return the request of an example: `body` is JSON, `text` is sent as it is, `base64` is binary."""
    if "base64" in example:
        body = base64.b64decode(example["base64"])
    else:
        body = example["text"].encode() if "text" in example else json.dumps(example["body"]).encode()
    headers = {"content-type": "application/json", **example.get("headers", {})}
    return IntakeRequest("POST", example.get("path", "/"), headers, body, example.get("query", ""))
