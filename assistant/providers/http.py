"""Post to a provider's address; errors become ProviderFailed."""

import datetime as dt
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import orjson

from assistant.providers.port import Failure, Limits, ProviderFailed
from core.outbound.client import Answer, Client, OutboundError, Refused, Unreachable

MAX_BYTES = 1024 * 1024
MOST_TOKENS = 100_000_000
OVERLOADED = 529  # Anthropic's
_TIMING_OUT = ("ReadTimeout", "WriteTimeout")
_BEFORE_SENDING = ("Connect", "Pool", "Proxy")


@lru_cache(maxsize=4)
def _client(seconds: float) -> Client:
    # the operator sets the address: it may be on this machine
    return Client(
        step_seconds=seconds, total_seconds=seconds, max_bytes=MAX_BYTES, attempts=1, is_trusted=True, max_redirects=0
    )


def post_json(url: str, payload: Mapping[str, Any], headers: Mapping[str, str], limits: Limits) -> dict[str, Any]:
    """Return the object answered. Raises ProviderFailed."""
    content = orjson.dumps(payload)
    try:
        answer = _client(limits.seconds).request(
            "POST", url, headers={"Content-Type": "application/json", **headers}, content=content
        )
    except Refused as error:
        raise ProviderFailed(Failure.REJECTED) from error
    except Unreachable as error:
        is_sent = not str(error).startswith(_BEFORE_SENDING)
        failure = Failure.TIMED_OUT if str(error).startswith(_TIMING_OUT) else Failure.UNREACHABLE
        raise ProviderFailed(failure, may_be_charged=is_sent) from error
    except OutboundError as error:
        raise ProviderFailed(Failure.NOT_UNDERSTOOD, may_be_charged=True) from error
    return _object_of(answer)


def _object_of(answer: Answer) -> dict[str, Any]:
    if answer.status != 200:
        raise failed(answer.status, answer.retry_after(dt.datetime.now(dt.UTC)))
    try:
        body = orjson.loads(answer.content)
    except orjson.JSONDecodeError:
        body = None
    if not isinstance(body, dict):
        raise ProviderFailed(Failure.NOT_UNDERSTOOD, status=200, may_be_charged=True)
    if body.get("error") or body.get("type") == "error":
        raise ProviderFailed(Failure.SERVER_ERROR, status=200)
    return body


def failed(status: int, retry_after: float | None) -> ProviderFailed:
    """Return the failure that an HTTP status stands for."""
    if status == 429:
        failure = Failure.RATE_LIMITED
    elif status in (OVERLOADED, 503):
        failure = Failure.OVERLOADED
    elif status == 408 or status >= 500:
        failure = Failure.SERVER_ERROR
    else:
        failure = Failure.REJECTED
    return ProviderFailed(failure, status=status, retry_after=retry_after)


def whole(value: Any) -> int:
    """Return a count of tokens; 0 for anything else, or more than any request takes."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < MOST_TOKENS else 0
