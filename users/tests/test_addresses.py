from django.test import SimpleTestCase, TestCase, override_settings
from django.urls import reverse

from users import mails, services
from users.addresses import canonical
from users.models import User
from users.tests.factories import PASSWORD, make_admin, make_reporter

TOKEN = "/api/v1/auth/token/"


class CanonicalTests(SimpleTestCase):
    def test_it_keeps_one_form(self) -> None:
        table = {
            " Ann@Example.com \t": "ann@example.com",
            "JU\u0301LIA@x.example": "júlia@x.example",
            "STRAßE@x.example": "straße@x.example",
            "İ@x.example": "i\u0307@x.example",
            "ａnn@x.example": "ａnn@x.example",
        }
        for given, kept in table.items():
            with self.subTest(given):
                self.assertEqual(canonical(given), kept)
                self.assertEqual(canonical(kept), kept)


@override_settings(RATES_PER_ADDRESS={})
class ExactTests(TestCase):
    """What a collation calls equal is not the same address."""

    ALIKE = ("júlia@example.com", "ju\u0301lia@example.com", "julıa@example.com", "ｊulia@example.com")

    def setUp(self) -> None:
        self.user = make_reporter(email="julia@example.com")

    def test_it_signs_in_nobody_by_an_address_that_looks_alike(self) -> None:
        for email in self.ALIKE:
            with self.subTest(email):
                answer = self.client.post(
                    TOKEN, {"email": email, "password": PASSWORD}, content_type="application/json"
                )

                self.assertEqual(answer.status_code, 401)

    def test_it_finds_nobody_by_them(self) -> None:
        for email in (*self.ALIKE, "julia@example.com\u00a0x", "julia@ example.com"):
            with self.subTest(email):
                self.assertFalse(User.objects.filter(email=canonical(email)).exists())

    def test_it_keeps_accounts_apart_that_a_collation_calls_equal(self) -> None:
        for email in ("strasse@bücher.example", "strasse@bucher.example", "strasse@bu\u00dfher.example"):
            services.register(email=email, password=PASSWORD, name="New")
        mails.flush()

        self.assertEqual(User.objects.filter(email__startswith="strasse@").count(), 3)

    def test_it_mails_nobody_at_an_address_that_looks_alike(self) -> None:
        from django.core import mail

        for email in self.ALIKE:
            services.request_password_reset(email=email)
        mails.flush()

        self.assertEqual(mail.outbox, [])

    def test_it_searches_in_the_admin_however_an_address_is_written(self) -> None:
        self.client.force_login(make_admin(email="ada@example.com"))
        services.open_session(self.user)
        users, sessions = (reverse(f"admin:users_{name}_changelist") for name in ("user", "session"))

        for url in (users, sessions):
            found = self.client.get(url, {"q": "JULIA@Exam"}).context["cl"].result_list
            self.assertEqual(len(found), 1, url)
        by_name = self.client.get(users, {"q": self.user.name.upper()}).context["cl"].result_list
        self.assertEqual(list(by_name), [self.user])

    def test_it_refuses_a_taken_address_in_whatever_form(self) -> None:
        for email in ("JULIA@example.com", " julia@EXAMPLE.com "):
            with self.subTest(email), self.assertRaises(services.AddressTaken):
                services.register(email=email, password=PASSWORD, name="New")
