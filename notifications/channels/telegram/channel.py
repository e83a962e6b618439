"""Telegram: people and groups, by a bot."""

import re

from django.conf import settings
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.errors import DomainError
from notifications.channels.port import Address, Channel, Failed, Message, Receipt, Stage
from notifications.channels.telegram.client import PROVIDER, call
from notifications.channels.telegram.layout import layout

KIND = "telegram"
PER_MINUTE = 1200  # a bot takes about 30 a second, a group 20 a minute
_CHAT = re.compile(r"-?[1-9]\d{0,18}")
_NAME = re.compile(r"@[A-Za-z]\w{3,31}")
_MESSAGE = re.compile(r"(-?\d{1,19}):(\d{1,19})")


def send(message: Message, to: Address) -> Receipt:
    if message.edits:
        return _edit(message)
    found = call("sendMessage", {"chat_id": to.value, **layout(message)})
    chat = found.get("chat")
    return _receipt(chat.get("id") if isinstance(chat, dict) else to.value, found.get("message_id"))


def _edit(message: Message) -> Receipt:
    match = _MESSAGE.fullmatch(message.edits)
    if not match:
        raise Failed("There is no message to edit.", is_permanent=True, provider=PROVIDER)
    call("editMessageText", {"chat_id": int(match[1]), "message_id": int(match[2]), **layout(message)})
    return _receipt(match[1], match[2])


def _receipt(chat: object, message_id: object) -> Receipt:
    return Receipt(
        Stage.DELIVERED,
        provider=PROVIDER,
        provider_id=f"{chat}:{message_id}",
        data={"chat": str(chat), "message": str(message_id)},
    )


def validate(text: str) -> str:
    """Return a chat's id or a public channel's name. Raises DomainError."""
    text = text.strip()
    if not (_CHAT.fullmatch(text) or _NAME.fullmatch(text)):
        raise DomainError(
            gettext("Enter a chat ID, such as 123456789 or -1001234567890, or a public channel, such as @incidents."),
            field="address",
        )
    return text


def mask(address: str) -> str:
    return address if address.startswith("@") else f"…{address[-3:]}"


def why_unusable() -> str:
    return "" if settings.TELEGRAM_BOT_TOKEN else str(_("Set TELEGRAM_BOT_TOKEN."))


CHANNELS = (
    Channel(
        kind=KIND,
        label=_("Telegram"),
        send=send,
        validate=validate,
        mask=mask,
        why_unusable=why_unusable,
        is_room=True,
        can_edit=True,
        needs_code=False,
        is_linked=True,  # the code is sent to the bot, from the chat that is to be linked
        per_minute=PER_MINUTE,
    ),
)
