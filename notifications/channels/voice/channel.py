"""Calls as a channel: providers in the order of VOICE_PROVIDERS."""

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from notifications.channels.phone.numbers import mask, voice_number
from notifications.channels.phone.providers import Provider, Providers
from notifications.channels.phone.usage import admit
from notifications.channels.port import Channel
from notifications.channels.twilio import client as twilio

RECEIPT_SECONDS = 150.0  # ringing, and three times the message
providers = Providers(
    "VOICE_PROVIDERS",
    lambda: settings.VOICE_PROVIDERS,
    (Provider("twilio", twilio.call, twilio.why_no_calls),),
)
CHANNELS = [
    Channel(
        kind="voice",
        label=_("Phone call"),
        send=providers.send,
        validate=voice_number,
        mask=mask,
        why_unusable=providers.why_unusable,
        is_for_staff=True,
        receipt_seconds=RECEIPT_SECONDS,
        providers=providers.names,
        admit=admit,
    )
]
