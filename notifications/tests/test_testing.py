"""Tests of rooms, and the codes that are read back."""

from ipaddress import ip_network
from unittest import mock

from django.test import TestCase, override_settings

from notifications.channels.port import channel_of
from notifications.channels.teams import channel as teams
from notifications.channels.teams.tests.fake import FakeTeams
from notifications.models import Delivery, RoomChannel
from notifications.services.sending import sender_of
from notifications.vocabulary import State
from tests.reported import reported_failure
from users.tests.factories import client_of, make_admin

CHANNELS = "/api/v1/channels/"


class ReadBackTests(TestCase):
    def setUp(self) -> None:
        self.server = FakeTeams()
        self.addCleanup(self.server.stop)
        self.enterContext(override_settings(OUTBOUND_ALLOW=[ip_network("127.0.0.0/8")]))
        self.enterContext(mock.patch.object(teams, "guard", teams.RateGuard()))
        self.api = client_of(make_admin())
        address = f"{self.server.address}/workflows/1/triggers/manual/paths/invoke?sig=secret"
        self.room = self.api.post(CHANNELS, {"name": "Ops", "kind": "teams", "address": address}, format="json").json()

    def post_test(self) -> Delivery:
        self.assertEqual(self.api.post(f"{CHANNELS}{self.room['id']}/test/").status_code, 202)
        channel = channel_of("teams")
        assert channel is not None
        sender_of(channel).run()
        found = Delivery.objects.order_by("-id").first()
        assert found is not None
        return found

    def confirm(self, code: str) -> object:
        return self.api.post(f"{CHANNELS}{self.room['id']}/confirm/", {"code": code}, format="json")

    @reported_failure(21)
    def test_it_counts_a_post_as_delivered_when_its_code_was_read_there(self) -> None:
        delivery = self.post_test()
        self.assertEqual(delivery.state, State.ACCEPTED)
        shown = str(self.server.cards[0])

        answer = self.confirm(
            next(word for word in shown.replace("'", " ").split() if word.isdigit() and len(word) == 6)
        )

        self.assertEqual(answer.status_code, 200)
        self.assertIsNotNone(answer.json()["confirmed_at"])
        delivery.refresh_from_db()
        self.assertEqual(delivery.state, State.DELIVERED)

    def test_it_refuses_other_codes(self) -> None:
        self.post_test()
        for code in ("", "0", "1234567", "é"):
            with self.subTest(code):
                self.assertEqual(self.confirm(code).status_code, 400)
        self.assertIsNone(self.api.get(f"{CHANNELS}{self.room['id']}/").json()["confirmed_at"])

    def test_it_forgets_the_proof_of_another_address(self) -> None:
        RoomChannel.objects.update(data={"confirmed_at": "2026-11-30T10:00:00+00:00"})

        answer = self.api.patch(
            f"{CHANNELS}{self.room['id']}/", {"address": f"{self.server.address}/other?sig=x"}, format="json"
        )

        self.assertEqual((answer.status_code, answer.json()["confirmed_at"]), (200, None))
