"""Whether the stored files are still what was put there."""

import hmac
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.core.files.base import File

from incidents.attachments import storing
from incidents.digest import copy_digest
from incidents.models import Attachment

ALTERED, MISSING = "altered", "missing"


@dataclass(frozen=True)
class StoredFile:
    """One of the files of an attachment. `variant` is original, file or thumbnail, as in its address.

    `digest` is the original's SHA-256, or the keyed digest of what we made of it; empty where that is not known.
    """

    attachment: Attachment
    variant: str
    key: str
    digest: str

    def is_whole(self, sha256: str) -> bool:
        """Whether a content with this SHA-256 is what was stored."""
        found = sha256 if self.variant == "original" else copy_digest(self.attachment.sha256, self.variant, sha256)
        return hmac.compare_digest(found, self.digest)


@dataclass(frozen=True)
class FileFault:
    """A stored file that is `altered` or `missing`."""

    file: StoredFile
    fault: str

    def __str__(self) -> str:
        attachment = self.file.attachment
        return f"the {self.file.variant} of attachment {attachment.pk} ({attachment.name}) is {self.fault}"


def original(attachment: Attachment) -> StoredFile:
    """What came."""
    return StoredFile(attachment, "original", attachment.original_key, attachment.sha256)


def served(attachment: Attachment) -> StoredFile:
    """What everybody gets to see: the copy, or the original where it needs none."""
    if not attachment.served_key:
        return original(attachment)
    return StoredFile(attachment, "file", attachment.served_key, attachment.served_digest)


def thumbnail(attachment: Attachment) -> StoredFile:
    """The small picture, where there is one."""
    return StoredFile(attachment, "thumbnail", attachment.thumbnail_key, attachment.thumbnail_digest)


def opened(file: StoredFile) -> "File[bytes]":
    """The file, at its beginning, read once to its end and found to be what was stored.

    Raises FileAltered, FileMissing and StorageUnavailable.
    """
    return storing.read(file.key, is_whole=file.is_whole if file.digest else None)


def check_files(attachments: Iterable[Attachment]) -> Iterator[FileFault]:
    """Read every stored file of these attachments and tell of each that is missing or differs from its digest.

    Slow by nature: all of it is read, a megabyte at a time. A copy made before there were digests of copies is only
    looked for. Raises StorageUnavailable when the store does not answer.
    """
    for attachment in attachments:
        for file in dict.fromkeys((original(attachment), served(attachment), thumbnail(attachment))):
            if file.key and (fault := _fault_of(file)):
                yield FileFault(file, fault)


def _fault_of(file: StoredFile) -> str:
    try:
        opened(file).close()
    except storing.FileAltered:
        return ALTERED
    except storing.FileMissing:
        return MISSING
    return ""
