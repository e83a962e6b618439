"""SMS as a channel: providers in the order of SMS_PROVIDERS."""

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from notifications.channels.phone.channels import phone_channel
from notifications.channels.phone.numbers import sms_number
from notifications.channels.phone.providers import Provider, Providers
from notifications.channels.smsgateway import client as smsgateway
from notifications.channels.sns import sms as sns
from notifications.channels.twilio import client as twilio

RECEIPT_SECONDS = 60.0
providers = Providers(
    "SMS_PROVIDERS",
    lambda: settings.SMS_PROVIDERS,
    (
        Provider("twilio", twilio.send_sms, twilio.why_no_sms),
        Provider("sns", sns.send_sms, sns.why_unusable),
        Provider("gateway", smsgateway.send_sms, smsgateway.why_unusable),
    ),
)
CHANNELS = [phone_channel("sms", _("SMS"), providers, validate=sms_number, receipt_seconds=RECEIPT_SECONDS)]
