"""What each kind of log sender sends, one pure module each: `logs/formats/<format>.py`.

A module says `TITLE`, and `parse(incoming) -> Parsed`, which raises IntakeError for what it cannot read at all; single
lines that are none are counted in what it returns. `incoming` is unpacked already.

Beside it lies `examples/<format>.json`: a list of `{name, headers, path, query, body | text | base64, lines}`, real
requests and what must come of them.
"""

import base64
import importlib
import json
import pkgutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Protocol, cast

from alerts.incoming import Incoming
from logs.lines import Line, Parsed

EXAMPLES = Path(__file__).parent / "examples"


class Format(Protocol):
    """What every module of this package offers."""

    TITLE: str
    parse: Callable[[Incoming], Parsed]


@cache
def formats() -> dict[str, Format]:
    """Every format by its module's name."""
    names = [module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_")]
    return {name: cast("Format", importlib.import_module(f"{__name__}.{name}")) for name in names}


def examples(format: str) -> list[dict[str, Any]]:
    """The example requests of a format."""
    loaded: list[dict[str, Any]] = json.loads((EXAMPLES / f"{format}.json").read_text(encoding="utf-8"))
    return loaded


def example_request(example: dict[str, Any]) -> Incoming:
    """The request of an example: `body` is JSON, `text` is sent as it is, `base64` is binary."""
    if "base64" in example:
        body = base64.b64decode(example["base64"])
    else:
        body = example["text"].encode() if "text" in example else json.dumps(example["body"]).encode()
    path = example.get("path", "/")
    return Incoming("POST", path, example.get("headers", {}), body, example.get("query", "")).unpacked()


def to_json(line: Line) -> dict[str, Any]:
    """A line as plain JSON values; what it does not say is left out."""
    value: dict[str, Any] = {name: getattr(line, name) for name in Line.__slots__}
    value["timestamp"] = line.timestamp.isoformat() if line.timestamp else None
    value["level"] = line.level.word
    return {name: part for name, part in value.items() if part}
