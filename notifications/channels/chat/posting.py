"""Posting JSON to chats."""

import json
from collections.abc import Mapping
from typing import Any

from core.outbound.client import Answer, Client
from notifications.channels.posting import post

DEFAULT_WAIT = 30.0  # seconds, where a limit names none


def post_json(
    client: Client, url: str, payload: Mapping[str, Any], *, to: str, headers: Mapping[str, str] | None = None
) -> Answer:
    """Return what `to` answered. Raises Failed."""
    content = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
    return post(client, url, content, {"Content-Type": "application/json; charset=utf-8", **(headers or {})}, to=to)


def json_of(answer: Answer) -> dict[str, Any]:
    """Return the object answered, or an empty one."""
    try:
        value = json.loads(answer.content)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
