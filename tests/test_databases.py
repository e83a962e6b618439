from unittest import skipUnless

from django.conf import settings
from django.db import connection
from django.test import SimpleTestCase

from tests import databases


@skipUnless(connection.vendor == "mysql", "a server keeps what a killed run left")
class MakeAnewTests(SimpleTestCase):
    databases = {"default"}

    def test_it_makes_an_empty_database_where_a_killed_run_left_one(self) -> None:
        name = f"{settings.DATABASES['default']['NAME']}_left"
        self.addCleanup(databases.drop, name)
        databases.make_anew(name)
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE TABLE `{name}`.leftover (id int)")

        databases.make_anew(name)

        with connection.cursor() as cursor:
            cursor.execute(f"SHOW TABLES FROM `{name}`")
            self.assertEqual(cursor.fetchall(), ())
