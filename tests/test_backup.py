"""The drill: back up a database that is written to, restore it elsewhere, and look at what came back."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from unittest import skipIf

from django.conf import settings
from django.db import connection
from django.test import TransactionTestCase

from tests import databases
from tests.__main__ import secrets
from tests.databases import ROOT

NO_TOOLS = connection.vendor == "mysql" and not shutil.which("mariadb-dump") and not shutil.which("mysqldump")
COUNT = (
    "from incidents.models import *; "
    "print(Incident.objects.count(), IncidentEvent.objects.count(), Attachment.objects.count())"
)


class Installation:
    """A database and a file store of their own, and the commands that work on them."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.media = folder, folder / f"{name}-media"
        self.database = f"{settings.DATABASES['default']['NAME']}_{name}".rsplit("/", 1)[-1]
        self.url = f"sqlite:///{folder / name}.sqlite3"
        if connection.vendor == "mysql":
            self.url = databases.url_of(self.database)
            databases.make_anew(self.database)

    def drop(self) -> None:
        if connection.vendor == "mysql":
            databases.drop(self.database)

    @property
    def environment(self) -> dict[str, str]:
        own = {"DATABASE_URL": self.url, "MEDIA_ROOT": str(self.media), "PLAIN_HTTP": "true"}
        return {**os.environ, **secrets(), **own}

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def counts(self) -> list[int]:
        return [int(number) for number in self.run("shell", "--no-imports", "-c", COUNT).stdout.split()]

    def uploading(self) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-m", "tests.uploading"],
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )


@skipIf(NO_TOOLS, "no client tools of MariaDB or MySQL are installed")
class BackupDrill(TransactionTestCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.folder = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        cls.first = Installation(cls.folder, "first")
        cls.addClassCleanup(cls.first.drop)
        cls.second = Installation(cls.folder, "second")
        cls.addClassCleanup(cls.second.drop)
        done = cls.first.run("migrate", "--verbosity", "0")
        assert done.returncode == 0, done.stderr
        cls.first.run("demo")
        cls.backup = cls.folder / "backup"
        cls.made, cls.uploaded = cls.backed_up_under_uploads()

    @classmethod
    def backed_up_under_uploads(cls) -> tuple[subprocess.CompletedProcess[str], int]:
        with cls.first.uploading() as uploads:
            assert uploads.stdout is not None
            assert uploads.stdout.readline() == "started\n"
            made = cls.first.run("backup", str(cls.backup), "--with-keys")
            said, _ = uploads.communicate("stop\n", timeout=60)
        return made, int(said)

    def test_it_restores_what_was_backed_up_while_others_wrote(self):
        self.assertEqual(self.made.returncode, 0, self.made.stderr)

        restored = self.second.run("restore", str(self.backup), "--replace")

        self.assertEqual(restored.returncode, 0, restored.stdout + restored.stderr)
        self.assertIn("Restored and verified.", restored.stdout)
        incidents, events, attachments = self.second.counts()
        now = self.first.counts()
        self.assertGreater(attachments, 10)
        self.assertLess(incidents, now[0] + 1)
        self.assertLess(events, now[1] + 1)

    def test_it_names_the_keys_and_hands_them_over_when_asked(self):
        manifest = json.loads((self.backup / "manifest.json").read_text())
        keys = self.backup / "keys.env"

        self.assertEqual(set(manifest["keys"]), {"HISTORY_KEY", "SECRET_KEY"})
        self.assertIn(f"HISTORY_KEY={secrets()['HISTORY_KEY']}", keys.read_text())
        self.assertEqual(keys.stat().st_mode & 0o777, 0o600)
        self.assertNotIn(secrets()["HISTORY_KEY"], json.dumps(manifest) + self.made.stdout)

    def test_it_keeps_each_file_once_by_its_digest(self):
        lines = (self.backup / "files.sha256").read_text().splitlines()

        digests = {line.split("  ")[0] for line in lines}

        kept = {path.name for path in (self.backup / "files").glob("*/*")}
        self.assertEqual(kept, digests)

    def test_it_refuses_a_folder_that_holds_something(self):
        again = self.first.run("backup", str(self.backup))

        self.assertEqual(again.returncode, 1)
        self.assertIn("is not empty", again.stderr)

    def test_it_refuses_a_database_that_holds_people(self):
        refused = self.first.run("restore", str(self.backup))

        self.assertEqual(refused.returncode, 1)
        self.assertIn("--replace", refused.stderr)

    def test_it_refuses_another_history_key(self):
        refused = self.second.run("restore", str(self.backup), "--replace", HISTORY_KEY="another-key-" * 4)

        self.assertEqual(refused.returncode, 1)
        self.assertIn("HISTORY_KEY", refused.stderr)

    def test_it_refuses_a_damaged_backup_and_changes_nothing(self):
        damaged = self.folder / "damaged"
        shutil.copytree(self.backup, damaged)
        file = next((damaged / "files").glob("*/*"))
        file.write_bytes(b"something else")

        refused = self.second.run("restore", str(damaged), "--replace")

        self.assertEqual(refused.returncode, 1)
        self.assertIn(file.name, refused.stderr)
        self.assertNotIn("Restored the database", refused.stdout)

    def test_it_refuses_a_backup_that_broke_off(self):
        unfinished = self.folder / "unfinished"
        shutil.copytree(self.backup, unfinished)
        (unfinished / "manifest.json").unlink()

        refused = self.second.run("restore", str(unfinished))

        self.assertEqual(refused.returncode, 1)
        self.assertIn("no complete backup", refused.stderr)

    def test_it_names_files_that_are_not_what_was_uploaded(self):
        changed = next(path for path in self.first.media.rglob("*") if path.is_file() and path.stat().st_size < 40)
        before = changed.read_bytes()
        changed.write_bytes(b"another text")
        self.addCleanup(changed.write_bytes, before)

        made = self.first.run("backup", str(self.folder / "third"), "--link-to", str(self.backup))

        self.assertEqual(made.returncode, 1)
        self.assertIn("is not the file that was uploaded", made.stderr)
        self.assertTrue((self.folder / "third" / "manifest.json").is_file())
