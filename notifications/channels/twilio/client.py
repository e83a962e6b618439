"""Twilio's REST API (2010-04-01): messages and calls."""

import base64
from collections.abc import Sequence
from functools import cache
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings

from core.outbound.client import Client
from notifications.channels.port import Address, Message, Receipt, Stage
from notifications.channels.posting import json_of, post, wait_of
from notifications.channels.sms.layout import lay_out
from notifications.channels.twilio.errors import failed
from notifications.channels.twilio.spoken import seal

NAME = "twilio"
RING_SECONDS = 30


def send_sms(message: Message, to: Address) -> Receipt:
    """Send an SMS. Raises Failed."""
    sender = (
        ("MessagingServiceSid", settings.TWILIO_MESSAGING_SERVICE_SID)
        if settings.TWILIO_MESSAGING_SERVICE_SID
        else ("From", settings.TWILIO_FROM)
    )
    form = [("To", to.value), sender, ("Body", lay_out(message, with_urls=settings.SMS_INCLUDE_URL))]
    if not why_unreachable():
        form.append(("StatusCallback", callback("status")))
    answer = _post("Messages", form)
    return Receipt(Stage.ACCEPTED, NAME, answer["sid"], f"Twilio: {answer.get('status') or 'accepted'}")


def call(message: Message, to: Address) -> Receipt:
    """Call a number; what is said comes from our `voice` webhook. Raises Failed."""
    form = [
        ("To", to.value),
        ("From", settings.TWILIO_FROM),
        ("Url", callback("voice", m=seal(message))),
        ("Method", "POST"),
        ("StatusCallback", callback("status", kind=message.kind, attempt=str(message.attempt))),
        ("StatusCallbackMethod", "POST"),
        *(("StatusCallbackEvent", event) for event in ("ringing", "answered", "completed")),
        ("Timeout", str(RING_SECONDS)),
    ]
    answer = _post("Calls", form)
    return Receipt(Stage.ACCEPTED, NAME, answer["sid"], f"Twilio: {answer.get('status') or 'queued'}")


def why_no_sms() -> str:
    """Return what keeps SMS from being sent, or ""."""
    if reason := _why_no_account():
        return reason
    has_sender = settings.TWILIO_FROM or settings.TWILIO_MESSAGING_SERVICE_SID
    return "" if has_sender else "Set TWILIO_FROM or TWILIO_MESSAGING_SERVICE_SID."


def why_no_calls() -> str:
    """Return what keeps calls from being made, or ""."""
    if reason := _why_no_account():
        return reason
    if not settings.TWILIO_FROM.startswith("+"):
        return "Set TWILIO_FROM to a number that makes calls, such as +15005550006."
    return why_unreachable()


def why_unreachable() -> str:
    """Return why Twilio cannot call us back, or "". A provider on this machine can."""
    public, provider = urlsplit(settings.PUBLIC_URL), urlsplit(settings.TWILIO_API_URL)
    if _is_local(public.hostname) and not _is_local(provider.hostname):
        return f"PUBLIC_URL is {settings.PUBLIC_URL}, which Twilio cannot reach; set it to the server's public address."
    return ""


def callback(name: str, **query: str) -> str:
    """Return the address of one of our webhooks."""
    address = f"{settings.PUBLIC_URL.rstrip('/')}/integrations/twilio/{name}"
    return f"{address}?{urlencode(query)}" if query else address


def _why_no_account() -> str:
    missing = [name for name in ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN") if not getattr(settings, name)]
    return f"Set {' and '.join(missing)}." if missing else ""


def _is_local(host: str | None) -> bool:
    if not host or host == "localhost" or host.endswith((".localhost", ".local", ".internal")):
        return True
    try:
        return not ip_address(host).is_global
    except ValueError:
        return False


@cache
def _client() -> Client:
    return Client(step_seconds=5, total_seconds=8, is_trusted=True)


def _post(resource: str, form: Sequence[tuple[str, str]]) -> dict[str, Any]:
    account = settings.TWILIO_ACCOUNT_SID
    url = f"{settings.TWILIO_API_URL.rstrip('/')}/2010-04-01/Accounts/{account}/{resource}.json"
    credentials = base64.b64encode(f"{account}:{settings.TWILIO_AUTH_TOKEN}".encode()).decode()
    headers = {"Authorization": f"Basic {credentials}", "Content-Type": "application/x-www-form-urlencoded"}
    answer = post(_client(), url, urlencode(form).encode(), headers, to=NAME)
    body = json_of(answer)
    if answer.status in (200, 201) and isinstance(body.get("sid"), str):
        return body
    code = body.get("code")
    raise failed(code if isinstance(code, int) else 0, status=answer.status, retry_after=wait_of(answer))
