"""Rooms elsewhere, by Apprise, whose import takes 300 ms: it is imported when used."""

from django.utils.translation import gettext_lazy as _

from notifications.channels.apprise.services import mask
from notifications.channels.port import Address, Channel, Message, Receipt


def send(message: Message, to: Address) -> Receipt:
    from notifications.channels.apprise import sending

    return sending.send(message, to)


def validate(text: str) -> str:
    from notifications.channels.apprise import sending

    return sending.validate(text)


CHANNELS = (
    Channel(
        kind="apprise",
        label=_("Other chats (Apprise)"),
        send=send,
        validate=validate,
        mask=mask,
        is_personal=False,
        is_room=True,
        concurrency=4,
    ),
)
