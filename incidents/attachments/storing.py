"""The file store: what is written there, read from it and taken away again. Nothing else touches it.

Names within it are random and lie in a folder per day; nothing a user wrote is part of them.
"""

import contextlib
import datetime as dt
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

from core.db.transactions import CommitUnknown, Outcome, when_settled
from core.errors import DomainError, StorageUnavailable
from incidents.attachments.digests import measured
from incidents.models import Attachment, Incident

log = structlog.get_logger(__name__)

FOLDER = "attachments"
SWEPT_DAYS = range(2, 5)  # no transaction lives for a day, so what has no row after two never will have one


class FileMissing(StorageUnavailable):
    """The store answers, and has no such file."""


class FileAltered(DomainError):
    """What is stored is not what was put there."""

    status = 500
    code = "file_altered"
    title = "File altered"


def storage_errors() -> tuple[type[Exception], ...]:
    """What the configured store raises when it cannot be reached or is full."""
    if not settings.S3_BUCKET:
        return (OSError,)
    from boto3.exceptions import Boto3Error  # the extra `s3`, which only a configured bucket needs
    from botocore.exceptions import BotoCoreError, ClientError

    return (OSError, Boto3Error, BotoCoreError, ClientError)


@contextlib.contextmanager
def telling_outages(doing: str) -> Iterator[None]:
    """Let the store's own errors leave as StorageUnavailable, with the reason in the log only."""
    try:
        yield
    except storage_errors() as error:
        raise _unavailable(doing, error) from error


def _unavailable(doing: str, error: Exception) -> StorageUnavailable:
    log.error("storage_unavailable", doing=doing, error=repr(error))
    is_missing = isinstance(error, FileNotFoundError) and doing == "read"
    return (FileMissing if is_missing else StorageUnavailable)("The file store does not answer; try again later.")


def write(source: IO[bytes], now: dt.datetime, written: list[str]) -> str:
    """Store the whole file under a new name, which is returned and noted in `written`. Raises StorageUnavailable."""
    key = f"{FOLDER}/{now:%Y/%m/%d}/{uuid.uuid4().hex}"
    written.append(key)  # before, because half of the file may be there when this fails
    with telling_outages("write"):
        # Wrapped anew: the store may otherwise move an upload's temporary file away, and a retry would find nothing.
        source.seek(0)
        stored = default_storage.save(key, File(source, name=key))
    if stored != key:
        written.append(stored)
    return stored


def read(key: str, *, is_whole: Callable[[str], bool] | None = None) -> "File[bytes]":
    """The stored file, opened, its first byte seen; all of it where `is_whole` is to judge its SHA-256.

    Raises StorageUnavailable, FileMissing where there is none, and FileAltered where it is not what was stored.
    """
    with telling_outages("read"):
        file = default_storage.open(key, "rb")
        try:
            if is_whole is not None:
                _require_whole(key, file, is_whole)
            else:
                file.read(1)  # object stores fetch lazily, and this is the last moment an error can be answered
                file.seek(0)
        except BaseException:
            file.close()
            raise
        return file


def _require_whole(key: str, file: "File[bytes]", is_whole: Callable[[str], bool]) -> None:
    size, sha256 = measured(file)
    if not is_whole(sha256):
        log.error("file_altered", key=key, size=size, sha256=sha256)
        raise FileAltered("This file is not what was stored any more and is not served; an administrator must look.")


@dataclass
class Written:
    """Files that were written ahead of the rows that are to name them, until it is known what became of the rows."""

    newest: int  # the newest attachment before them, by number
    keys: list[str] = field(default_factory=list)
    is_committed: bool = False

    @classmethod
    def begin(cls) -> "Written":
        """To be called before the first file is written."""
        return cls(Attachment.objects.order_by("-pk").values_list("pk", flat=True).first() or 0)

    def confirm(self) -> None:
        """Rows that name them are committed: for `on_commit`."""
        self.is_committed = True

    @contextlib.contextmanager
    def followed(self) -> Iterator[None]:
        """Write the rows in this block: where they fail, now or with a transaction around it, the files go too."""
        is_nested = connection.in_atomic_block
        try:
            yield
        except BaseException as error:
            if is_nested:
                discard(self.keys)  # nobody tried to commit
            else:
                self.settle(error)
            raise
        if is_nested:
            when_settled(self._end_with_transaction)

    def settle(self, failure: BaseException | None) -> None:
        """When all is over, and failed in this way if it did: delete the files that no row names, where that is sure.

        After CommitUnknown a row that is not there may still come; then `sweep` decides.
        """
        if self.is_committed or not self.keys:
            return
        try:
            if not connection.in_atomic_block:
                connection.close_if_unusable_or_obsolete()
            left = set(self.keys) - self._named()
        except (DatabaseError, InterfaceError) as error:
            log.warning("files_in_doubt", files=len(self.keys), error=repr(error))
            return
        if left and isinstance(failure, CommitUnknown):
            log.warning("files_in_doubt", files=len(left), error=repr(failure))
            return
        discard(left)

    def _named(self) -> set[str]:
        rows = Attachment.objects.filter(pk__gt=self.newest).values_list("original_key", "served_key")
        return {key for row in rows.iterator() for key in row}

    def _end_with_transaction(self, outcome: Outcome) -> None:
        """Delete them if it is known that no row names them; else `sweep` sees to it, as after a crash."""
        if outcome is Outcome.ROLLED_BACK:
            discard(self.keys)


def discard(keys: Iterable[str]) -> None:
    """Delete files that no row names any more; one that cannot be deleted is logged and left to `sweep`."""
    for key in keys:
        try:
            default_storage.delete(key)
        except storage_errors() as error:
            log.warning("file_not_deleted", key=key, error=repr(error))


def stored_keys(incident: Incident) -> list[str]:
    """The storage names of all files of an incident."""
    rows = Attachment.objects.filter(incident=incident)
    return [key for attachment in rows for key in keys_of(attachment)]


def keys_of(attachment: Attachment) -> list[str]:
    """The storage names of one attachment's files."""
    keys = (attachment.original_key, attachment.served_key, attachment.thumbnail_key)
    return [key for key in keys if key]


def sweep(now: dt.datetime) -> int:
    """Delete the files of some days ago that no row names: what a crash, or a lost connection, left behind.

    Reads every attachment's row once for each of those days that has files: meant to run daily.
    """
    swept = 0
    for days in SWEPT_DAYS:
        folder = f"{FOLDER}/{now - dt.timedelta(days=days):%Y/%m/%d}"
        files = _files_in(folder)
        litter = files - _named_in(folder) if files else files
        discard(litter)
        swept += len(litter)
    return swept


def _files_in(folder: str) -> set[str]:
    try:
        _, names = default_storage.listdir(folder)
    except FileNotFoundError:
        return set()
    except storage_errors() as error:
        raise _unavailable("list", error) from error
    return {f"{folder}/{name}" for name in names}


def _named_in(folder: str) -> set[str]:
    columns = ("original_key", "served_key", "thumbnail_key")
    lies_here = Q(*[(f"{column}__startswith", f"{folder}/") for column in columns], _connector=Q.OR)
    rows = Attachment.objects.filter(lies_here).order_by().values_list(*columns)
    return {key for row in rows.iterator() for key in row}
