"""What vendors' folders declare."""

from django.test import SimpleTestCase

from intake.models import Source
from intake.readers import kept_headers, kinds, payload_readers
from intake.requests import IntakeRequest
from intake.services.queue import event_of
from intake.vocabulary import LOGS


class ReaderTests(SimpleTestCase):
    def test_it_offers_a_kind_of_source_for_every_reader(self) -> None:
        self.assertEqual(dict(kinds()).keys(), {*payload_readers(), LOGS})
        self.assertEqual(Source(kind="generic").get_kind_display(), dict(kinds())["generic"])

    def test_it_stores_the_headers_that_a_reader_names_and_no_others(self) -> None:
        headers = {"content-type": "application/json", "x-github-event": "ping", "authorization": "Bearer k"}
        request = IntakeRequest("POST", "/", headers)

        stored = {kind: event_of(request, Source(kind=kind)).headers for kind in ("github", "generic", LOGS)}

        self.assertEqual(stored["github"], {"content-type": "application/json", "x-github-event": "ping"})
        self.assertEqual(stored["generic"], {"content-type": "application/json"})
        self.assertEqual(stored[LOGS], stored["generic"])

    def test_it_never_stores_what_lets_anybody_in(self) -> None:
        for kind in payload_readers():
            with self.subTest(kind):
                self.assertTrue({"authorization", "cookie", "x-api-key"}.isdisjoint(kept_headers(kind)))
