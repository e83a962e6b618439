"""Posting for channels: the outbound client's errors as Failed."""

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

import orjson

from core.outbound.client import Answer, Client, OutboundError, Refused, Unreachable
from notifications.channels.port import Failed

DEFAULT_WAIT = 30.0  # seconds, where a limit names none
_BEFORE_SENDING = ("Connect", "Pool", "Proxy")  # how errors begin that no request preceded


def post(
    client: Client, url: str, content: bytes | None, headers: Mapping[str, str], *, to: str, method: str = "POST"
) -> Answer:
    """Return the answer of `to` (for errors). Raises Failed."""
    try:
        return client.request(method, url, headers=headers, content=content)
    except Refused as error:
        raise Failed(f"The address is not allowed: {error}.", is_permanent=True, provider=to) from error
    except Unreachable as error:
        was_sent = not str(error).startswith(_BEFORE_SENDING)
        raise Failed(f"{to} did not answer ({error}).", provider=to, may_have_arrived=was_sent) from error
    except OutboundError as error:
        raise Failed(f"{to}: {error}.", provider=to, may_have_arrived=True) from error


def post_json(
    client: Client, url: str, payload: Mapping[str, Any], *, to: str, headers: Mapping[str, str] | None = None
) -> Answer:
    """Return the answer of `to`. Raises Failed."""
    content = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
    return post(client, url, content, {"Content-Type": "application/json; charset=utf-8", **(headers or {})}, to=to)


def json_of(answer: Answer) -> dict[str, Any]:
    """Return the object answered, or an empty one."""
    try:
        value = orjson.loads(answer.content)
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}


def wait_of(answer: Answer) -> float | None:
    return answer.retry_after(dt.datetime.now(dt.UTC))
