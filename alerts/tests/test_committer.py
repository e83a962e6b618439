"""Group commit: many waiting requests, one transaction, each its own answer."""

import asyncio
import contextlib
import gzip
import json
import threading
import time
from collections.abc import Callable, Iterator
from unittest import mock

from django.db import InterfaceError
from django.test import TransactionTestCase

from alerts.models import Alert
from alerts.services import process_waiting
from alerts.tests.factories import make_key, make_source
from core.db.transactions import DatabaseBusy
from intake.committer import MAX_BATCH, Committer
from intake.endpoints import find
from intake.models import IntakeEvent
from intake.requests import MAX_BYTES, IntakeRequest, IntakeResponse
from intake.results import IntakeResult
from intake.serving import store


class CommitterTests(TransactionTestCase):
    def setUp(self) -> None:
        self.path = f"/intake/{make_key(make_source())}/"
        self.committer = Committer()

    def ask(self, *bodies: bytes) -> list[IntakeResponse]:
        endpoint = find("POST", self.path)
        assert endpoint is not None

        async def all_at_once() -> list[IntakeResponse]:
            asked = (self.committer.answer(endpoint, IntakeRequest("POST", self.path, {}, body)) for body in bodies)
            return list(await asyncio.gather(*asked))

        return asyncio.run(all_at_once())

    def test_it_answers_each_what_is_due(self) -> None:
        good = [json.dumps({"title": f"Disk {number}", "key": str(number)}).encode() for number in range(20)]

        replies = self.ask(*good[:10], b"{", *good[10:])

        self.assertEqual([response.status for response in replies], [202] * 10 + [400] + [202] * 10)
        self.assertEqual(IntakeEvent.objects.count(), 21)
        process_waiting()
        self.assertEqual(Alert.objects.count(), 20)

    def test_it_keeps_what_comes_while_it_waits_for_its_turn_in_one_transaction(self) -> None:
        bodies = [json.dumps({"title": "Disk", "key": str(number)}).encode() for number in range(50)]
        with self.turns(lambda: self.wait_for(50)), mock.patch("intake.committer.store", wraps=store) as kept:
            replies = self.ask(*bodies)

        self.assertEqual(({response.status for response in replies}, IntakeEvent.objects.count()), ({202}, 50))
        self.assertEqual([len(call.args[0]) for call in kept.call_args_list], [50])

    def test_it_answers_what_it_only_reads_without_a_turn(self) -> None:
        self.path = "/intake/nobody/"

        with self.turns(lambda: self.fail("nothing is to be written")):
            replies = self.ask(b"{}", b"{}")

        self.assertEqual([response.status for response in replies], [403, 403])

    def test_it_turns_away_those_who_wait_when_the_turn_does_not_come(self) -> None:
        with self.turns(mock.Mock(side_effect=DatabaseBusy())):
            busy = self.ask(b'{"title": "Disk"}', b'{"title": "Disk"}')
        good = self.ask(b'{"title": "Disk"}')

        self.assertEqual([response.status for response in busy + good], [503, 503, 202])

    def test_it_holds_little_that_was_packed_small(self) -> None:
        body = gzip.compress(json.dumps({"title": "Disk", "message": "x" * (MAX_BYTES // 3)}).encode())

        with mock.patch("intake.committer.store", wraps=store) as kept:
            replies = self.ask(*[body] * 8)

        self.assertEqual([response.status for response in replies], [202] * 8)
        self.assertLessEqual(max(len(call.args[0]) for call in kept.call_args_list), 2)

    def test_it_keeps_no_more_at_once_than_a_transaction_should_hold(self) -> None:
        with mock.patch("intake.committer.store", wraps=store) as kept:
            self.ask(*[b'{"title": "Disk"}'] * (MAX_BATCH + 50))

        self.assertLessEqual(max(len(call.args[0]) for call in kept.call_args_list), MAX_BATCH)
        self.assertEqual(IntakeEvent.objects.count(), MAX_BATCH + 50)

    @contextlib.contextmanager
    def turns(self, wait: Callable[[], object]) -> Iterator[None]:
        """Every turn to write comes after `wait`."""

        @contextlib.contextmanager
        def turn() -> Iterator[None]:
            wait()
            yield

        with mock.patch("intake.committer.sqlite_write_lock", turn):
            yield

    def wait_for(self, number: int) -> None:
        """Until so many were read."""
        deadline = time.monotonic() + 10
        while len(self.committer._backlog._held) < number and time.monotonic() < deadline:
            time.sleep(0.001)

    def test_it_keeps_serving_whatever_goes_wrong(self) -> None:
        endpoint = find("POST", self.path)
        assert endpoint is not None

        with mock.patch.object(type(endpoint), "source", side_effect=InterfaceError("connection already closed")):
            unknown = self.ask(b"{}")[0]
        with mock.patch("intake.committer.close_old_connections", side_effect=InterfaceError("closed")):
            broken = self.ask(b"{}")[0]
        good = self.ask(b'{"title": "Disk"}')[0]

        self.assertEqual((unknown.status, broken.status, good.status), (503, 503, 202))

    def test_it_answers_all_when_keeping_them_breaks(self) -> None:
        with mock.patch("intake.committer.store", side_effect=RuntimeError("full")):
            broken = self.ask(b'{"title": "Disk"}', b'{"title": "Disk"}')
        good = self.ask(b'{"title": "Disk"}')

        self.assertEqual([response.status for response in broken + good], [503, 503, 202])

    def test_it_keeps_what_weighs_much_by_itself(self) -> None:
        heavy = IntakeResult([], IntakeResponse(202), mock.Mock(), weight=MAX_BYTES)

        with (
            mock.patch("alerts.endpoints.intake.IntakeEndpoint.ingest", return_value=heavy),
            mock.patch("intake.committer.store", wraps=store) as kept,
        ):
            self.ask(b"{}", b"{}", b"{}")

        self.assertEqual([len(call.args[0]) for call in kept.call_args_list], [1, 1, 1])

    def test_it_turns_away_what_is_slow_while_much_of_it_waits(self) -> None:
        self.committer._slow_places = places = threading.BoundedSemaphore(1)

        with mock.patch("alerts.endpoints.intake.IntakeEndpoint.is_slow", return_value=True):
            result = self.ask(b'{"title": "Disk"}')[0]
            is_given_back = places.acquire(timeout=5)
            refused = self.ask(b'{"title": "Disk"}')[0]

        self.assertEqual((result.status, is_given_back), (202, True))
        self.assertEqual((refused.status, refused.headers["Retry-After"]), (503, "5"))

    def test_it_begins_nothing_slow_that_waited_for_too_long(self) -> None:
        with (
            mock.patch("alerts.endpoints.intake.IntakeEndpoint.is_slow", return_value=True),
            mock.patch("intake.committer.SLOW_WAIT_SECONDS", -1),
        ):
            late = self.ask(b'{"title": "Disk"}')[0]

        self.assertEqual((late.status, late.headers["Retry-After"], IntakeEvent.objects.count()), (503, "5", 0))
