import asyncio
from unittest import mock

from django.test import SimpleTestCase

from incident_response import bodies
from incident_response.bodies import ClientGone, take_body
from incident_response.exceptions import StorageUnavailable, TooLarge
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
