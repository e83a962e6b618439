"""Commands before anybody migrated."""

import subprocess
import sys
import tempfile
from pathlib import Path
from unittest import mock

from django.conf import settings
from django.core.management import CommandError
from django.db import OperationalError, connection
from django.test import TestCase

from core.management import migrated


class MigratedTests(TestCase):
    def test_it_says_what_to_do_and_to_which_database(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            log = Path(folder, "app.log")
            log.write_text("up\n", encoding="utf-8")
            environment = {
                **{"DATABASE_URL": f"sqlite:///{folder}/empty.sqlite3", "PLAIN_HTTP": "true"},
                **{"SECRET_KEY": settings.SECRET_KEY, "HISTORY_KEY": settings.HISTORY_KEY},
            }
            for command in (
                ["simulate_incident"],
                ["tail", str(log), "--service", "web", "--once"],
                ["verify_history"],
                ["reindex_search"],
                ["import_incidents", str(log), "--mapping", "servicenow"],
                ["backup", f"{folder}/copy"],
            ):
                with self.subTest(command[0]):
                    done = subprocess.run(
                        [sys.executable, "manage.py", *command],
                        **{"env": environment, "cwd": settings.BASE_DIR, "capture_output": True, "text": True},
                    )

                    self.assertEqual(done.returncode, 1)
                    self.assertRegex(done.stderr, r"^CommandError: The database \S+/empty\.sqlite3 is not migrated\.")
                    self.assertIn("manage.py migrate", done.stderr)
                    self.assertEqual([path.name for path in Path(folder).iterdir()], ["app.log"])

    def test_it_names_a_server_without_its_password(self) -> None:
        server = {"NAME": "incidents", "HOST": "db.example.org", "USER": "app", "PASSWORD": "hush"}
        away = mock.patch.object(migrated, "MigrationExecutor", side_effect=OperationalError("gone"))
        with (
            mock.patch.object(connection, "settings_dict", server),
            mock.patch.object(connection, "vendor", "mysql"),
            away,
            self.assertRaises(CommandError) as raised,
        ):
            migrated.require_migrated()

        self.assertEqual(str(raised.exception), "The database incidents at db.example.org cannot be reached: gone")
