"""Amazon SNS topics, for teams whose programs subscribe there."""

import re

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.errors import DomainError
from notifications.channels.port import Address, Channel, Message, Receipt, Stage
from notifications.channels.sns.client import NAME, is_installed, publish
from notifications.channels.sns.publishing import request_of

TOPIC = re.compile(
    r"arn:(aws(?:-[a-z]{2,4}(?:-[a-z]{2,4})?)?):sns:([a-z]{2}(?:-[a-z]{2,12}){1,2}-[0-9]{1,2}):[0-9]{12}:"
    r"([A-Za-z0-9_-]{1,251}(?:\.fifo)?)",
    re.ASCII,
)
DEAD = dict.fromkeys(("NotFound", "NotFoundException"), "the topic does not exist")


def send(message: Message, to: Address) -> Receipt:
    """Publish one message to a topic."""
    published = publish(_match(to.value)[2], request_of(message, to.value), dead=DEAD)
    return Receipt(Stage.ACCEPTED, provider=NAME, provider_id=published)


def why_unusable() -> str:
    """Return what the operator must install; "" if nothing."""
    if not is_installed():
        return _("The operator must install the extra for AWS: pip install -r requirements-aws.txt.")
    return ""


def validate(text: str) -> str:
    """Return a topic's ARN. Raises DomainError."""
    text = text.strip()
    _match(text)
    return text


def mask(topic: str) -> str:
    """Return region and name without the account."""
    match = TOPIC.fullmatch(topic)
    return f"{match[2]}:…:{match[3]}" if match else "…"


def _match(text: str) -> re.Match[str]:
    match = TOPIC.fullmatch(text)
    if match is None:
        raise DomainError(
            _("Expected the ARN of a topic, such as arn:aws:sns:eu-central-1:123456789012:incidents."), field="address"
        )
    return match


CHANNELS = [
    Channel(
        is_for_programs=True,
        kind=NAME,
        label=gettext_lazy("Amazon SNS topic"),
        send=send,
        validate=validate,
        mask=mask,
        why_unusable=why_unusable,
        is_personal=False,
        is_room=True,
        concurrency=16,
    )
]
