from django.test import TestCase, override_settings
from django.urls import reverse

from core.errors import DomainError, PermissionRefused
from notifications.channels.port import channel_of
from notifications.services.methods import add_method
from users.tests.factories import make_admin, make_reporter, make_responder

TWILIO = {
    "TWILIO_ACCOUNT_SID": "AC1",
    "TWILIO_AUTH_TOKEN": "secret",
    "TWILIO_FROM": "+12025550199",
    "PUBLIC_URL": "https://incidents.example.org",
    "SMS_GATEWAY_URL": "https://gateway.example.org/?to={to}&text={text}",
    "SNS_SMS_REGION": "",
}


@override_settings(**TWILIO)
class ChannelTests(TestCase):
    def test_it_is_for_responders_and_administrators(self):
        for kind in ("sms", "voice"):
            with self.subTest(kind):
                with self.assertRaises(PermissionRefused):
                    add_method(make_reporter(), kind, "+41791234567")
                self.assertEqual(add_method(make_responder(), kind, "+41791234567").method.address, "+41791234567")

    def test_it_names_the_providers_that_are_set_up_in_their_order(self):
        for order, names in (("twilio,sns,gateway", ["twilio", "gateway"]), ("gateway,twilio", ["gateway", "twilio"])):
            with self.subTest(order), override_settings(SMS_PROVIDERS=order.split(",")):
                self.assertEqual(channel_of("sms").providers(), names)

    def test_it_says_what_is_missing_to_whoever_adds_a_number(self):
        nothing = {"TWILIO_AUTH_TOKEN": "", "SMS_GATEWAY_URL": "", "VOICE_PROVIDERS": ["twilio"]}
        for kind in ("sms", "voice"):
            with (
                self.subTest(kind),
                override_settings(**nothing),
                self.assertRaisesMessage(DomainError, "Set TWILIO_AUTH_TOKEN."),
            ):
                add_method(make_responder(), kind, "+41791234567")

    def test_it_shows_the_order_in_the_back_office(self):
        self.client.force_login(make_admin())

        page = self.client.get(reverse("admin:notifications_contactmethod_changelist"))

        self.assertContains(page, "SMS: ready (twilio, gateway)")
        self.assertContains(page, "Phone call: ready (twilio)")
