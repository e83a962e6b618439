"""Recognise the kinds of file that we accept."""

import re
from dataclasses import dataclass

import filetype

HEAD_BYTES = 8192  # what filetype reads

# Brands of ISO/IEC 23008-12 and AV1 Image File Format 1.1.
AVIF_BRANDS = frozenset({b"avif", b"avis"})
HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})

MAX_PIXELS = 50_000_000
# WebP's decoder holds several copies.
MAX_WEBP_PIXELS = 25_000_000
MAX_FRAMES = 1_000
MAX_FRAME_PIXELS = 250_000_000  # seconds of decoding
CPU_SECONDS = 20  # the largest pictures take 3 s
READY = b"ready\n"
THUMBNAIL_MEDIA_TYPE = "image/webp"


class Damaged(ValueError):
    """The picture is not what its first bytes promise."""


class Bomb(ValueError):
    """The picture unpacks to more than said."""


@dataclass(frozen=True)
class Size:
    width: int
    height: int

    @property
    def pixels(self) -> int:
        return self.width * self.height


@dataclass(frozen=True)
class Kind:
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
PDF_LEAD_BYTES = 1024  # ISO 32000-1, annex H.3
# Scripts and gateways prepend them.
LEAD = re.compile(rb"(?:\s|\xef\xbb\xbf){1,64}")


def count_lead_bytes(head: bytes) -> int:
    """Count stray bytes before a picture."""
    lead = LEAD.match(head)
    is_before_picture = lead is not None and recognise_kind(head[lead.end() :]) not in (None, PDF)
    return lead.end() if lead is not None and is_before_picture else 0


def may_be_pdf(head: bytes) -> bool:
    """Return whether a PDF may begin after other bytes."""
    return PDF_HEADER in head[: PDF_LEAD_BYTES + len(PDF_HEADER) - 1] and not guess_media_type(head)


def recognise_kind(head: bytes) -> Kind | None:
    """Return the kind of picture or PDF, else None."""
    if head[4:8] == b"ftyp":
        return _iso_media_kind(head)
    guess = filetype.guess(bytearray(head))
    kind = KINDS.get(guess.mime.replace("/apng", "/png")) if guess else None
    # HEIC and AVIF were decided above.
    return kind if kind in (JPEG, PNG, WEBP, GIF, PDF) else None


def guess_media_type(head: bytes) -> str:
    """Return the type of a rejected file, or ""."""
    guess = filetype.guess(bytearray(head))
    return str(guess.mime) if guess else ""


def _iso_media_kind(head: bytes) -> Kind | None:
    size = min(int.from_bytes(head[:4], "big"), len(head))
    brands = {head[8:12], *(head[start : start + 4] for start in range(16, size - 3, 4))}
    if brands & AVIF_BRANDS:
        return AVIF
    return HEIC if brands & HEIF_BRANDS else None
