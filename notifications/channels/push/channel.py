"""Browser push (RFC 8030): no vendor's account, no app."""

import datetime as dt
import os
import re

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from django.utils.translation import gettext_lazy as _

from core.errors import DomainError
from core.outbound.client import Answer, Client
from notifications.channels.port import Address, Channel, Failed, Message, Receipt, Stage
from notifications.channels.posting import post, wait_of
from notifications.channels.push import vapid
from notifications.channels.push.encryption import MOST_BYTES, encrypt
from notifications.channels.push.payload import payload_of
from notifications.channels.push.subscription import Subscription, mask, parse_subscription, validate

FEWER_BYTES = 2000  # for services that take less than the standard asks
SECONDS_KEPT = {"code": 600, "page": 4 * 3600}  # for a device that is off
DAY = 24 * 3600
GONE = frozenset({404, 410})
TOPIC = re.compile(r"[A-Za-z0-9_-]{1,32}", re.ASCII)

_client = Client(attempts=1, cuts_answer=True, max_bytes=1024)


def send(message: Message, to: Address) -> Receipt:
    """Hand one message to the browser's push service."""
    if reason := vapid.why_unusable():
        raise Failed(reason, is_permanent=True)
    try:
        subscription = parse_subscription(to.value)
    except DomainError as error:  # what is allowed may have changed
        raise Failed(error.message, is_permanent=True) from error
    answer = _post(message, subscription, MOST_BYTES)
    if answer.status == 413:
        answer = _post(message, subscription, FEWER_BYTES)
    if not 200 <= answer.status < 300:
        raise _failure(answer, subscription.service)
    return Receipt(Stage.ACCEPTED, provider=subscription.service, detail=f"HTTP {answer.status}")


def _post(message: Message, subscription: Subscription, most: int) -> Answer:
    content = encrypt(
        payload_of(message, most),
        p256dh=subscription.p256dh,
        auth=subscription.auth,
        sender=generate_private_key(SECP256R1()),
        salt=os.urandom(16),
    )
    return post(_client, subscription.endpoint, content, _headers(message, subscription), to=subscription.service)


def _headers(message: Message, subscription: Subscription) -> dict[str, str]:
    is_urgent = message.importance == "high" or message.kind in SECONDS_KEPT
    headers = {
        "Content-Type": "application/octet-stream",
        "Content-Encoding": "aes128gcm",
        "Authorization": vapid.authorization(subscription.endpoint, dt.datetime.now(dt.UTC)),
        "TTL": str(SECONDS_KEPT.get(message.kind, DAY)),
        "Urgency": "high" if is_urgent else "normal",
    }
    topic = f"incident-{message.incident}"
    # It replaces what a device that is off has not yet got: one message an incident.
    if message.incident is not None and message.count == 1 and TOPIC.fullmatch(topic):
        headers["Topic"] = topic
    return headers


def _failure(answer: Answer, service: str) -> Failed:
    status = answer.status
    if status in GONE:
        return Failed("The browser takes no more messages: it was unsubscribed.", disables=True, provider=service)
    if status in (401, 403):
        detail = f"{service} refused our key ({status}): VAPID_PRIVATE_KEY changed, or VAPID_SUBJECT is no address."
        return Failed(detail, is_permanent=True, provider=service)
    if status == 429 or status >= 500:
        return Failed(f"{service} answered {status}.", retry_after=wait_of(answer), provider=service)
    return Failed(f"{service} refused the message ({status}).", is_permanent=True, provider=service)


CHANNELS = [
    Channel(
        kind="push",
        label=_("Browser push"),
        send=send,
        validate=validate,
        mask=mask,
        why_unusable=vapid.why_unusable,
    )
]
