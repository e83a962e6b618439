"""Group commit: many waiting requests, one transaction, each its own answer."""

import asyncio
import json
import threading
from unittest import mock

from django.db import InterfaceError
from django.test import TransactionTestCase

from alerts.incoming import Incoming, Reply
from alerts.intake import find, serve
from alerts.intake.committer import Committer
from alerts.models import Alert, IntakeEvent
from alerts.services import process_waiting
from alerts.tests.factories import make_key, make_source


class CommitterTests(TransactionTestCase):
    def setUp(self) -> None:
        self.path = f"/intake/{make_key(make_source())}/"
        self.committer = Committer()

    def ask(self, *bodies: bytes) -> list[Reply]:
        door = find("POST", self.path)
        assert door is not None

        async def all_at_once() -> list[Reply]:
            asked = (self.committer.answer(door, Incoming("POST", self.path, {}, body)) for body in bodies)
            return list(await asyncio.gather(*asked))

        return asyncio.run(all_at_once())

    def test_it_answers_each_what_is_due(self) -> None:
        good = [json.dumps({"title": f"Disk {number}", "key": str(number)}).encode() for number in range(20)]

        replies = self.ask(*good[:10], b"{", *good[10:])

        self.assertEqual([reply.status for reply in replies], [202] * 10 + [400] + [202] * 10)
        self.assertEqual(IntakeEvent.objects.count(), 21)
        process_waiting()
        self.assertEqual(Alert.objects.count(), 20)

    def test_it_gathers_what_waits(self) -> None:
        bodies = [json.dumps({"title": "Disk", "key": str(number)}).encode() for number in range(50)]

        with mock.patch("alerts.intake.committer.serve", wraps=serve) as served:
            self.ask(*bodies)

        self.assertEqual(IntakeEvent.objects.count(), 50)
        self.assertEqual(sum(len(call.args[0]) for call in served.call_args_list), 50)
        self.assertLess(served.call_count, 50)

    def test_it_keeps_serving_whatever_goes_wrong(self) -> None:
        door = find("POST", self.path)
        assert door is not None

        with mock.patch.object(type(door), "source", side_effect=InterfaceError("connection already closed")):
            unknown = self.ask(b"{}")[0]
        with mock.patch("alerts.intake.committer.close_old_connections", side_effect=InterfaceError("closed")):
            broken = self.ask(b"{}")[0]
        good = self.ask(b'{"title": "Disk"}')[0]

        self.assertEqual((unknown.status, broken.status, good.status), (503, 503, 202))

    def test_it_turns_away_what_is_slow_while_much_of_it_waits(self) -> None:
        self.committer._slow_places = places = threading.BoundedSemaphore(1)

        with mock.patch("alerts.doors.intake.IntakeDoor.is_slow", return_value=True):
            taken = self.ask(b'{"title": "Disk"}')[0]
            is_given_back = places.acquire(timeout=5)
            refused = self.ask(b'{"title": "Disk"}')[0]

        self.assertEqual((taken.status, is_given_back), (202, True))
        self.assertEqual((refused.status, refused.headers["Retry-After"]), (503, "5"))

    def test_it_begins_nothing_slow_that_waited_for_too_long(self) -> None:
        with (
            mock.patch("alerts.doors.intake.IntakeDoor.is_slow", return_value=True),
            mock.patch("alerts.intake.committer.SLOW_WAIT_SECONDS", -1),
        ):
            late = self.ask(b'{"title": "Disk"}')[0]

        self.assertEqual((late.status, late.headers["Retry-After"], IntakeEvent.objects.count()), (503, "5", 0))
