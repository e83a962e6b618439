"""Browser push through the engine: what becomes of a person whose browser is gone."""

from dataclasses import replace
from unittest import mock

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from django.test import TransactionTestCase, override_settings

from notifications.channels.port import channel_of
from notifications.channels.push import channel, vapid
from notifications.channels.push.encryption import point_of
from notifications.channels.push.subscription import to_base64, validate
from notifications.channels.push.tests.test_subscription import subscription
from notifications.models import Delivery, Notification
from notifications.services.methods import add_method
from notifications.tests.factories import deliver, make_method, make_page
from notifications.tests.fakes import Script, fake_channel, only_channels
from notifications.tests.sinks import start_sink
from notifications.vocabulary import MethodState, State
from tests.reported import reported_failure
from users.tests.factories import make_responder


@override_settings(VAPID_PRIVATE_KEY=vapid.new_private_key(), VAPID_SUBJECT="mailto:ops@example.org")
class PushDeliveryTests(TransactionTestCase):
    def setUp(self) -> None:
        self.service = start_sink(self, is_tls=True)
        self.enterContext(mock.patch.object(channel, "_client", replace(channel._client)))
        self.mail = Script()
        self.push = channel_of("push")
        self.mail_channel = fake_channel("email", self.mail)
        self.enterContext(only_channels(self.push, self.mail_channel))
        self.ana = make_responder()

    def subscription(self) -> str:
        key = generate_private_key(SECP256R1())
        keys = {"p256dh": to_base64(point_of(key.public_key())), "auth": to_base64(bytes(16))}
        return validate(subscription(endpoint=f"{self.service.url}/wpush/abc", keys=keys))

    def test_it_delivers_a_page_to_a_browser(self) -> None:
        make_method(self.ana, "push", self.subscription())
        page = make_page(self.ana)

        deliver(self.push)

        row = Delivery.objects.get(page_id=page.pk, channel="push")
        self.assertEqual((row.state, row.answered_at), (State.ACCEPTED, None))
        self.assertNotIn("wpush", row.recipient)

    @reported_failure(25)
    def test_it_tells_the_owner_of_a_browser_that_is_gone_another_way(self) -> None:
        browser = make_method(self.ana, "push", self.subscription())
        make_method(self.ana, "email", "ana@example.org")
        make_page(self.ana)
        self.service.answers = [(410, {})]

        deliver(self.push)
        deliver(self.mail_channel)

        browser.refresh_from_db()
        self.assertEqual(browser.state, MethodState.DISABLED)
        self.assertIn("unsubscribed", browser.reason)
        notice = Notification.objects.get(user=self.ana, kind="notice")
        self.assertIn("no longer reached", notice.title)
        self.assertTrue(any("no longer reached" in title for title in self.mail.titles), self.mail.titles)
        make_page(self.ana)
        deliver(self.push)
        self.assertEqual(len(self.service.received), 1)

    def test_it_verifies_a_browser_by_the_code_that_it_shows(self) -> None:
        added = add_method(self.ana, "push", self.subscription())

        deliver(self.push)

        self.assertEqual((added.method.state, added.secret), (MethodState.UNVERIFIED, ""))
        self.assertEqual(self.service.received[0].headers["TTL"], "600")
