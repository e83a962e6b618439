"""Requests to stores that speak HTTP: their limits, what they say, and whom they trust."""

import tempfile
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

from django.test import SimpleTestCase

from e2e.stand_ins.serving import Reply, StandIn, of_json, of_text
from e2e.tls import TlsFront, write_certificates
from logs.sources.http import LONGEST_DETAIL, AnswerTooLong, Exchange, basic, why_untrusting
from logs.sources.outside import Limits, StoreFailed


class ExchangeTests(SimpleTestCase):
    def setUp(self) -> None:
        self.server = self.enterContext(StandIn())

    def exchange(self, url: str = "", ca_file: str = "", **limits: float) -> Exchange:
        return Exchange(
            store="Store",
            url=url or self.server.url,
            limits=Limits(**limits),
            ca_file=ca_file,
            settings="STORE_TOKEN",
            secrets=("sesame", ""),
        )

    def asked(self, *replies: Reply, **limits: float) -> StoreFailed:
        self.server.refuses = list(replies)
        exchange = self.exchange(**limits)
        with self.assertRaises(StoreFailed) as caught:
            for _reply in replies:
                exchange.read(exchange.ask("GET", "/"))
        return caught.exception

    def test_it_spends_bytes_over_all_answers(self):
        self.server.refuses = [of_json(200, {"a": "x" * 500}), of_json(200, {"a": "x" * 500})]
        exchange = self.exchange(max_bytes=800)

        exchange.ask("GET", "/")

        with self.assertRaises(AnswerTooLong):
            exchange.ask("GET", "/")

    def test_it_spends_time_over_all_answers(self):
        self.server.delay = 0.2
        begun = time.monotonic()

        failed = self.asked(*[of_json(200, {})] * 9, seconds=0.5)

        self.assertIn("took longer than", failed.message)
        self.assertLess(time.monotonic() - begun, 1.5)

    def test_it_says_which_setting_names_no_certificates(self):
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        write_certificates(folder / "authority.pem", folder / "pair.pem")
        (folder / "text.pem").write_text("hello")
        said = "LOKI_CA names no file with certificates (PEM) that can be read."

        for name, wanted in (("authority.pem", ""), ("text.pem", said), ("missing.pem", said), (".", said)):
            with self.subTest(name), self.settings(LOKI_CA=str(folder / name)):
                self.assertEqual(why_untrusting("LOKI_CA"), wanted)
        with self.settings(LOKI_CA=""):
            self.assertEqual(why_untrusting("LOKI_CA"), "")

    def test_it_hears_for_how_long_to_wait(self):
        for status, said, wait in ((429, "120", 120), (503, "7", 7), (429, "soon", 0), (401, "120", 0)):
            with self.subTest(status=status, said=said):
                self.assertEqual(self.asked(of_json(status, {}, **{"Retry-After": said})).wait, wait)

    def test_it_tells_what_lasts_from_what_passes(self):
        for status, is_permanent in ((400, True), (401, True), (403, True), (404, False), (429, False), (503, False)):
            with self.subTest(status):
                failed = self.asked(of_text(status, "so it is"))
                self.assertIs(failed.is_permanent, is_permanent)
                self.assertIn("STORE_TOKEN" if status in (401, 403) else "so it is", failed.message)

    def test_it_bounds_what_is_said_and_leaves_out_secrets(self):
        failed = self.asked(of_text(500, f"key sesame {'x' * 1000}"))

        self.assertIn("key … xxx", failed.message)
        self.assertLess(len(failed.message), LONGEST_DETAIL + 100)

    def test_it_leaves_out_what_proves_who_asks(self):
        self.server.refuses = [of_text(500, f"you sent {basic('user', 'word').partition(' ')[2]}")]
        exchange = replace(self.exchange(), headers={"Authorization": basic("user", "word")})

        with self.assertRaises(StoreFailed) as caught:
            exchange.read(exchange.ask("GET", "/"))

        self.assertIn("you sent …", caught.exception.message)

    def test_it_reads_what_hostile_lines_bring(self):
        for content, expected in (
            (b'{"a": "\\ud800"}', "\ud800"),
            (b'{"a": NaN}', "NaN"),
            (b'{"a": "\xff\x01"}', "\ufffd\x01"),
            (b'{"a": ' + b"9" * 5000 + b"}", "9" * 5000),
            (b'{"a": {"__proto__": 1}}', {"__proto__": 1}),
        ):
            with self.subTest(content[:20]):
                self.server.refuses = [Reply(200, content)]
                exchange = self.exchange()

                self.assertEqual(exchange.read(exchange.ask("GET", "/")), {"a": expected})

    def test_it_refuses_what_is_no_object(self):
        for content in (b"[]", b"nonsense", b"", b'{"a": ', b'{"a": NaN', b"[" * 100_000):
            with self.subTest(content):
                self.assertFalse(self.asked(Reply(200, content)).is_permanent)

    def test_it_fails_where_nothing_listens(self):
        self.server.stop()

        self.assertFalse(self.asked(of_json(200, {})).is_permanent)

    def test_it_trusts_the_authority_that_is_named_and_no_other(self):
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        front = self.enterContext(TlsFront(SimpleNamespace(folder=folder, port=self.server.port)))
        self.server.refuses = [of_json(200, {"a": 1})]

        trusted = self.exchange(front.address, str(front.authority))

        self.assertEqual(trusted.read(trusted.ask("GET", "/")), {"a": 1})
        for ca_file in ("", str(folder / "none.pem")):
            with self.subTest(ca_file), self.assertRaises(StoreFailed):
                self.exchange(front.address, ca_file).ask("GET", "/")
        self.assertEqual(len(self.server.requests), 1)
