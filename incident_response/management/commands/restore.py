"""`manage.py restore DIR`: replace database and files by a backup."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from incident_response.backups import BackupError, databases, files, manifest


class Command(BaseCommand):
    help = "Restore a backup into an empty database, with the server stopped, and verify it."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", metavar="DIR", type=Path, help="A folder that `backup` made.")
        parser.add_argument("--replace", action="store_true", help="Discard the current contents of the database.")
        parser.add_argument("--check", action="store_true", help="Only check the backup; change nothing.")

    def handle(self, *args: Any, **options: Any) -> None:
        folder: Path = options["folder"]
        try:
            backup = manifest.read(folder)
            count = _check_backup(folder, backup)
            self.stdout.write(
                f"The backup of {backup.made_at} is complete and intact: the database and {count:,} files."
            )
            if options["check"]:
                return
            _check_target(backup, may_replace=options["replace"])
            restored = files.put_back(folder)
            databases.copy_in(folder / backup.database)
        except (BackupError, OSError) as error:
            raise CommandError(f"Not restored: {error}") from error
        self.stdout.write(f"Restored the database and {restored.count:,} files.")
        call_command("migrate", verbosity=0)
        self._verify(backup)

    def _verify(self, backup: manifest.Manifest) -> None:
        faults = files.missing()
        for fault in faults:
            self.stderr.write(fault)
        call_command("verify_history", stdout=self.stdout, stderr=self.stderr)
        if faults:
            raise CommandError(f"Restored, except for {len(faults):,} files listed above.")
        if backup.keys["SECRET_KEY"] != manifest.key_fingerprints()["SECRET_KEY"]:
            self.stdout.write("SECRET_KEY has changed since the backup: everybody has to sign in again.")
        self.stdout.write("Restored and verified.")


def _check_backup(folder: Path, backup: manifest.Manifest) -> int:
    for name, digest in ((backup.database, backup.database_sha256), (files.LIST, backup.files_sha256)):
        path = folder / name
        if not path.is_file() or manifest.sha256_of(path) != digest:
            raise BackupError(f"The backup is damaged: {path} is missing or has been changed.")
    return files.check(folder)


def _check_target(backup: manifest.Manifest, *, may_replace: bool) -> None:
    if backup.engine != connection.vendor:
        raise BackupError(f"The backup is from {backup.engine}, but DATABASE_URL names {connection.vendor}.")
    if backup.keys["HISTORY_KEY"] != manifest.key_fingerprints()["HISTORY_KEY"]:
        raise BackupError(
            f"HISTORY_KEY is not the one the backup was made with (fingerprint {backup.keys['HISTORY_KEY']}); "
            "without it no timeline can be verified."
        )
    ours = {f"{app}.{name}" for app, name in MigrationLoader(None).disk_migrations}
    if newer := sorted(set(backup.migrations) - ours):
        raise BackupError(f"The backup was made by a newer version: {newer[0]} is unknown here.")
    if databases.is_in_use():
        raise BackupError("A server or worker is using this database; stop it and try again.")
    if not may_replace and not databases.is_empty():
        raise BackupError("The database holds people or incidents; use --replace to discard them.")
