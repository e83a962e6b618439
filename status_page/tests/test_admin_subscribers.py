from django.test import TestCase
from django.urls import reverse

from status_page.models import Subscriber
from status_page.tests.factories import make_page, make_subscriber
from status_page.vocabulary import SubscriberState
from users.tests.factories import make_admin, make_responder

LIST = reverse("admin:status_page_subscriber_changelist")


class SubscriberAdminTests(TestCase):
    def setUp(self) -> None:
        make_page()
        self.reader = make_subscriber("ana@example.org")

    def test_it_ends_subscriptions(self) -> None:
        self.client.force_login(make_admin())

        sent = {"action": "unsubscribe_selected", "_selected_action": [self.reader.pk]}
        self.client.post(LIST, sent)

        self.assertEqual(Subscriber.objects.get().state, SubscriberState.UNSUBSCRIBED)

    def test_it_shows_no_addresses_to_responders(self) -> None:
        self.client.force_login(make_responder())

        answer = self.client.get(LIST, follow=True)

        self.assertNotIn("ana@example.org", answer.content.decode())
