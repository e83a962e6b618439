"""Webhooks to programs: configured ones, rooms and people's own."""

import datetime as dt
import random
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from django.utils.translation import gettext_lazy as _

from core.outbound.client import Answer, Client
from core.outbound.urls import validate_url
from notifications.channels.port import Address, Channel, Failed, Message, Receipt, Stage
from notifications.channels.posting import post, wait_of
from notifications.channels.webhook.payload import body_of
from notifications.channels.webhook.signing import message_id, new_secret, signed_headers

LONGEST = 1000
MINUTE, HOUR = 60.0, 3600.0
# Seconds between attempts: the standard's, and for pages, which cannot wait.
WAITS = (5.0, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR)
PAGE_WAITS = (5.0, 15.0, MINUTE, 3 * MINUTE, 10 * MINUTE)
JITTER = 0.2

# Receivers have 15 to 30 seconds, says the standard.
_client = Client(step_seconds=15.0, total_seconds=20.0, attempts=1, max_bytes=1024, cuts_answer=True)


def send(message: Message, to: Address) -> Receipt:
    """Post one message, signed by each of the address's secrets."""
    keys = secrets_of(to.data)
    if not keys:
        raise Failed("The webhook has no secret.", is_permanent=True)
    identity = message_id(message.key)
    content, content_type = body_of(message, identity, format=str(to.data.get("format", "")))
    headers = {"Content-Type": content_type, **signed_headers(identity, content, keys, dt.datetime.now(dt.UTC))}
    host = host_of(to.value)
    try:
        answer = post(_client, to.value, content, headers, to=host)
    except Failed as failed:
        failed.retry_after = wait_before_next(message)
        raise
    if not 200 <= answer.status < 300:
        raise _failure(answer, message, host)
    return Receipt(Stage.DELIVERED, provider=host[:64], detail=f"HTTP {answer.status}")


def secrets_of(data: Mapping[str, Any]) -> Sequence[str]:
    """Return the secrets of an address, or its one."""
    one = data.get("secret")
    return list(data.get("secrets") or ([one] if one else []))


def new_data() -> dict[str, str]:
    return {"secret": new_secret()}


def wait_before_next(message: Message) -> float:
    """Return the seconds until the next attempt."""
    table = PAGE_WAITS if message.kind == "page" else WAITS
    wait = table[min(message.attempt, len(table)) - 1]
    return wait * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 (no secret)


def validate(text: str) -> str:
    return validate_url(text, most=LONGEST)


def host_of(url: str) -> str:
    """Return the host alone: the path may be a secret."""
    return urlsplit(url).hostname or "?"


def mask(url: str) -> str:
    return f"{host_of(url)}/…"


def _failure(answer: Answer, message: Message, host: str) -> Failed:
    if answer.status == 410:
        return Failed(f"{host} wants no more webhooks (410).", disables=True, provider=host)
    detail = f"{host} answered {answer.status}."
    if 300 <= answer.status < 400:
        detail = f"{host} redirects ({answer.status}), which is not followed: change the webhook's address."
    wait = max(wait_of(answer) or 0.0, wait_before_next(message))
    return Failed(detail, retry_after=wait, provider=host)


CHANNELS = [
    Channel(
        is_for_programs=True,
        kind="webhook",
        label=_("Webhook"),
        send=send,
        validate=validate,
        mask=mask,
        new_data=new_data,
        is_room=True,
        concurrency=16,
    )
]
