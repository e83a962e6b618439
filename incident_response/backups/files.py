"""A backup's files, each once, named by digest."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from django.core.files.base import File
from django.core.files.storage import default_storage

from core.errors import StorageUnavailable
from incident_response.backups import BackupError
from incident_response.backups.manifest import sha256_of
from incidents.attachments import storing
from incidents.attachments.storing import measure_file
from incidents.models import Attachment

FOLDER, LIST = "files", "files.sha256"


@dataclass
class Copied:
    """Counts, and a sentence on each differing file."""

    count: int = 0
    size: int = 0
    faults: list[str] = field(default_factory=list)


class FileCopier:
    """Copies stored files, linking to those of an `earlier` backup."""

    def __init__(self, folder: Path, earlier: Path | None = None) -> None:
        self.folder, self.earlier, self.copied = folder, earlier, Copied()
        self._digests: dict[str, str] = {}

    def copy_all(self) -> None:
        """Copy what rows name now and was not copied."""
        for row in Attachment.objects.order_by("pk").iterator(1000):
            for key in storing.keys_of(row):
                if key not in self._digests:
                    self._copy(row, key)

    def write_list(self) -> Path:
        path = self.folder / LIST
        path.write_text("".join(f"{digest}  {key}\n" for key, digest in self._digests.items()), encoding="utf-8")
        return path

    def _copy(self, row: Attachment, key: str) -> None:
        draft = self.folder / "copying"
        try:
            with storing.read_file(key) as file, draft.open("wb") as copy:
                shutil.copyfileobj(file, copy, 1024 * 1024)
        except StorageUnavailable:
            # removed with its incident meanwhile
            if Attachment.objects.filter(pk=row.pk).exists():
                self.copied.faults.append(f"{_named(row)}: {key} cannot be read from the store")
        else:
            self._keep(row, key, draft)
        draft.unlink(missing_ok=True)

    def _keep(self, row: Attachment, key: str, draft: Path) -> None:
        digest = sha256_of(draft)
        if key == row.original_key and digest != row.sha256:
            self.copied.faults.append(f"{_named(row)}: {key} is not the file that was uploaded")
        self._digests[key] = digest
        self.copied.count += 1
        self.copied.size += draft.stat().st_size
        target = path_of(self.folder, digest)
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            if not self._was_linked(digest, target):
                draft.rename(target)

    def _was_linked(self, digest: str, target: Path) -> bool:
        source = path_of(self.earlier, digest) if self.earlier else None
        if source is None or not source.is_file() or sha256_of(source) != digest:
            return False
        with contextlib.suppress(OSError):  # another file system
            os.link(source, target)
            return True
        return False


def path_of(folder: Path, digest: str) -> Path:
    """Return the backup's path for this digest."""
    return folder / FOLDER / digest[:2] / digest


def listed(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield each file's digest and stored name."""
    with (folder / LIST).open(encoding="utf-8") as lines:
        for line in lines:
            digest, _, key = line.rstrip("\n").partition("  ")
            yield digest, key


def check(folder: Path) -> int:
    """Read every file; return the number of names. Raises BackupError."""
    good: set[str] = set()
    count = 0
    for digest, _key in listed(folder):
        path = path_of(folder, digest)
        if digest not in good and (not path.is_file() or sha256_of(path) != digest):
            raise BackupError(f"The backup is damaged: {path} is missing or has been changed.")
        good.add(digest)
        count += 1
    return count


def put_back(folder: Path) -> Copied:
    """Store the files, leaving the same content alone."""
    result = Copied()
    for digest, key in listed(folder):
        path = path_of(folder, digest)
        with storing.report_outages("restore"):
            if not _is_stored(key, digest):
                default_storage.delete(key)
                with path.open("rb") as file:
                    default_storage.save(key, File(file, name=key))
        result.count += 1
        result.size += path.stat().st_size
    return result


def missing() -> list[str]:
    """Return a sentence per file missing from the store."""
    return [
        f"{_named(row)}: {key} is not in the store"
        for row in Attachment.objects.order_by("pk").iterator(1000)
        for key in storing.keys_of(row)
        if not default_storage.exists(key)
    ]


def _is_stored(key: str, digest: str) -> bool:
    if not default_storage.exists(key):
        return False
    with default_storage.open(key, "rb") as file:
        return measure_file(file)[1] == digest


def _named(row: Attachment) -> str:
    return f"attachment {row.pk} of INC-{row.incident_id}"
