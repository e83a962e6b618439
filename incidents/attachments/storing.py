"""Write, read, verify and delete files in the store."""

import contextlib
import datetime as dt
import hashlib
import hmac
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import IO

import structlog
from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import DatabaseError, InterfaceError, connection
from django.db.models import Q
from django.utils.translation import gettext as _

from core.db.transactions import CommitUnknown, Outcome, when_settled
from core.errors import DomainError, StorageUnavailable
from incidents.digest import copy_digest
from incidents.models import Attachment, Incident

log = structlog.get_logger(__name__)

FOLDER = "attachments"
CHUNK = 1024 * 1024
ALTERED, MISSING = "altered", "missing"
ORPHAN_DAYS = range(2, 5)  # no transaction lives for a day


class FileMissing(StorageUnavailable):
    """The store has no such file."""


class FileAltered(DomainError):
    """The file is not what was stored."""

    status = 500
    code = "file_altered"
    title = "File altered"


def measure_file(source: IO[bytes]) -> tuple[int, str]:
    """Return the size and the SHA-256, and rewind."""
    source.seek(0)
    digest, size = hashlib.sha256(), 0
    while chunk := source.read(CHUNK):
        digest.update(chunk)
        size += len(chunk)
    source.seek(0)
    return size, digest.hexdigest()


def storage_errors() -> tuple[type[Exception], ...]:
    """Return what the configured store raises when unreachable or full."""
    if not settings.S3_BUCKET:
        return (OSError,)
    from boto3.exceptions import Boto3Error  # the extra `s3`
    from botocore.exceptions import BotoCoreError, ClientError

    return (OSError, Boto3Error, BotoCoreError, ClientError)


@contextlib.contextmanager
def report_outages(doing: str) -> Iterator[None]:
    """Raise the store's errors as StorageUnavailable, and log the reason."""
    try:
        yield
    except storage_errors() as error:
        raise _storage_error(doing, error) from error


def _storage_error(doing: str, error: Exception) -> StorageUnavailable:
    log.error("storage_unavailable", doing=doing, error=repr(error))
    is_missing = isinstance(error, FileNotFoundError) and doing == "read"
    return (FileMissing if is_missing else StorageUnavailable)(_("The file store is unavailable; try again later."))


def write_file(source: IO[bytes], now: dt.datetime, written: list[str]) -> str:
    """Store a file under a new name, which is returned and added to `written`."""
    key = f"{FOLDER}/{now:%Y/%m/%d}/{uuid.uuid4().hex}"
    written.append(key)  # first: a failure may leave half a file
    with report_outages("write"):
        # The store may move an upload's file, which a retry needs.
        source.seek(0)
        stored = default_storage.save(key, File(source, name=key))
    if stored != key:
        written.append(stored)
    return stored


def read_file(key: str, *, is_whole: Callable[[str], bool] | None = None) -> "File[bytes]":
    """Open a stored file; read it first where `is_whole` judges its SHA-256.

    Raises StorageUnavailable, FileMissing and FileAltered.
    """
    with report_outages("read"):
        file = default_storage.open(key, "rb")
        try:
            if is_whole is not None:
                _require_whole(key, file, is_whole)
            else:
                file.read(1)  # object stores fetch lazily
                file.seek(0)
        except BaseException:
            file.close()
            raise
        return file


def _require_whole(key: str, file: "File[bytes]", is_whole: Callable[[str], bool]) -> None:
    size, sha256 = measure_file(file)
    if not is_whole(sha256):
        log.error("file_altered", key=key, size=size, sha256=sha256)
        raise FileAltered(
            _("This file has been altered since it was stored and is not served; contact an administrator.")
        )


@dataclass
class WrittenFiles:
    newest: int  # id of the newest attachment before
    keys: list[str] = field(default_factory=list)
    is_committed: bool = False

    @contextlib.contextmanager
    def discard_on_failure(self) -> Iterator[None]:
        """Delete the files when the block, or the transaction around it, fails."""
        is_nested = connection.in_atomic_block
        try:
            yield
        except BaseException as error:
            if is_nested:
                discard(self.keys)
            else:
                self.settle(error)
            raise
        if is_nested:
            when_settled(self._on_transaction_end)

    def settle(self, failure: BaseException | None) -> None:
        """Delete files without a row; after CommitUnknown leave them to `delete_orphans`."""
        if self.is_committed or not self.keys:
            return
        try:
            if not connection.in_atomic_block:
                connection.close_if_unusable_or_obsolete()
            left = set(self.keys) - self._referenced_keys()
        except (DatabaseError, InterfaceError) as error:
            log.warning("files_in_doubt", files=len(self.keys), error=repr(error))
            return
        if left and isinstance(failure, CommitUnknown):
            log.warning("files_in_doubt", files=len(left), error=repr(failure))
            return
        discard(left)

    def _referenced_keys(self) -> set[str]:
        rows = Attachment.objects.filter(pk__gt=self.newest).values_list("original_key", "served_key")
        return {key for row in rows.iterator() for key in row}

    def _on_transaction_end(self, outcome: Outcome) -> None:
        if outcome is Outcome.ROLLED_BACK:
            discard(self.keys)


@dataclass(frozen=True)
class StoredFile:
    """A file of an attachment; `digest` is empty where unknown."""

    attachment: Attachment
    variant: str
    key: str
    digest: str

    def is_whole(self, sha256: str) -> bool:
        """Compare with the stored content's SHA-256."""
        found = sha256 if self.variant == "original" else copy_digest(self.attachment.sha256, self.variant, sha256)
        return hmac.compare_digest(found, self.digest)


@dataclass(frozen=True)
class FileFault:
    file: StoredFile
    fault: str

    def __str__(self) -> str:
        attachment = self.file.attachment
        return f"the {self.file.variant} of attachment {attachment.pk} ({attachment.name}) is {self.fault}"


def original_file(attachment: Attachment) -> StoredFile:
    return StoredFile(attachment, "original", attachment.original_key, attachment.sha256)


def served_file(attachment: Attachment) -> StoredFile:
    if not attachment.served_key:
        return original_file(attachment)
    return StoredFile(attachment, "file", attachment.served_key, attachment.served_digest)


def thumbnail_file(attachment: Attachment) -> StoredFile:
    return StoredFile(attachment, "thumbnail", attachment.thumbnail_key, attachment.thumbnail_digest)


def open_verified(file: StoredFile) -> "File[bytes]":
    """Open a file. Raises as `read_file` does."""
    return read_file(file.key, is_whole=file.is_whole if file.digest else None)


def check_files(attachments: Iterable[Attachment]) -> Iterator[FileFault]:
    """Yield stored files that are missing or altered. Raises StorageUnavailable."""
    for attachment in attachments:
        for file in dict.fromkeys((original_file(attachment), served_file(attachment), thumbnail_file(attachment))):
            if file.key and (fault := _find_fault(file)):
                yield FileFault(file, fault)


def _find_fault(file: StoredFile) -> str:
    try:
        open_verified(file).close()
    except FileAltered:
        return ALTERED
    except FileMissing:
        return MISSING
    return ""


def discard(keys: Iterable[str]) -> None:
    """Delete files; leave failures to `delete_orphans`."""
    for key in keys:
        try:
            default_storage.delete(key)
        except storage_errors() as error:
            log.warning("file_not_deleted", key=key, error=repr(error))


def stored_keys(incident: Incident) -> list[str]:
    rows = Attachment.objects.filter(incident=incident)
    return [key for attachment in rows for key in keys_of(attachment)]


def keys_of(attachment: Attachment) -> list[str]:
    keys = (attachment.original_key, attachment.served_key, attachment.thumbnail_key)
    return [key for key in keys if key]


def delete_orphans(now: dt.datetime) -> int:
    """Delete files without a row and return how many."""
    deleted = 0
    for days in ORPHAN_DAYS:
        folder = f"{FOLDER}/{now - dt.timedelta(days=days):%Y/%m/%d}"
        files = _list_folder(folder)
        orphans = files - _referenced_in(folder) if files else files
        discard(orphans)
        deleted += len(orphans)
    return deleted


def _list_folder(folder: str) -> set[str]:
    try:
        names = default_storage.listdir(folder)[1]
    except FileNotFoundError:
        return set()
    except storage_errors() as error:
        raise _storage_error("list", error) from error
    return {f"{folder}/{name}" for name in names}


def _referenced_in(folder: str) -> set[str]:
    columns = ("original_key", "served_key", "thumbnail_key")
    is_in_folder = Q(*[(f"{column}__startswith", f"{folder}/") for column in columns], _connector=Q.OR)
    rows = Attachment.objects.filter(is_in_folder).order_by().values_list(*columns)
    return {key for row in rows.iterator() for key in row}
