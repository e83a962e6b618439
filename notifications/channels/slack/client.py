"""Slack's Web API and incoming webhooks, through the outbound client."""

from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from core.outbound.client import Answer, Client
from notifications.channels.port import Failed
from notifications.channels.posting import json_of, post_json, wait_of
from notifications.channels.slack.errors import KNOWN, PROVIDER, failure_of

HOSTS = frozenset({"hooks.slack.com", "hooks.slack-gov.com"})


@cache
def _client(is_trusted: bool) -> Client:
    return Client(is_trusted=is_trusted)


def call(method: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answer of a Web API method. Raises Failed."""
    if not settings.SLACK_BOT_TOKEN:
        raise failure_of("not_authed")
    url = f"{settings.SLACK_API_URL.rstrip('/')}/{method}"
    headers = {"Authorization": f"Bearer {settings.SLACK_BOT_TOKEN}"}
    answer = post_json(_client(True), url, arguments, to=PROVIDER, headers=headers)
    found = json_of(answer)
    if answer.status == 200 and found.get("ok") is True:
        return found
    _refuse_status(answer)
    raise failure_of(str(found.get("error", ""))[:60])


def post_to_webhook(url: str, payload: Mapping[str, Any]) -> None:
    """Post to an incoming webhook or a response_url. Raises Failed."""
    answer = post_json(_client(is_operators(url)), url, payload, to=PROVIDER)
    if answer.status == 200 and (answer.content.strip() == b"ok" or json_of(answer).get("ok") is True):
        return
    _refuse_status(answer)
    if _word(answer) in KNOWN:
        raise failure_of(_word(answer))
    if answer.status in (404, 410):
        raise Failed(f"The webhook is gone (HTTP {answer.status}).", disables=True, provider=PROVIDER)
    is_ours = 300 <= answer.status < 500 or answer.status == 200
    raise Failed(f"The webhook answered HTTP {answer.status}.", is_permanent=is_ours, provider=PROVIDER)


def is_operators(url: str) -> bool:
    """Return whether the address is on the server that SLACK_API_URL names."""
    operators, other = urlsplit(settings.SLACK_API_URL), urlsplit(url)
    return (operators.scheme, operators.netloc) == (other.scheme, other.netloc)


def is_slacks(url: str) -> bool:
    """Return whether answers may be posted there: requests name the address themselves."""
    parts = urlsplit(url)
    return is_operators(url) or (parts.scheme == "https" and parts.netloc in HOSTS)


def _refuse_status(answer: Answer) -> None:
    if answer.status == 429:
        raise failure_of("ratelimited", retry_after=wait_of(answer))
    if answer.status >= 500 and _word(answer) not in KNOWN:
        raise Failed(f"Slack answered HTTP {answer.status}.", provider=PROVIDER, may_have_arrived=True)


def _word(answer: Answer) -> str:
    return answer.content.strip().decode("utf-8", "replace")
