import asyncio
from unittest import mock

from django.test import SimpleTestCase

from incident_response import bodies
from incident_response.bodies import Budget, ClientGone, read_body, take_body
from incident_response.exceptions import Busy, StorageUnavailable, TooLarge
from incident_response.tests.asgi import Exchange, http_scope, part


def take(exchange, scope=None, limit=100):
    async def run():
        spool, size = await take_body(scope or http_scope(), exchange.receive, limit)
        with spool:
            return spool.read(), size

    return asyncio.run(run())


class TakeBodyTests(SimpleTestCase):
    def test_it_joins_the_chunks(self):
        exchange = Exchange(part(b"one ", more=True), part(b"two", more=False))

        taken = take(exchange)

        self.assertEqual(taken, (b"one two", 7))

    def test_it_takes_exactly_the_limit(self):
        self.assertEqual(take(Exchange(part(b"x" * 100, more=False))), (b"x" * 100, 100))

    def test_it_refuses_more_than_the_limit_however_it_comes(self):
        exchange = Exchange(*[part(b"x" * 60, more=True)] * 2)

        with self.assertRaises(TooLarge):
            take(exchange)

    def test_it_refuses_a_declared_length_before_reading(self):
        exchange = Exchange(part(b"x", more=True))
        scope = http_scope(headers=[(b"content-length", b"101")])

        with self.assertRaises(TooLarge):
            take(exchange, scope)

        self.assertEqual(len(exchange.messages), 1)

    def test_it_notices_a_body_cut_off_half_way(self):
        exchange = Exchange(part(b"half", more=True), {"type": "http.disconnect"})

        with self.assertRaises(ClientGone):
            take(exchange)

    def test_it_gives_up_on_a_client_that_stands_still(self):
        exchange = Exchange(part(b"half", more=True))

        with mock.patch.object(bodies, "STALL_SECONDS", 0.01), self.assertRaises(ClientGone):
            take(exchange)

    def test_it_says_when_the_disk_is_full(self):
        exchange = Exchange(part(b"x", more=False))

        with mock.patch("tempfile.SpooledTemporaryFile") as spool:
            spool.return_value.write.side_effect = OSError(28, "No space left on device")
            with self.assertRaises(StorageUnavailable):
                take(exchange)

        spool.return_value.close.assert_called_once_with()


class BudgetTests(SimpleTestCase):
    def read(self, budget, *messages):
        async def run():
            with budget.share() as take:
                return await read_body(http_scope(), Exchange(*messages).receive, 100, take), budget.held

        return asyncio.run(run())

    def test_it_counts_while_a_body_is_read_and_gives_back_afterwards(self):
        budget = Budget(100)

        body, held = self.read(budget, part(b"x" * 60, more=True), part(b"x" * 40, more=False))

        self.assertEqual((len(body), held, budget.held), (100, 100, 0))

    def test_it_turns_away_what_is_one_byte_too_much(self):
        budget = Budget(99)

        with self.assertRaises(Busy):
            self.read(budget, part(b"x" * 60, more=True), part(b"x" * 40, more=False))

        self.assertEqual(budget.held, 0)

    def test_it_gives_back_what_a_broken_body_took(self):
        budget = Budget(100)

        with self.assertRaises(ClientGone):
            self.read(budget, part(b"x" * 60, more=True), {"type": "http.disconnect"})

        self.assertEqual(budget.held, 0)
