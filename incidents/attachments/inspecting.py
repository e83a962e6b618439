"""Judging files before anything is stored: by their content, never by name or declared type."""

import functools
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import IO

from django.conf import settings
from django.core.files.base import File

from core.errors import StorageUnavailable
from incidents.attachments import decoders, faults, texts
from incidents.attachments.digests import measured
from incidents.attachments.kinds import HEAD_BYTES, PDF, Kind, foreign_type, lead_of, may_be_pdf, told_by
from incidents.attachments.names import clean_name
from incidents.attachments.verdicts import Bomb, Damaged

IN_MEMORY_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Checked:
    """A file that was found acceptable. `copy` is served in its place; None where it may be served itself."""

    name: str
    kind: Kind
    size: int
    sha256: str
    source: IO[bytes]
    copy: IO[bytes] | None = field(default=None, repr=False)
    width: int | None = None
    height: int | None = None

    @functools.cached_property
    def copy_sha256(self) -> str:
        """The SHA-256 of the copy; empty where there is none."""
        return measured(self.copy)[1] if self.copy else ""

    @property
    def is_picture(self) -> bool:
        return self.width is not None

    @property
    def served_media_type(self) -> str:
        return self.kind.served_media_type


def inspect(files: "Sequence[File[bytes]]") -> list[Checked]:
    """Judge all files of a request; nothing is stored yet.

    Raises a DomainError that names the first unacceptable file: 413 (too_large), 415 (unsupported_media_type), 400
    (too_many_files, empty_file, damaged_file, decompression_bomb); StorageUnavailable when there is no room to work,
    and Busy when too many pictures are being looked at.
    """
    if len(files) > settings.MAX_ATTACHMENTS:
        raise faults.too_many(len(files), settings.MAX_ATTACHMENTS)
    # The cheap judgements come first for all, so that a request with one bad file costs little.
    for file in files:
        _require_size(file)
    try:
        return [_inspect_one(file) for file in files]
    except OSError as error:
        raise StorageUnavailable("There is no room to take these files in; try again later.") from error


def _require_size(file: "File[bytes]") -> None:
    name = clean_name(file.name or "")
    if file.size > settings.MAX_ATTACHMENT_BYTES:
        raise faults.too_large(name, settings.MAX_ATTACHMENT_BYTES)
    if file.size == 0:
        raise faults.empty(name)


def _inspect_one(file: "File[bytes]") -> Checked:
    name, source = clean_name(file.name or ""), file.file or file
    source.seek(0)
    head = source.read(HEAD_BYTES)
    lead = lead_of(head)
    kind = told_by(head[lead:])
    if kind is PDF or (kind is None and may_be_pdf(head)):
        if texts.is_whole_pdf(source, file.size):
            return Checked(name, PDF, *measured(source), source)
        if kind is PDF:
            raise faults.damaged(name, "PDF")
    return _inspect_picture(name, source, kind, lead) if kind else _inspect_text(name, source)


def _inspect_text(name: str, source: IO[bytes]) -> Checked:
    try:
        text = texts.inspect_text(source)
    except texts.NotText as error:
        source.seek(0)
        raise faults.unsupported(name, foreign_type(source.read(HEAD_BYTES))) from error
    copy = None
    if not text.is_utf8:
        copy = _spool()
        texts.copy_as_utf8(source, text.encoding, copy)
    return Checked(name, text.kind, *measured(source), source, copy)


def _inspect_picture(name: str, source: IO[bytes], kind: Kind, lead: int) -> Checked:
    copy = _spool()
    try:
        size = decoders.make_copy(source, kind, copy, start=lead)
    except Bomb as error:
        raise faults.bomb(name, str(error)) from error
    except Damaged as error:
        raise faults.damaged(name, f"{kind.media_type.removeprefix('image/').upper()} picture") from error
    return Checked(name, kind, *measured(source), source, copy, size.width, size.height)


def _spool() -> IO[bytes]:
    """Room for a copy: in memory while it is small; gone as soon as nothing refers to it."""
    return tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_BYTES)
