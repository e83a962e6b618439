"""Judge uploads by their content, never by name or declared type, before anything is stored."""

import re
import tempfile
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import IO

from django.conf import settings
from django.core.files.base import File
from django.utils.translation import gettext as _

from core.errors import DomainError, StorageUnavailable, TooLarge, UnsupportedMedia
from core.text.names import JOINERS
from core.text.normalizing import normalized
from incidents.attachments import decoders, texts
from incidents.attachments.kinds import (
    ACCEPTED,
    HEAD_BYTES,
    PDF,
    Bomb,
    Damaged,
    Kind,
    count_lead_bytes,
    guess_media_type,
    may_be_pdf,
    recognise_kind,
)
from incidents.attachments.storing import measure_file

FIELD = "attachments"
IN_MEMORY_BYTES = 1024 * 1024
MAX_NAME = 200  # characters
FALLBACK = "file"
UNSEEN = ("Cc", "Cf", "Cs", "Cn", "Zl", "Zp")


@dataclass(frozen=True)
class Checked:
    """An accepted file; `copy` is served instead of it, None where it may be served itself."""

    name: str
    kind: Kind
    size: int
    sha256: str
    source: IO[bytes]
    copy: IO[bytes] | None = field(default=None, repr=False)
    width: int | None = None
    height: int | None = None


def inspect(files: "Sequence[File[bytes]]") -> list[Checked]:
    """Check all files of a request.

    Raises a DomainError that names the first unacceptable file: 413 (too_large), 415 (unsupported_media_type), 400
    (too_many_files, empty_file, damaged_file, decompression_bomb); StorageUnavailable when there is no space for
    temporary files, and Busy when the decoders are overloaded.
    """
    if len(files) > settings.MAX_ATTACHMENTS:
        raise DomainError(
            _("%(count)s files were sent; the limit is %(limit)s per request.")
            % {"count": len(files), "limit": settings.MAX_ATTACHMENTS},
            field=FIELD,
            code="too_many_files",
        )
    # Sizes first, so that a request with one bad file costs little.
    for file in files:
        if not 0 < file.size <= settings.MAX_ATTACHMENT_BYTES:
            raise _wrong_size(file)
    try:
        return [_inspect_file(file) for file in files]
    except OSError as error:
        raise StorageUnavailable(_("The server has no space to process these files; try again later.")) from error


def _wrong_size(file: "File[bytes]") -> DomainError:
    name = clean_name(file.name or "")
    if file.size == 0:
        return DomainError(_("%(file)s is empty.") % {"file": name}, field=FIELD, code="empty_file", file=name)
    limit = f"{settings.MAX_ATTACHMENT_BYTES:,}"
    sentence = _("%(file)s is larger than the limit of %(limit)s bytes per file.") % {"file": name, "limit": limit}
    return TooLarge(sentence, field=FIELD, file=name)


def _inspect_file(file: "File[bytes]") -> Checked:
    name, source = clean_name(file.name or ""), file.file or file
    source.seek(0)
    head = source.read(HEAD_BYTES)
    lead, kind = 0, recognise_kind(head)
    if kind is None and (lead := count_lead_bytes(head)):
        kind = recognise_kind(head[lead:])
    if kind is PDF or (kind is None and may_be_pdf(head)):
        if texts.is_whole_pdf(source, file.size):
            return Checked(name, PDF, *measure_file(source), source)
        if kind is PDF:
            raise _damaged_file(name, "PDF")
    return _inspect_picture(name, source, kind, lead) if kind else _inspect_text(name, source)


def _inspect_text(name: str, source: IO[bytes]) -> Checked:
    try:
        text = texts.inspect_text(source)
    except texts.NotText as error:
        source.seek(0)
        guess = guess_media_type(source.read(HEAD_BYTES))
        words = {"file": f"{name} ({guess})" if guess else name, "accepted": ACCEPTED}
        sentence = _("%(file)s is not an accepted file type; accepted are %(accepted)s.") % words
        raise UnsupportedMedia(sentence, field=FIELD, file=name) from error
    copy = None
    if not text.is_utf8:
        copy = tempfile.SpooledTemporaryFile(IN_MEMORY_BYTES)  # noqa: SIM115 (it outlives this)
        texts.copy_as_utf8(source, text.encoding, copy)
    return Checked(name, text.kind, *measure_file(source), source, copy)


def _inspect_picture(name: str, source: IO[bytes], kind: Kind, lead: int) -> Checked:
    copy = tempfile.SpooledTemporaryFile(IN_MEMORY_BYTES)  # noqa: SIM115 (it outlives this)
    try:
        size = decoders.make_copy(source, kind, copy, start=lead)
    except Bomb as error:
        sentence = _("%(file)s unpacks to more than %(limit)s.") % {"file": name, "limit": error}
        raise DomainError(sentence, field=FIELD, code="decompression_bomb", file=name) from error
    except Damaged as error:
        raise _damaged_file(name, kind.media_type.removeprefix("image/").upper()) from error
    return Checked(name, kind, *measure_file(source), source, copy, size.width, size.height)


def _damaged_file(name: str, kind: str) -> DomainError:
    sentence = _("%(file)s is a damaged or incomplete %(kind)s file; upload it again.") % {"file": name, "kind": kind}
    return DomainError(sentence, field=FIELD, code="damaged_file", file=name)


def clean_name(raw: str) -> str:
    """Return the name without folders, control characters and marks of direction: 1 to 200 characters, or `file`."""
    last = re.split(r"[/\\]", raw if raw.isascii() else normalized("NFC", raw))[-1]
    kept = "".join(
        " " if mark.isspace() else mark
        for mark in last
        if mark.isspace() or mark in JOINERS or unicodedata.category(mark) not in UNSEEN
    )
    name = " ".join(kept.split()).lstrip(".").strip(". ")
    is_readable = any(mark not in JOINERS and unicodedata.category(mark)[0] not in "MZ" for mark in name)
    if not is_readable:
        return FALLBACK
    return name if len(name) <= MAX_NAME else _shorten_name(name) or FALLBACK


def _shorten_name(name: str) -> str:
    stem, dot, extension = name.rpartition(".")
    if not dot or len(extension) > 16:
        return name[:MAX_NAME].strip()
    return f"{stem[: MAX_NAME - len(extension) - 1].strip()}.{extension}"
