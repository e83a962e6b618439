"""Telegram's Bot API, through the outbound client. The token is part of the address, which no error names."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from django.conf import settings

from core.outbound.client import Client
from notifications.channels.port import Failed
from notifications.channels.posting import DEFAULT_WAIT, json_of, post_json

PROVIDER = "Telegram"
GONE = (
    *("chat not found", "user is deactivated", "bot was kicked", "bot was blocked", "group chat was deleted"),
    *("bot can't initiate conversation", "bots can't send messages to bots", "the group chat was upgraded"),
)
UNCHANGED = "message is not modified"


@cache
def _client() -> Client:
    return Client(is_trusted=True)


def call(method: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the result of a method. Raises Failed."""
    if not settings.TELEGRAM_BOT_TOKEN:
        raise Failed("TELEGRAM_BOT_TOKEN is not set.", provider=PROVIDER)
    url = f"{settings.TELEGRAM_API_URL.rstrip('/')}/bot{settings.TELEGRAM_BOT_TOKEN}/{method}"
    answer = post_json(_client(), url, parameters, to=PROVIDER)
    found = json_of(answer)
    if found.get("ok") is True:
        result = found.get("result")
        return result if isinstance(result, dict) else {}
    if answer.status == 400 and UNCHANGED in str(found.get("description", "")):
        return {}
    raise _failure(answer.status, found)


def _failure(status: int, found: dict[str, Any]) -> Failed:
    said = str(found.get("description", ""))[:200]
    parameters = found.get("parameters") if isinstance(found.get("parameters"), dict) else {}
    if status == 429:
        wait = parameters.get("retry_after") if parameters else None
        seconds = min(float(wait), 3600.0) if isinstance(wait, (int, float)) else DEFAULT_WAIT
        return Failed("Telegram limits the rate.", retry_after=seconds, provider=PROVIDER)
    if parameters and (moved := parameters.get("migrate_to_chat_id")):
        return Failed(f"The group became a supergroup: enter {moved} as its address.", disables=True, provider=PROVIDER)
    if status in (401, 404):
        return Failed(f"Telegram refuses TELEGRAM_BOT_TOKEN (HTTP {status}).", provider=PROVIDER)
    if status == 403 or any(reason in said.lower() for reason in GONE):
        return Failed(f"Telegram: {said} (HTTP {status}).", disables=True, provider=PROVIDER)
    is_ours = 400 <= status < 500
    return Failed(
        f"Telegram answered HTTP {status}. {said}".strip(),
        is_permanent=is_ours,
        may_have_arrived=not is_ours,
        provider=PROVIDER,
    )
