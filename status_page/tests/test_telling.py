from unittest import mock

from django.test import TestCase
from django.utils import timezone

from notifications.audiences import Letter
from notifications.channels.email.channel import CHANNEL
from notifications.models import Delivery
from notifications.services.claiming import claim
from notifications.vocabulary import State as DeliveryState
from status_page.links import manage_token
from status_page.models import PublicUpdate
from status_page.services import telling
from status_page.services.subscribing import unsubscribe
from status_page.services.telling import interested_in, plan_telling, readers_of, write_letters
from status_page.tests.factories import make_component, make_page, make_public_incident, make_subscriber
from status_page.vocabulary import State, SubscriberState

NOW = timezone.now


class TellingTests(TestCase):
    def setUp(self) -> None:
        make_page(name="Acme", translations={"de": {"name": "Acme-Status"}})
        self.web = make_component("Website", translations={"de": {"name": "Webseite"}})
        self.api = make_component("API")
        self.everything = make_subscriber("ana@example.org")
        self.of_web = make_subscriber("ben@example.org", self.web, language="de")
        self.of_api = make_subscriber("cleo@example.org", self.api)

    def test_it_tells_those_who_asked_for_what_is_concerned(self) -> None:
        update = make_public_incident(components=[self.web]).updates.get()

        self.assertEqual(set(readers_of(update)), {self.everything, self.of_web})

    def test_it_tells_everybody_of_what_names_no_component(self) -> None:
        update = make_public_incident().updates.get()

        self.assertEqual(readers_of(update).count(), 3)

    def test_it_tells_each_once_however_often_it_is_planned(self) -> None:
        update = make_public_incident().updates.get()

        with mock.patch.object(telling, "CHUNK", 2):
            written = plan_telling(NOW())
            PublicUpdate.objects.filter(pk=update.pk).update(tell_at=NOW(), told_to=0)
            plan_telling(NOW())

        self.assertEqual((written, Delivery.objects.filter(kind="status").count()), (3, 3))
        update.refresh_from_db()
        self.assertIsNone(update.tell_at)

    def test_it_counts_who_was_told(self) -> None:
        update = make_public_incident(components=[self.web]).updates.get()

        plan_telling(NOW())

        update.refresh_from_db()
        self.assertEqual(update.told_count, 2)

    def test_it_counts_whom_components_concern(self) -> None:
        self.assertEqual(set(interested_in([self.web.pk])), {self.everything, self.of_web})
        self.assertEqual(interested_in([]).count(), 3)

    def test_it_tells_nobody_who_is_not_confirmed(self) -> None:
        make_subscriber("dora@example.org", state=SubscriberState.PENDING)
        make_subscriber("emil@example.org", state=SubscriberState.UNSUBSCRIBED)
        update = make_public_incident().updates.get()

        plan_telling(NOW())

        told = {row.content["subscriber"] for row in Delivery.objects.filter(kind="status")}
        self.assertEqual(told, {self.everything.pk, self.of_web.pk, self.of_api.pk})
        self.assertEqual(update.pk, Delivery.objects.filter(kind="status").first().content["update"])  # type: ignore[union-attr]

    def test_it_sends_nothing_to_who_left_meanwhile(self) -> None:
        make_public_incident(components=[self.api])
        plan_telling(NOW())
        unsubscribe(manage_token(self.of_api.pk), now=NOW())

        claimed = claim(CHANNEL, 10)

        self.assertEqual([one.address.value for one in claimed if one.address], ["ana@example.org"])
        [left] = Delivery.objects.filter(state=DeliveryState.CANCELLED)
        self.assertEqual(left.reason, "Unsubscribed.")

    def test_it_sends_nothing_of_what_was_withdrawn(self) -> None:
        announced = make_public_incident()
        plan_telling(NOW())
        announced.delete()

        self.assertEqual(claim(CHANNEL, 10), [])
        self.assertEqual(Delivery.objects.filter(state=DeliveryState.CANCELLED).count(), 3)

    def test_it_writes_to_each_in_their_language(self) -> None:
        announced = make_public_incident(
            components=[self.web],
            state=State.IDENTIFIED,
            translations={"de": {"title": "Kasse ist langsam", "message": "Wir sehen uns das an."}},
        )
        plan_telling(NOW())

        letters = {
            one.address: one for one in write_letters(list(Delivery.objects.all())).values() if isinstance(one, Letter)
        }

        german, english = letters["ben@example.org"], letters["ana@example.org"]
        self.assertTrue(german.title.startswith("Acme-Status: Kasse ist langsam"))
        self.assertEqual(german.body, "Wir sehen uns das an.")
        self.assertIn("Webseite", " ".join(german.lines))
        self.assertIn(f"/de/incidents/{announced.uid}.html", german.url)
        self.assertEqual(english.title, "Acme: Checkout fails (Identified)")
        self.assertEqual(english.body, "We are looking into it.")

    def test_it_reads_the_same_number_of_rows_for_any_number_of_readers(self) -> None:
        make_public_incident(components=[self.web, self.api])
        plan_telling(NOW())
        rows = list(Delivery.objects.all())

        with self.assertNumQueries(4):
            write_letters(rows)
