import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from incident_response.backups import BackupError
from incidents.attachments.storing import measure_file

FORMAT = 1
NAME = "manifest.json"
KEYS = ("HISTORY_KEY", "SECRET_KEY")


@dataclass(frozen=True)
class Manifest:
    """Times are ISO 8601 in UTC, digests hexadecimal SHA-256."""

    format: int
    version: str
    made_at: str
    engine: str
    database: str
    database_sha256: str
    files_sha256: str
    migrations: list[str]
    keys: dict[str, str]

    def write(self, folder: Path) -> None:
        """Write atomically: unfinished backups have none."""
        draft = folder / f"{NAME}.new"
        draft.write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")
        draft.rename(folder / NAME)


def read(folder: Path) -> Manifest:
    """Return the folder's manifest. Raises BackupError."""
    try:
        manifest = Manifest(**json.loads((folder / NAME).read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise BackupError(f"{folder} holds no complete backup: there is no {NAME} in it.") from error
    except (OSError, ValueError, TypeError) as error:
        raise BackupError(f"{folder / NAME} cannot be read: {error}.") from error
    if manifest.format != FORMAT:
        raise BackupError(f"{folder} has format {manifest.format}; this version reads {FORMAT}.")
    return manifest


def key_fingerprints() -> dict[str, str]:
    """Return the start of each key's digest, by name."""
    return {name: hashlib.sha256(f"{name}:{getattr(settings, name)}".encode()).hexdigest()[:16] for name in KEYS}


def applied_migrations() -> list[str]:
    """Return applied migrations as `app.name`."""
    return sorted(f"{app}.{name}" for app, name in MigrationRecorder(connection).applied_migrations())


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return measure_file(file)[1]
