"""What each kind of source sends, one pure module each: `alerts/adapters/<kind>.py`.

A module says

- `TITLE`, the tool's name, and `SNIPPET`, what to paste into it (`{url}` is our address, `{scheme}` and `{host}` its
  parts, the latter with the port; `{key}` is the source's key; other braces are the tool's own: do not format);
- `parse(incoming) -> list[Draft]`, which raises IntakeError for what it cannot read; `incoming` is unpacked already;
- where the tool signs what it sends: `verify(incoming, secret)`, which raises IntakeError (403); `secret` is the
  source's signing secret, "" where none is set;
- where the tool numbers what it sends: `delivery_id(incoming) -> str`, so that a delivery repeated is taken once;
- where the tool also sends messages about the delivery itself: `greet(incoming) -> bool`, which answers such a message
  and says whether it was one;
- `TAKES_TEMPLATES = True` where `parse(incoming, templates, status_map)` also takes what the source sets;
- `TAKES_TIME = True` where `parse` wants the time of receipt as its second argument (None: now);
- `IS_SLOW = True` where `verify` or `greet` may wait for the network.

Beside it lies `examples/<kind>.json`: a list of `{name, headers, body | text, drafts}`, real requests and what must
come of them. The first is what `sources/{id}/test/` sends. A new source is a new module, its examples, and a page in
docs/integrations/.
"""

import importlib
import json
import pkgutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Protocol, cast

from alerts.drafts import Draft
from alerts.incoming import Incoming

EXAMPLES = Path(__file__).parent / "examples"


class Adapter(Protocol):
    """What every module of this package offers."""

    TITLE: str
    SNIPPET: str
    parse: Callable[[Incoming], list[Draft]]


@cache
def adapters() -> dict[str, Adapter]:
    """Every adapter by its kind, which is its module's name."""
    names = [module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_")]
    return {name: cast("Adapter", importlib.import_module(f"{__name__}.{name}")) for name in names}


def examples(kind: str) -> list[dict[str, Any]]:
    """The example requests of a kind."""
    loaded: list[dict[str, Any]] = json.loads((EXAMPLES / f"{kind}.json").read_text(encoding="utf-8"))
    return loaded


def example_request(example: dict[str, Any]) -> Incoming:
    """The request of an example: `body` is JSON, `text` is sent as it is."""
    body = example["text"].encode() if "text" in example else json.dumps(example["body"]).encode()
    headers = {"content-type": "application/json", **example.get("headers", {})}
    return Incoming("POST", "/", headers, body, example.get("query", ""))
