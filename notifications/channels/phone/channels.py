"""What SMS and calls declare alike."""

from collections.abc import Callable

from django.utils.functional import Promise

from notifications.channels.phone.numbers import mask
from notifications.channels.phone.providers import Providers
from notifications.channels.phone.usage import admit
from notifications.channels.port import Channel


def phone_channel(
    kind: str, label: Promise, providers: Providers, *, validate: Callable[[str], str], receipt_seconds: float
) -> Channel:
    """Return a channel with daily caps, for staff."""
    return Channel(
        kind=kind,
        label=label,
        send=providers.send,
        validate=validate,
        mask=mask,
        why_unusable=providers.why_unusable,
        is_for_staff=True,
        receipt_seconds=receipt_seconds,
        providers=providers.names,
        admit=admit,
    )
