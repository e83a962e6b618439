"""Calls as a channel: providers in the order of VOICE_PROVIDERS."""

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from notifications.channels.phone.channels import phone_channel
from notifications.channels.phone.numbers import voice_number
from notifications.channels.phone.providers import Provider, Providers
from notifications.channels.twilio import client as twilio

RECEIPT_SECONDS = 150.0  # ringing, and three times the message
providers = Providers(
    "VOICE_PROVIDERS",
    lambda: settings.VOICE_PROVIDERS,
    (Provider("twilio", twilio.call, twilio.why_no_calls),),
)
CHANNELS = [phone_channel("voice", _("Phone call"), providers, validate=voice_number, receipt_seconds=RECEIPT_SECONDS)]
