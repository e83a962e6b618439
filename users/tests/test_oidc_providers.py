import json
from typing import Any

from django.test import SimpleTestCase

from users.oidc.providers import parse_providers

ONE = {"name": "corp", "issuer": "https://login.example/realms/x", "client_id": "us", "client_secret": "s3cret"}


class ParsingTests(SimpleTestCase):
    def test_it_reads_providers_by_name(self) -> None:
        more = {
            **ONE,
            "name": "google",
            "label": "Google",
            "issuer": "https://accounts.google.com",
            "trusts_email": True,
        }

        found = parse_providers(json.dumps([ONE, more]))

        self.assertEqual([provider.title for provider in found.values()], ["Corp", "Google"])
        self.assertEqual([provider.trusts_email for provider in found.values()], [False, True])
        self.assertNotIn("s3cret", repr(found))
        self.assertEqual(parse_providers(" "), {})

    def test_it_refuses_what_is_none(self) -> None:
        wrong: list[Any] = [
            *("{", {}, ["x"], [{}], [{**ONE, "name": "A b"}], [{**ONE, "secret": "x"}], [ONE, ONE]),
            *([{**ONE, "issuer": "http://login.example"}], [{**ONE, "issuer": "ftp://x"}], [{**ONE, "label": 5}]),
            *([{**ONE, "trusts_email": "yes"}], [{name: text for name, text in ONE.items() if name != "client_id"}]),
        ]
        for given in wrong:
            with self.subTest(given), self.assertRaises(ValueError):
                parse_providers(given if isinstance(given, str) else json.dumps(given))

    def test_it_takes_http_on_this_machine_alone(self) -> None:
        for issuer in ("http://localhost:8080/realms/x", "http://127.0.0.1:9", "http://[::1]:9"):
            self.assertEqual(len(parse_providers(json.dumps([{**ONE, "issuer": issuer}]))), 1)
