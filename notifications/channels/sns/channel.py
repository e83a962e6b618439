"""Amazon SNS topics, for teams whose programs subscribe there."""

import re
from importlib.util import find_spec
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.errors import DomainError
from notifications.channels.port import Address, Channel, Failed, Message, Receipt, Stage
from notifications.channels.sns.client import client_for
from notifications.channels.sns.publishing import request_of

NAME = "sns"
TOPIC = re.compile(
    r"arn:(aws(?:-[a-z]{2,4}(?:-[a-z]{2,4})?)?):sns:([a-z]{2}(?:-[a-z]{2,12}){1,2}-[0-9]{1,2}):[0-9]{12}:"
    r"([A-Za-z0-9_-]{1,251}(?:\.fifo)?)",
    re.ASCII,
)
MISSING = frozenset({"NotFound", "NotFoundException"})


def send(message: Message, to: Address) -> Receipt:
    """Publish one message to a topic."""
    from botocore.exceptions import BotoCoreError, ClientError, ConnectTimeoutError, EndpointConnectionError

    region = _match(to.value)[2]
    try:
        answer = client_for(region, settings.SNS_ENDPOINT_URL).publish(**request_of(message, to.value))
    except ClientError as error:
        raise _failed(error.response) from error
    except BotoCoreError as error:
        name = type(error).__name__
        raise Failed(
            f"Amazon SNS did not answer ({name}).",
            is_permanent=name in ("NoCredentialsError", "PartialCredentialsError"),
            provider=NAME,
            may_have_arrived=not isinstance(error, ConnectTimeoutError | EndpointConnectionError),
        ) from error
    return Receipt(Stage.ACCEPTED, provider=NAME, provider_id=answer["MessageId"])


def why_unusable() -> str:
    """Return what the operator must install; "" if nothing."""
    if find_spec("boto3") is None:
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


def _failed(response: Any) -> Failed:
    code = str(response.get("Error", {}).get("Code", ""))
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in MISSING:
        return Failed("The topic does not exist.", disables=True, provider=NAME)
    may_pass = status == 429 or status >= 500 or "Throttl" in code
    return Failed(
        f"Amazon SNS refused the message: {code or status}.",
        is_permanent=not may_pass,
        provider=NAME,
        may_have_arrived=status >= 500,
    )


CHANNELS = [
    Channel(
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
