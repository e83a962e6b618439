import asyncio
from unittest import mock

from django.test import SimpleTestCase

from core.errors import Busy, NotSignedIn, RequestTimeout, StorageUnavailable, TooLarge
from core.server import bodies
from core.server.bodies import SMALL_BYTES, Budget, ClientGone, read_body, take_body
from core.server.tests.asgi import Exchange, http_scope, part


def take(exchange, scope=None, limit=100, admit=None):
    async def run():
        with Budget(1_000_000).share() as share:
            spool, size = await take_body(scope or http_scope(), exchange.receive, limit, share, admit)
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

        with mock.patch.object(bodies, "STALL_SECONDS", 0.01), self.assertRaises(RequestTimeout):
            take(exchange)

    def test_it_says_when_the_disk_is_full(self):
        exchange = Exchange(part(b"x", more=False))

        with mock.patch("tempfile.SpooledTemporaryFile") as spool:
            spool.return_value.write.side_effect = OSError(28, "No space left on device")
            with self.assertRaises(StorageUnavailable):
                take(exchange)

        spool.return_value.close.assert_called_once_with()


class AdmittedBodyTests(SimpleTestCase):
    """What is larger than anybody may send."""

    def setUp(self):
        self.asked = []
        self.uploads = Budget(1_000_000)

    async def admit(self):
        self.asked.append(self.uploads.held)
        share = self.uploads.share("ada")
        self.addCleanup(share.__exit__, None, None, None)
        return share.__enter__()

    async def refuse(self):
        raise NotSignedIn("Sign in first.")

    def test_it_asks_nobody_about_a_small_body(self):
        body, _size = take(Exchange(part(b"x" * SMALL_BYTES, more=False)), limit=10**6, admit=self.admit)

        self.assertEqual((len(body), self.asked), (SMALL_BYTES, []))

    def test_it_asks_before_it_reads_what_is_declared_large(self):
        exchange = Exchange(part(b"x", more=True))
        scope = http_scope(headers=[(b"content-length", b"100000")])

        with self.assertRaises(NotSignedIn):
            take(exchange, scope, limit=10**6, admit=self.refuse)

        self.assertEqual(len(exchange.messages), 1)

    def test_it_asks_as_soon_as_a_body_without_a_length_is_large(self):
        exchange = Exchange(*[part(b"x" * 40_000, more=True)] * 9)

        with self.assertRaises(NotSignedIn):
            take(exchange, limit=10**6, admit=self.refuse)

        self.assertEqual(len(exchange.messages), 7)

    def test_it_counts_all_of_a_large_body_for_who_sent_it(self):
        chunks = [part(bytes([number]) * 50_000, more=number < 4) for number in range(5)]

        body, size = take(Exchange(*chunks), limit=10**6, admit=self.admit)

        self.assertEqual((len(body), size, self.uploads.held, self.asked), (250_000, 250_000, 250_000, [0]))
        self.assertEqual(body[100_000:100_001], b"\x02")


class FairnessTests(SimpleTestCase):
    def test_it_leaves_others_their_part(self):
        budget = Budget(100)
        with budget.share("greedy") as greedy, budget.share("modest") as modest:
            greedy(50)  # half, as long as nobody else needs it
            with self.assertRaises(Busy):
                greedy(1)
            modest(25)
            with self.assertRaises(Busy):
                modest(1)

        self.assertEqual((budget.held, dict(budget.held_by)), (0, {}))

    def test_it_cuts_off_who_stands_still_to_make_room(self):
        async def run():
            budget = Budget(100, cuts_off=True)
            stalled = [asyncio.create_task(self.stall(budget)) for _ in range(5)]
            await asyncio.sleep(0)
            with budget.share("anybody") as share:
                body = await read_body(http_scope(), Exchange(part(b"x" * 10, more=False)).receive, 100, share)
            return len(body), await asyncio.wait(stalled, timeout=0.2), stalled

        size, (done, waiting), stalled = asyncio.run(run())

        self.assertEqual((size, len(done), len(waiting)), (10, 1, 4))
        self.assertIsInstance(stalled[0].exception(), Busy)  # the one that was silent for longest

    def test_it_cuts_nobody_off_for_who_has_more_than_its_part(self):
        async def run():
            budget = Budget(100, cuts_off=True)
            stalled = [asyncio.create_task(self.stall(budget, name)) for name in "abcdef"]
            await asyncio.sleep(0)
            with budget.share("greedy") as share:
                share(25)
                with self.assertRaises(Busy):
                    share(1)
            for one in stalled:
                one.cancel()
            return await asyncio.gather(*stalled, return_exceptions=True)

        self.assertEqual({type(error) for error in asyncio.run(run())}, {asyncio.CancelledError})

    async def stall(self, budget, name="anybody"):
        with budget.share(name) as share:
            await read_body(http_scope(), Exchange(part(b"x" * 10, more=True)).receive, 100, share)


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
