import os
from unittest import mock

from django.core.management import call_command
from django.test import TestCase

from users.models import Role, User

NAMED = {
    "DJANGO_SUPERUSER_EMAIL": "Ada@Example.org",
    "DJANGO_SUPERUSER_PASSWORD": "long enough to be good",
    "DJANGO_SUPERUSER_NAME": "Ada",
}


class CreateSuperuserTests(TestCase):
    def test_it_makes_an_administrator_from_the_environment(self) -> None:
        with mock.patch.dict(os.environ, NAMED):
            call_command("createsuperuser", interactive=False, verbosity=0)

        user = User.objects.get()
        self.assertEqual((user.email, user.name, user.role), ("ada@example.org", "Ada", Role.ADMIN))
        self.assertTrue(user.is_staff and user.is_superuser and user.check_password(NAMED["DJANGO_SUPERUSER_PASSWORD"]))


class UserManagerTests(TestCase):
    def test_it_finds_an_address_however_it_is_written(self) -> None:
        user = User.objects.create_user("Ann@Example.org", "a good long password", name="Ann")

        self.assertEqual(User.objects.get_by_natural_key(" ANN@example.ORG "), user)
