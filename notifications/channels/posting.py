"""Posting for channels: the outbound client's errors as Failed."""

import datetime as dt
from collections.abc import Mapping

from core.outbound.client import Answer, Client, OutboundError, Refused, Unreachable
from notifications.channels.port import Failed

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


def wait_of(answer: Answer) -> float | None:
    return answer.retry_after(dt.datetime.now(dt.UTC))
