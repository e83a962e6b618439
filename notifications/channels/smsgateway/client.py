"""SMS by any gateway that HTTP reaches: the operator's templates say how.

`{to}`, `{text}`, `{id}`, `{coding}` (0: GSM-7, 2: UCS-2) and `{receipt_url}` are replaced: percent-encoded in the
address and in forms, escaped in JSON.
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from functools import cache
from urllib.parse import quote, urlencode

import orjson
from django.conf import settings

from core.outbound.client import Answer, Client
from notifications.channels.phone.segments import is_gsm
from notifications.channels.port import Address, Failed, Message, Receipt, Stage
from notifications.channels.posting import post, wait_of
from notifications.channels.sms.layout import lay_out

NAME = "gateway"
_PLACEHOLDER = re.compile(r"\{(to|text|id|coding|receipt_url)\}")


def why_unusable() -> str:
    """Return what keeps SMS from being sent, or ""."""
    url, body = settings.SMS_GATEWAY_URL, settings.SMS_GATEWAY_BODY
    if not url.startswith(("http://", "https://")):
        return "Set SMS_GATEWAY_URL to the gateway's address."
    if missing := [name for name in ("{to}", "{text}") if name not in url + body]:
        return f"SMS_GATEWAY_URL and SMS_GATEWAY_BODY lack {' and '.join(missing)}."
    try:
        _headers()
        re.compile(settings.SMS_GATEWAY_SUCCESS)
    except ValueError as error:
        return str(error)
    except re.error:
        return "SMS_GATEWAY_SUCCESS is not a regular expression."
    return ""


def send_sms(message: Message, to: Address) -> Receipt:
    """Send an SMS. Raises Failed."""
    name = receipt_id(message.key)
    text = lay_out(message, with_urls=settings.SMS_INCLUDE_URL)
    values = {
        "to": to.value,
        "text": text,
        "id": name,
        "coding": "0" if is_gsm(text) else "2",
        "receipt_url": receipt_url(name),
    }
    headers = _headers()
    url = _filled(settings.SMS_GATEWAY_URL, values, lambda value: quote(value, safe=""))
    body = _filled(settings.SMS_GATEWAY_BODY, values, _escaping(headers)) if settings.SMS_GATEWAY_BODY else ""
    content = body.encode() or None
    _check(post(_client(), url, content, headers, to=NAME, method=settings.SMS_GATEWAY_METHOD))
    return Receipt(Stage.ACCEPTED, NAME, name, "Gateway: accepted")


def receipt_id(key: str) -> str:
    """Return by what the gateway's receipts name a message; our own, since many gateways return none."""
    return f"gw-{key}"


def receipt_url(name: str) -> str:
    """Return where the gateway reports a message's fate; `&status=…` is to be added by the template."""
    query = urlencode({"id": name, "token": receipt_token(name)})
    return f"{settings.PUBLIC_URL.rstrip('/')}/integrations/sms-gateway/receipts?{query}"


def receipt_token(name: str) -> str:
    """Return what proves that a receipt is about this message."""
    return hmac.new(f"receipt:{settings.SECRET_KEY}".encode(), name.encode(), hashlib.sha256).hexdigest()[:32]


def _check(answer: Answer) -> None:
    if not 200 <= answer.status < 300:
        raise Failed(
            f"Gateway: HTTP status {answer.status}",
            is_permanent=400 <= answer.status < 500 and answer.status not in (408, 425, 429),
            retry_after=wait_of(answer),
            provider=NAME,
            may_have_arrived=answer.status >= 500,
        )
    pattern = settings.SMS_GATEWAY_SUCCESS
    if pattern and not re.search(pattern, answer.content.decode("utf-8", "replace")):
        raise Failed("Gateway: its answer does not match SMS_GATEWAY_SUCCESS", provider=NAME)


def _filled(template: str, values: Mapping[str, str], escape: Callable[[str], str]) -> str:
    return _PLACEHOLDER.sub(lambda match: escape(values[match[1]]), template)


def _escaping(headers: Mapping[str, str]) -> Callable[[str], str]:
    content_type = next((value for name, value in headers.items() if name.lower() == "content-type"), "")
    if "json" in content_type:
        return lambda value: orjson.dumps(value).decode()[1:-1]
    if "form" in content_type:
        return lambda value: quote(value, safe="")
    return lambda value: value


def _headers() -> dict[str, str]:
    """Return the headers of SMS_GATEWAY_HEADERS, `Name: value` separated by `;`. Raises ValueError."""
    headers = {}
    for line in filter(str.strip, settings.SMS_GATEWAY_HEADERS.split(";")):
        name, colon, value = line.partition(":")
        if not colon or not re.fullmatch(r"[A-Za-z0-9-]+", name.strip()):
            raise ValueError(
                "SMS_GATEWAY_HEADERS is not a list such as “Content-Type: application/json; X-Key: secret”."
            )
        headers[name.strip()] = value.strip()
    return headers


@cache
def _client() -> Client:
    # One attempt: a GET that sends an SMS is not idempotent.
    return Client(step_seconds=5, total_seconds=8, attempts=1, is_trusted=True)
