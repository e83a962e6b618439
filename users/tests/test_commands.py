import os
from unittest import mock

from django.core.management import CommandError, call_command
from django.test import TestCase

from users import services
from users.models import PersonalToken, User
from users.tests.factories import make_reporter

GOOD = "long enough to be good"


class CreateSuperuserTests(TestCase):
    def create(self, **named: str) -> None:
        given = {"EMAIL": "ada@example.org", "NAME": "Ada", "PASSWORD": GOOD, **named}
        environment = {f"DJANGO_SUPERUSER_{name}": value for name, value in given.items()}
        with mock.patch.dict(os.environ, environment):
            call_command("createsuperuser", interactive=False, verbosity=0)

    def test_it_refuses_a_weak_password_and_a_bad_name(self) -> None:
        cases = (
            ({"PASSWORD": "short"}, "too short"),
            ({"PASSWORD": "ada@example.org"}, "too similar"),
            ({"NAME": "A\bda"}, "control characters"),
            ({"NAME": "see https://evil.example"}, "cannot contain a link"),
        )
        for named, sentence in cases:
            with self.subTest(named), self.assertRaisesMessage(CommandError, sentence):
                self.create(**named)
        self.assertFalse(User.objects.exists())

    def test_it_offers_no_way_around_when_it_asks(self) -> None:
        with (
            mock.patch("getpass.getpass", return_value="short"),
            mock.patch("builtins.input", return_value="y"),
            mock.patch("sys.stdin.isatty", return_value=True),
            self.assertRaisesMessage(CommandError, "too short"),
        ):
            call_command("createsuperuser", email="ada@example.org", name="Ada", verbosity=0, stderr=mock.Mock())

        self.assertFalse(User.objects.exists())


class ChangePasswordTests(TestCase):
    def test_it_ends_what_the_old_password_gave(self) -> None:
        user = make_reporter(email="rita@example.com")
        session = services.open_session(user)
        services.create_personal_token(user, name="script")

        with mock.patch("getpass.getpass", return_value=GOOD):
            call_command("changepassword", "Rita@example.com", stdout=mock.Mock())

        user.refresh_from_db()
        session.refresh_from_db()
        self.assertTrue(user.check_password(GOOD))
        self.assertEqual(session.revoked_reason, "password_set")
        self.assertFalse(PersonalToken.objects.exists())

    def test_it_refuses_a_weak_password(self) -> None:
        make_reporter(email="rita@example.com")

        with mock.patch("getpass.getpass", return_value="short"), self.assertRaises(CommandError):
            call_command("changepassword", "rita@example.com", stdout=mock.Mock(), stderr=mock.Mock())
