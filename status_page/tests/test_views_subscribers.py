from django.test import TestCase

from notifications.models import Delivery
from status_page.models import Subscriber
from status_page.tests.factories import make_component, make_page, make_subscriber
from status_page.vocabulary import SubscriberState
from users.tests.factories import client_of, make_admin

SUBSCRIBERS = "/api/v1/status/subscribers/"


class SubscriberTests(TestCase):
    def setUp(self) -> None:
        make_page()
        self.api = client_of(make_admin())
        self.web = make_component("Website")

    def test_it_has_a_new_address_confirm(self) -> None:
        answer = self.api.post(SUBSCRIBERS, {"email": "Ana@example.org", "components": [self.web.pk]})

        self.assertEqual((answer.status_code, answer.json()["state"]), (201, "pending"))
        self.assertEqual(Delivery.objects.filter(kind="status").count(), 1)

    def test_it_adds_a_confirmed_address_without_a_mail(self) -> None:
        sent = {"email": "ana@example.org", "components": [self.web.pk], "language": "de", "is_confirmed": True}

        told = self.api.post(SUBSCRIBERS, sent).json()

        self.assertEqual((told["state"], told["language"], told["components"]), ("active", "de", [self.web.pk]))
        self.assertFalse(Delivery.objects.exists())

    def test_it_imports_all_or_none(self) -> None:
        good, bad = {"email": "ana@example.org"}, {"email": "ben@"}

        refused = self.api.post(f"{SUBSCRIBERS}import/", {"subscribers": [good, bad]})
        taken = self.api.post(f"{SUBSCRIBERS}import/", {"subscribers": [good, {"email": "ANA@example.org"}]})

        self.assertEqual(refused.status_code, 400)
        self.assertEqual(taken.json(), {"created": 1, "known": 0})

    def test_it_keeps_who_unsubscribed_from_being_imported(self) -> None:
        reader = make_subscriber("ana@example.org")

        gone = self.api.delete(f"{SUBSCRIBERS}{reader.pk}/")
        again = self.api.post(f"{SUBSCRIBERS}import/", {"subscribers": [{"email": "ana@example.org"}]})

        self.assertEqual((gone.status_code, again.json()), (204, {"created": 0, "known": 1}))
        self.assertEqual(Subscriber.objects.get().state, SubscriberState.UNSUBSCRIBED)

    def test_it_finds_by_state_component_and_address(self) -> None:
        make_subscriber("ana@example.org", self.web)
        make_subscriber("ben@example.org", state=SubscriberState.PENDING)
        queries = {
            "state=pending": ["ben@example.org"],
            f"component={self.web.pk}": ["ana@example.org"],
            "email=BEN@example.org": ["ben@example.org"],
        }

        for query, emails in queries.items():
            with self.subTest(query):
                rows = self.api.get(f"{SUBSCRIBERS}?{query}").json()["results"]
                self.assertEqual([row["email"] for row in rows], emails)
        self.assertEqual(self.api.get(f"{SUBSCRIBERS}?status=x").status_code, 400)

    def test_it_reads_a_page_in_the_same_number_of_queries(self) -> None:
        for number in range(3):
            make_subscriber(f"reader{number}@example.org", self.web)
        self.api.get(SUBSCRIBERS)

        with self.assertNumQueries(2):
            self.api.get(SUBSCRIBERS)
