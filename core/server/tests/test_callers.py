"""Who is calling, asked before a large request is taken in."""

from unittest import mock

from django.conf import settings
from django.db import OperationalError
from django.test import TestCase, override_settings
from django.utils import timezone

from core.errors import DatabaseUnavailable, NotSignedIn, PermissionRefused
from core.server.callers import network_of, signed_in
from core.server.tests.asgi import http_scope
from users.models import Session, TokenScope, User
from users.services.personal_tokens import create_personal_token


class SignedInTests(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        cls.user = User.objects.create_user("ada@example.org", "four-green-lamps", name="Ada")
        cls.name = f"user {cls.user.pk}"

    def setUp(self) -> None:
        # The test's own connection is in a transaction, and would be closed.
        self.enterContext(mock.patch("core.server.callers.close_old_connections"))

    def asked(self, name: str = "", value: str = "") -> str:
        headers = [(name.encode(), value.encode())] if name else []
        return signed_in(http_scope("/api/v1/incidents/", "POST", headers))

    def test_it_knows_an_access_token_until_its_session_ends(self) -> None:
        given = {"email": self.user.email, "password": "four-green-lamps"}
        token = self.client.post("/api/v1/auth/token/", given).json()["access"]

        self.assertEqual(self.asked("authorization", f"Bearer {token}"), self.name)
        Session.objects.update(revoked_at=timezone.now())
        with self.assertRaises(NotSignedIn):
            self.asked("authorization", f"Bearer {token}")

    def test_it_knows_a_personal_token_that_may_write(self) -> None:
        texts = {}
        for scope in (TokenScope.WRITE, TokenScope.READ):
            _row, texts[scope] = create_personal_token(self.user, name=scope, scope=scope)

        self.assertEqual(self.asked("authorization", f"Token {texts[TokenScope.WRITE]}"), self.name)
        with self.assertRaises(PermissionRefused):
            self.asked("authorization", f"Token {texts[TokenScope.READ]}")

    def test_it_knows_the_cookie_of_the_back_office(self) -> None:
        self.client.force_login(self.user)
        cookie = self.client.cookies[settings.SESSION_COOKIE_NAME].value

        self.assertEqual(self.asked("cookie", f"a=b; {settings.SESSION_COOKIE_NAME}={cookie}"), self.name)
        User.objects.update(is_active=False)
        with self.assertRaises(NotSignedIn):
            self.asked("cookie", f"{settings.SESSION_COOKIE_NAME}={cookie}")

    def test_it_knows_nobody_else(self) -> None:
        for name, value in (
            ("", ""),
            ("authorization", "Bearer nonsense"),
            ("authorization", "Bearer a.b.c"),
            ("authorization", "Token nonsense"),
            ("authorization", "Basic YTpi"),
            ("cookie", f"{settings.SESSION_COOKIE_NAME}=nonsense"),
        ):
            with self.subTest(value=value), self.assertRaises(NotSignedIn):
                self.asked(name, value)

    def test_it_asks_to_come_again_while_the_database_is_away(self) -> None:
        with (
            mock.patch("core.server.callers.get_user", side_effect=OperationalError(2013, "Lost connection")),
            self.assertRaises(DatabaseUnavailable),
        ):
            self.asked("cookie", f"{settings.SESSION_COOKIE_NAME}=nonsense")


class NetworkTests(TestCase):
    def of(self, address: str, forwarded: str = "") -> str:
        headers = [(b"x-forwarded-for", forwarded.encode())] if forwarded else []
        return network_of({**http_scope(headers=headers), "client": (address, 5000)})

    def test_it_counts_ipv6_by_what_one_customer_has(self) -> None:
        cases = {
            "192.0.2.7": "192.0.2.7",
            "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::",
            "2001:db8:1:2::9": "2001:db8:1:2::",
            "2002:c000:207:1::1": "192.0.2.7",
            "fe80::1%eth0": "fe80::",
            "": "",
        }

        self.assertEqual({given: self.of(given) for given in cases}, cases)

    def test_it_believes_forwarded_addresses_as_far_as_proxies_are_trusted(self) -> None:
        self.assertEqual(self.of("192.0.2.7", "198.51.100.1"), "192.0.2.7")
        with override_settings(TRUSTED_PROXIES=1):
            self.assertEqual(self.of("192.0.2.7", "203.0.113.9, 198.51.100.1"), "198.51.100.1")
            self.assertEqual(self.of("192.0.2.7", "2001:db8:1:2::9"), "2001:db8:1:2::")
