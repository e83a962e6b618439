"""Addresses that people enter."""

from ipaddress import ip_network

from django.test import SimpleTestCase

from core.errors import DomainError
from core.outbound.urls import validate_url


class UrlTests(SimpleTestCase):
    def test_it_keeps_what_can_be_called(self) -> None:
        for text in ("https://a.test/x?y=1", "http://a.test:8080", "https://1.1.1.1/", "https://[2606:4700::1111]/"):
            with self.subTest(text):
                self.assertEqual(validate_url(f" {text}\n"), text)

    def test_it_refuses_what_cannot_or_may_not_be_called(self) -> None:
        for text in (
            *(
                "",
                "a.test",
                "ftp://a.test",
                "https://",
                "https:///x",
                "https://a.test:port/",
                "https://[::1",
                "//a.test",
            ),
            *("https://me:secret@a.test/", "https://me@a.test/", "https://a.test/#x", "https://a.test/a b"),
            *("https://a.test/\x00", "https://a.test/" + "x" * 2048),
            *("http://127.0.0.1/", "http://2130706433/", "http://localhost:8000/", "http://[::ffff:10.0.0.1]/"),
            *("http://①②⑦.⓪.⓪.①/", "http://127。0。0。1/", "http://a.test\\@127.0.0.1/", "http://[::ffff:7f00:1]/"),
            *("http://169.254.169.254/latest/meta-data/", "http://0/", "http://[fe80::1%25eth0]/"),
        ):
            with self.subTest(text), self.assertRaises(DomainError) as caught:
                validate_url(text)
            self.assertEqual(caught.exception.field, "address")

    def test_it_takes_schemes_and_networks_that_are_allowed(self) -> None:
        with self.settings(OUTBOUND_ALLOW=[ip_network("10.0.0.0/8")]):
            self.assertEqual(validate_url("http://10.1.1.1/"), "http://10.1.1.1/")
        with self.assertRaises(DomainError):
            validate_url("http://a.test/", schemes=("https",))
