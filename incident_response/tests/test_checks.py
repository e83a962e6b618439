from decimal import Decimal
from pathlib import Path
from unittest import mock

from django.db import connection
from django.test import SimpleTestCase, TestCase, override_settings

from incident_response import checks
from tests.reported import reported_failure


class MediaTests(SimpleTestCase):
    def test_it_accepts_a_folder_that_can_be_made(self):
        with override_settings(MEDIA_ROOT=Path("/tmp/not/yet/there")):
            self.assertEqual(checks.media_is_writable(None), [])

    def test_it_refuses_a_file_in_the_place_of_the_folder(self):
        with override_settings(MEDIA_ROOT=Path(__file__) / "media"):
            messages = checks.media_is_writable(None)

        self.assertEqual([message.id for message in messages], ["incident_response.E001"])


class PublicUrlTests(SimpleTestCase):
    def test_it_wants_https_where_transport_is_secured(self):
        for is_secured, url, expected in (
            (True, "http://a.example", ["incident_response.W001"]),
            (True, "https://a.example", []),
            (False, "http://127.0.0.1:8000", []),
        ):
            with self.subTest(url=url), override_settings(SECURE_TRANSPORT=is_secured, PUBLIC_URL=url):
                messages = checks.public_url_is_secure(None)

                self.assertEqual([message.id for message in messages], expected)


class TwilioTests(SimpleTestCase):
    @reported_failure(23)
    def test_it_wants_an_address_that_twilio_can_call_back(self):
        for account, url, count in (
            ("", "http://127.0.0.1:8000", 0),
            ("AC1", "http://127.0.0.1:8000", 2),  # this machine's, and no https
            ("AC1", "http://incidents.example.org", 1),
            ("AC1", "https://incidents.example.org", 0),
            ("AC1", "https://other.example.org", 1),
        ):
            with (
                self.subTest(account=account, url=url),
                override_settings(
                    TWILIO_ACCOUNT_SID=account,
                    TWILIO_API_URL="https://api.twilio.com",
                    PUBLIC_URL=url,
                    ALLOWED_HOSTS=["incidents.example.org", "127.0.0.1"],
                ),
            ):
                messages = checks.twilio_can_call_back(None)

                self.assertEqual([message.id for message in messages], ["incident_response.W003"] * count)


NO_MODEL = {
    **dict.fromkeys(
        ("ASSISTANT_PROVIDER", "ASSISTANT_MODEL", "ASSISTANT_URL", "ASSISTANT_API_KEY", "ASSISTANT_REGION"), ""
    ),
    "ASSISTANT_PRICE_IN": Decimal(0),
    "ASSISTANT_PRICE_OUT": Decimal(0),
}


class ModelTests(SimpleTestCase):
    def test_it_refuses_half_a_model(self):
        key, local = {"ASSISTANT_API_KEY": "k"}, {"ASSISTANT_URL": "http://127.0.0.1:8080/v1"}
        named = {"ASSISTANT_MODEL": "m"}
        for provider, given, count in (
            ("", {}, 0),
            ("", key, 1),
            ("anthropic", {**named, **key}, 0),
            ("anthropic", {**named, **local}, 1),
            ("anthropic", key, 1),
            ("openai", {**named, **key}, 0),
            ("openai", {**named, **local}, 0),
            ("openai", named, 1),
            ("openai", {**named, "ASSISTANT_URL": "ftp://x", **key}, 1),
            ("openai", {**named, **key, "ASSISTANT_REGION": "eu-central-1"}, 1),
            ("openai", {**named, **key, "ASSISTANT_PRICE_IN": Decimal(3)}, 1),
            ("bedrock", {**named, "ASSISTANT_REGION": "eu-central-1"}, 0),
            ("bedrock", named, 1),
            ("bedrock", {**named, **key, "ASSISTANT_REGION": "eu-central-1"}, 1),
        ):
            with (
                self.subTest(provider=provider, given=given),
                override_settings(**{**NO_MODEL, "ASSISTANT_PROVIDER": provider, **given}),
            ):
                messages = checks.model_is_whole(None)

                self.assertEqual([message.id for message in messages], ["incident_response.E006"] * count)


class ServerTests(TestCase):
    def test_it_is_content_with_the_database_of_the_tests(self):
        self.assertEqual(checks.server_suits_us(None, databases=["default"]), [])

    def test_it_names_what_is_wrong_with_a_server(self):
        server = mock.MagicMock(mysql_is_mariadb=True, mysql_version=(10, 3, 1))
        cursor = server.cursor.return_value.__enter__.return_value
        cursor.fetchone.return_value = ("REPEATABLE-READ", "NO_ENGINE_SUBSTITUTION", "latin1")

        messages = checks._server_messages(server)

        self.assertEqual([message.id[-4:] for message in messages], ["E002", "E003", "E004", "E005"])
        self.assertIn("MariaDB 10.6 or newer", messages[0].msg)

    def test_it_asks_nothing_of_sqlite(self):
        with mock.patch.object(checks, "_server_messages") as asked:
            checks.server_suits_us(None, databases=["default"])

        self.assertEqual(asked.called, connection.vendor == "mysql")
