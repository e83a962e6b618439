"""Slack: people and rooms by the app's token, rooms by an incoming webhook."""

import re
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.errors import DomainError
from core.outbound.urls import validate_url
from notifications.channels.port import Address, Channel, Failed, Message, Receipt, Stage
from notifications.channels.slack.blocks import layout
from notifications.channels.slack.client import call, is_operators, post_to_webhook
from notifications.channels.slack.errors import PROVIDER

KIND = "slack"
PER_MINUTE = 300  # of a workspace; a conversation takes about one a second
_ID = re.compile(r"[CDGUW][A-Z0-9]{7,20}")
_NAME = re.compile(r"#[^\s#@<>&]{1,80}")
_MESSAGE = re.compile(r"([CDG][A-Z0-9]{7,20}):(\d{1,12}\.\d{1,9})")


def send(message: Message, to: Address) -> Receipt:
    if to.value.startswith(("http://", "https://")):
        return _send_to_webhook(message, to.value)
    if message.edits:
        return _edit(message)
    text, blocks = layout(message)
    found = call(
        "chat.postMessage",
        {"channel": to.value, "text": text, "blocks": blocks, "unfurl_links": False, "unfurl_media": False},
    )
    return _receipt(found)


def _edit(message: Message) -> Receipt:
    match = _MESSAGE.fullmatch(message.edits)
    if not match:
        raise Failed("There is no message to edit.", is_permanent=True, provider=PROVIDER)
    text, blocks = layout(message)
    return _receipt(call("chat.update", {"channel": match[1], "ts": match[2], "text": text, "blocks": blocks}))


def _receipt(found: dict[str, object]) -> Receipt:
    channel, ts = str(found.get("channel", "")), str(found.get("ts", ""))
    return Receipt(
        Stage.DELIVERED, provider=PROVIDER, provider_id=f"{channel}:{ts}", data={"channel": channel, "ts": ts}
    )


def _send_to_webhook(message: Message, url: str) -> Receipt:
    if message.edits:
        raise Failed("A webhook cannot edit messages.", is_permanent=True, provider=PROVIDER)
    text, blocks = layout(message, with_buttons=False)
    post_to_webhook(url, {"text": text, "blocks": blocks})
    return Receipt(Stage.ACCEPTED, provider=PROVIDER)


def validate(text: str) -> str:
    """Return a member or channel id, a #channel, or a webhook's address. Raises DomainError."""
    text = text.strip()
    if text.lower().startswith(("http://", "https://")):
        return text if is_operators(text) else validate_url(text)
    if not (_ID.fullmatch(text) or _NAME.fullmatch(text)):
        raise DomainError(
            gettext(
                "Enter a member ID (U…), a channel ID (C…), a channel such as #incidents, or the address of "
                "an incoming webhook."
            ),
            field="address",
        )
    return text


def mask(address: str) -> str:
    if address.startswith("http"):
        return f"{urlsplit(address).hostname}/…"
    return address if address.startswith("#") else f"{address[:2]}…{address[-2:]}"


def why_unusable() -> str:
    if not settings.SLACK_BOT_TOKEN:
        return str(_("Set SLACK_BOT_TOKEN, and SLACK_SIGNING_SECRET for the buttons; only incoming webhooks work now."))
    if not settings.SLACK_SIGNING_SECRET:
        return str(_("Set SLACK_SIGNING_SECRET: the buttons of messages do nothing without it."))
    return ""


CHANNELS = (
    Channel(
        kind=KIND,
        label=_("Slack"),
        send=send,
        validate=validate,
        mask=mask,
        why_unusable=why_unusable,
        is_room=True,
        can_edit=True,
        needs_code=False,
        is_linked=True,  # the code is sent to the app, with the account that is to be linked
        per_minute=PER_MINUTE,
    ),
)
