"""A test case with a fake Twilio on one side and this application on the other."""

from collections.abc import Collection
from typing import Any
from unittest import mock
from urllib.parse import urlencode, urlsplit

from django.test import Client, TestCase, override_settings

from incidents.models import Incident
from incidents.tests.factories import make_incident
from notifications.channels.phone import receipts
from notifications.channels.port import channel_of
from notifications.channels.twilio.tests.fake import ACCOUNT, NUMBER, TOKEN, FakeTwilio, Sent, serving
from notifications.models import ContactMethod, Delivery
from notifications.tests.factories import deliver, make_method, make_page
from users.models import User
from users.tests.factories import make_responder

HOST = "incidents.example.org"
PHONE, OTHER_PHONE = "+41791234567", "+41791234568"


class TwilioCase(TestCase):
    """Ana has a phone; `self.twilio` sends, rings and replies when told."""

    def setUp(self) -> None:
        self.twilio = FakeTwilio(post=self.post)
        settings = {
            "TWILIO_API_URL": self.enterContext(serving(self.twilio)),
            "TWILIO_ACCOUNT_SID": ACCOUNT,
            "TWILIO_AUTH_TOKEN": TOKEN,
            "TWILIO_FROM": NUMBER,
            "TWILIO_MESSAGING_SERVICE_SID": "",
            "SMS_PROVIDERS": ["twilio"],
            "VOICE_PROVIDERS": ["twilio"],
            "PUBLIC_URL": f"https://{HOST}",
            "ALLOWED_HOSTS": [HOST],
            "SMS_GATEWAY_URL": "",
            "SNS_SMS_REGION": "",
        }
        self.enterContext(override_settings(**settings))
        self.enterContext(mock.patch.object(receipts, "PAUSES", ()))
        self.ana = make_responder(name="Ana")
        self.incident = make_incident(title="Disk full on db-3")
        self.addCleanup(lambda: self.assertEqual(self.twilio.refused, []))

    def post(self, address: str, form: dict[str, str], headers: dict[str, str]) -> tuple[int, str]:
        """POST as Twilio does, to the test client."""
        parts = urlsplit(address)
        self.assertEqual((parts.scheme, parts.netloc), ("https", HOST))
        response = Client(enforce_csrf_checks=True).post(
            f"{parts.path}?{parts.query}" if parts.query else parts.path,
            urlencode(form),
            content_type="application/x-www-form-urlencoded",
            headers=headers,
            secure=True,
            SERVER_NAME=HOST,
        )
        return response.status_code, response.content.decode()

    def phone(self, user: User | None = None, kind: str = "sms", number: str = PHONE, **fields: Any) -> ContactMethod:
        return make_method(user or self.ana, kind, number, **fields)

    def page(self, kind: str = "sms", user: User | None = None, incident: Incident | None = None) -> Delivery:
        """A page that was sent by this kind of method."""
        page = make_page(user or self.ana, incident or self.incident)
        self.deliver(kind)
        return Delivery.objects.get(page_id=page.pk, channel=kind)

    def deliver(self, *kinds: str) -> None:
        for kind in kinds:
            channel = channel_of(kind)
            assert channel is not None
            deliver(channel)

    def reply(self, text: str, number: str = PHONE, **more: str) -> list[str]:
        return self.twilio.reply(f"https://{HOST}/integrations/twilio/sms", number, text, **more)

    def code_of(self, sent: Sent) -> str:
        return sent["Body"].partition("Reply ")[2].partition(" ")[0]

    def status(self) -> str:
        self.incident.refresh_from_db()
        return str(self.incident.status)

    def methods_used(self, incident: Incident | None = None) -> Collection[str]:
        sent = Delivery.objects.filter(incident=incident or self.incident, attempt_count__gt=0)
        return set(sent.values_list("channel", flat=True))
