"""`manage.py backup DIR`: back up while the server runs."""

import shutil
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.utils import timezone

from core.management.migrated import require_migrated
from incident_response.backups import BackupError, databases, manifest
from incident_response.backups.files import FileCopier

KEY_FILE = "keys.env"


class Command(BaseCommand):
    help = "Back up the database and the stored files into a new folder. The server may keep running."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", metavar="DIR", type=Path, help="A new or empty folder.")
        parser.add_argument(
            "--link-to", metavar="EARLIER", type=Path, help="An earlier backup: files it holds are linked, not copied."
        )
        parser.add_argument("--with-keys", action="store_true", help=f"Write HISTORY_KEY and SECRET_KEY to {KEY_FILE}.")

    def handle(self, *args: Any, **options: Any) -> None:
        folder: Path = options["folder"]
        require_migrated()
        try:
            _prepare(folder)
            migrations = manifest.applied_migrations()
            files = FileCopier(folder, options["link_to"])
            files.copy_all()
            copy = databases.copy_out(folder)
            files.copy_all()
            _seal(folder, copy, files.write_list(), migrations)
        except (BackupError, OSError) as error:
            raise CommandError(f"No backup was made: {error}") from error
        if options["with_keys"]:
            _write_keys(folder / KEY_FILE)
        self._report(folder, files, with_keys=options["with_keys"])

    def _report(self, folder: Path, files: FileCopier, *, with_keys: bool) -> None:
        self.stdout.write(f"Backed up to {folder}: the database and {files.copied.count:,} files.")
        for name, fingerprint in manifest.key_fingerprints().items():
            where = f"is in {KEY_FILE}" if with_keys else "is not included; store it separately"
            self.stdout.write(f"  {name} (fingerprint {fingerprint}) {where}.")
        for fault in files.copied.faults:
            self.stderr.write(fault)
        if files.copied.faults:
            raise CommandError(
                f"The backup is incomplete: {len(files.copied.faults):,} files could not be copied (see above)."
            )


def _prepare(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise BackupError(f"{folder} is not empty; each backup needs its own folder.")
    if connection.vendor == "sqlite" and _free(folder) < Path(connection.settings_dict["NAME"]).stat().st_size:
        raise BackupError(f"There is not enough room for the database on the disk of {folder}.")


def _free(folder: Path) -> int:
    return shutil.disk_usage(folder).free


def _seal(folder: Path, copy: Path, listing: Path, migrations: list[str]) -> None:
    manifest.Manifest(
        format=manifest.FORMAT,
        version=settings.VERSION,
        made_at=timezone.now().isoformat(),
        engine=connection.vendor,
        database=copy.name,
        database_sha256=manifest.sha256_of(copy),
        files_sha256=manifest.sha256_of(listing),
        migrations=migrations,
        keys=manifest.key_fingerprints(),
    ).write(folder)


def _write_keys(path: Path) -> None:
    path.touch(mode=0o600)
    path.write_text("".join(f"{name}={getattr(settings, name)}\n" for name in manifest.KEYS), encoding="utf-8")
