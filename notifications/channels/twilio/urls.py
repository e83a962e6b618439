"""Without a last slash, as Twilio's signature covers the address."""

from django.urls import path

from notifications.channels.twilio import webhooks

urlpatterns = [
    path("voice", webhooks.voice, name="twilio-voice"),
    path("sms", webhooks.sms, name="twilio-sms"),
    path("status", webhooks.status, name="twilio-status"),
]
