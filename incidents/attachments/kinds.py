"""The kinds of file we accept, and telling them by their first bytes."""

import re
from dataclasses import dataclass

import filetype

HEAD_BYTES = 8192  # what the filetype library looks at

# Major and compatible brands of ISO base media files (ISO/IEC 23008-12, AV1 Image File Format 1.1).
AVIF_BRANDS = frozenset({b"avif", b"avis"})
HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})


@dataclass(frozen=True)
class Kind:
    """A kind of file: its media type, what we serve it as, and the extensions that go with it (the first is added)."""

    media_type: str
    served_media_type: str
    extensions: tuple[str, ...]
    pillow_formats: tuple[str, ...] = ()


TEXT_EXTENSIONS = ("txt", "log", "csv", "tsv", "json", "jsonl", "ndjson", "md", "yaml", "yml", "ini", "conf", "out")
SERVED_TEXT = "text/plain; charset=utf-8"

JPEG = Kind("image/jpeg", "image/jpeg", ("jpg", "jpeg", "jpe", "jfif"), ("JPEG", "MPO"))
PNG = Kind("image/png", "image/png", ("png",), ("PNG",))
WEBP = Kind("image/webp", "image/webp", ("webp",), ("WEBP",))
GIF = Kind("image/gif", "image/gif", ("gif",), ("GIF",))
HEIC = Kind("image/heic", "image/jpeg", ("heic", "heif", "hif"), ("HEIF",))
AVIF = Kind("image/avif", "image/jpeg", ("avif",), ("AVIF",))
PDF = Kind("application/pdf", "application/pdf", ("pdf",))
TEXT = Kind("text/plain", SERVED_TEXT, TEXT_EXTENSIONS)
CSV = Kind("text/csv", SERVED_TEXT, TEXT_EXTENSIONS)
JSON = Kind("application/json", SERVED_TEXT, TEXT_EXTENSIONS)

KINDS = {kind.media_type: kind for kind in (JPEG, PNG, WEBP, GIF, HEIC, AVIF, PDF, TEXT, CSV, JSON)}
EXTENSIONS_SERVED_AS = {
    **{kind.served_media_type: kind.extensions for kind in (JPEG, PNG, WEBP, GIF, PDF, TEXT)},
    **{kind.media_type: kind.extensions for kind in (HEIC, AVIF, CSV, JSON)},
}
ACCEPTED = "JPEG, PNG, WebP, GIF, HEIC, AVIF, PDF, plain text, log, CSV and JSON"


PDF_HEADER = b"%PDF-"
PDF_LEAD_BYTES = 1024  # readers accept the header anywhere within (ISO 32000-1, annex H.3)
# What scripts and gateways put before a file by mistake: line ends, spaces, a byte order mark.
LEAD = re.compile(rb"(?:\s|\xef\xbb\xbf){1,64}")


def lead_of(head: bytes) -> int:
    """How many bytes stand before the picture that follows them; 0 where none does."""
    lead = LEAD.match(head)
    is_before_picture = lead is not None and told_by(head[lead.end() :]) not in (None, PDF)
    return lead.end() if lead is not None and is_before_picture else 0


def may_be_pdf(head: bytes) -> bool:
    """Whether a PDF may begin somewhat later, behind what is no other kind of file."""
    return PDF_HEADER in head[: PDF_LEAD_BYTES + len(PDF_HEADER) - 1] and not foreign_type(head)


def told_by(head: bytes) -> Kind | None:
    """The picture or PDF that begins with these bytes; None for anything else, text included."""
    if head[4:8] == b"ftyp":
        return _iso_media(head)
    guess = filetype.guess(bytearray(head))
    # An animated PNG is a PNG with more chunks.
    kind = KINDS.get(guess.mime.replace("/apng", "/png")) if guess else None
    # The library has no text types; its HEIC and AVIF were decided above.
    return kind if kind in (JPEG, PNG, WEBP, GIF, PDF) else None


def foreign_type(head: bytes) -> str:
    """The media type of something we do not accept, where it can be told; else nothing."""
    guess = filetype.guess(bytearray(head))
    return str(guess.mime) if guess else ""


def _iso_media(head: bytes) -> Kind | None:
    size = min(int.from_bytes(head[:4], "big"), len(head))
    brands = {head[8:12], *(head[start : start + 4] for start in range(16, size - 3, 4))}
    if brands & AVIF_BRANDS:
        return AVIF
    return HEIC if brands & HEIF_BRANDS else None
