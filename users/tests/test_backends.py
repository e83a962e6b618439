from django.contrib.auth import authenticate
from django.test import RequestFactory, TestCase

from users.tests.factories import PASSWORD, make_reporter


class EmailBackendTests(TestCase):
    def setUp(self) -> None:
        self.user = make_reporter(email="alice@example.com")
        self.request = RequestFactory().post("/")

    def test_it_finds_an_address_however_it_is_written(self) -> None:
        for email in ("alice@example.com", "ALICE@Example.COM", "  alice@example.com "):
            with self.subTest(email=email):
                self.assertEqual(authenticate(self.request, username=email, password=PASSWORD), self.user)

    def test_it_refuses_a_wrong_password(self) -> None:
        self.assertIsNone(authenticate(self.request, username="alice@example.com", password="wrong"))

    def test_it_refuses_who_is_not_active(self) -> None:
        self.user.is_active = False
        self.user.save(update_fields=["is_active"])

        self.assertIsNone(authenticate(self.request, username="alice@example.com", password=PASSWORD))
