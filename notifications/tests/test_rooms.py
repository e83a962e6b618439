from django.test import TestCase
from django.urls import reverse

from notifications.models import Delivery, RoomChannel
from notifications.vocabulary import Kind
from users.tests.factories import client_of, make_admin

CHANNELS = "/api/v1/channels/"


class RoomChannelTests(TestCase):
    def setUp(self) -> None:
        self.admin = make_admin()
        self.api = client_of(self.admin)

    def add(self, **fields: object):
        body = {"name": "Operations", "kind": "email", "address": "ops@example.org", **fields}
        return self.api.post(CHANNELS, body, format="json")

    def test_it_masks_the_address_and_takes_the_mask_back(self) -> None:
        room = self.add().json()

        again = self.api.put(
            f"{CHANNELS}{room['id']}/", {"name": "Ops", "kind": "email", "address": room["address"]}, format="json"
        )

        self.assertNotIn("ops@example.org", str(room))
        self.assertEqual(again.status_code, 200)
        self.assertEqual(RoomChannel.objects.get().address, "ops@example.org")

    def test_it_refuses_unknown_kinds_events_and_addresses(self) -> None:
        cases = [({"kind": "pigeon"}, "kind"), ({"events": ["exploded"]}, "events"), ({"address": "x"}, "address")]
        for fields, field in cases:
            with self.subTest(fields):
                answer = self.add(**fields)
                self.assertEqual((answer.status_code, answer.json()["errors"][0]["field"]), (400, field))
        self.assertEqual(RoomChannel.objects.count(), 0)

    def test_it_checks_a_new_address_against_the_kind(self) -> None:
        room = self.add().json()

        answer = self.api.patch(f"{CHANNELS}{room['id']}/", {"address": "nonsense"}, format="json")

        self.assertEqual(answer.status_code, 400)
        self.assertEqual(RoomChannel.objects.get().address, "ops@example.org")

    def test_it_sends_a_test(self) -> None:
        room = self.add().json()

        answer = self.api.post(f"{CHANNELS}{room['id']}/test/")

        self.assertEqual((answer.status_code, answer.json()["state"]), (202, "waiting"))
        self.assertEqual(Delivery.objects.get().kind, Kind.TEST)

    def test_it_tests_no_disabled_room(self) -> None:
        room = self.add(is_enabled=False).json()

        self.assertEqual(self.api.post(f"{CHANNELS}{room['id']}/test/").status_code, 409)

    def test_it_keeps_the_address_when_the_form_leaves_it_empty(self) -> None:
        room = self.add().json()
        self.client.force_login(self.admin)
        url = reverse("admin:notifications_roomchannel_change", args=[room["id"]])

        page = self.client.get(url)
        self.client.post(
            url, {"name": "Ops", "kind": "email", "address": "", "events": ["created"], "is_enabled": "on"}
        )

        self.assertNotContains(page, "ops@example.org")
        row = RoomChannel.objects.get()
        self.assertEqual((row.name, row.address, row.events), ("Ops", "ops@example.org", ["created"]))
