"""Recognise text, and PDF files that are whole."""

import codecs
import csv
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

import orjson

from incidents.attachments.charsets import FALLBACK, detect_encoding, is_valid
from incidents.attachments.kinds import CSV, JSON, TEXT, Kind

CHUNK = 256 * 1024
FORBIDDEN = re.compile("[\x00-\x06\x0e-\x19\x1c-\x1f\x7f\ufffe\uffff]")
# A syslog line may begin with "<13>".
MARKUP = re.compile(
    r"\s*<(\?xml|!doctype|!--|!entity|(\w+:)?(svg|html|head|body|script|style|iframe|xsl\w*|meta|link|img|div|p|a)\b)",
    re.IGNORECASE,
)
JSON_BYTES = 2 * 1024 * 1024  # parsing larger files takes too much memory
CSV_ROWS = 50
SINGLE_BYTES = "incidents-single-bytes"
REPLACED = "\ufffd"
PDF_TAIL = 16 * 1024  # editors and mailers append to it


class NotText(ValueError):
    """The bytes are not text, or are markup that browsers run."""


@dataclass(frozen=True)
class Text:
    kind: Kind
    encoding: str
    is_utf8: bool


def inspect_text(source: IO[bytes]) -> Text:
    """Return what a text is. Raises NotText."""
    encoding = detect_encoding(source)
    beginning = ""
    for part in decode_parts(source, encoding):
        if FORBIDDEN.search(part):
            raise NotText("control characters")
        beginning = beginning or part
    if MARKUP.match(beginning):
        raise NotText("markup")
    is_utf8 = encoding.startswith("utf-8") and is_valid(source, "utf-8")
    if _is_json(source, encoding, beginning):
        return Text(JSON, encoding, is_utf8)
    return Text(CSV if _is_csv(beginning) else TEXT, encoding, is_utf8)


def decode_parts(source: IO[bytes], encoding: str) -> Iterator[str]:
    """Yield the text without its byte order mark. Raises NotText."""
    is_wide = encoding.startswith(("utf-16", "utf-32"))
    decoder = codecs.getincrementaldecoder(encoding)(SINGLE_BYTES if encoding.startswith("utf-8") else "replace")
    source.seek(0)
    is_last = False
    while not is_last:
        chunk = source.read(CHUNK)
        is_last = not chunk
        part = decoder.decode(chunk, is_last)
        if is_wide and part.count(REPLACED) > len(part) // 100 + 1:
            raise NotText("not UTF-16 or UTF-32")
        yield part


def _as_single_bytes(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)  # noqa: S101 (for the type checker: it is registered for decoding)
    return error.object[error.start : error.end].decode(FALLBACK, "replace"), error.end


codecs.register_error(SINGLE_BYTES, _as_single_bytes)


def copy_as_utf8(source: IO[bytes], encoding: str, target: IO[bytes]) -> None:
    for part in decode_parts(source, encoding):
        target.write(part.encode("utf-8", "replace"))


def is_whole_pdf(source: IO[bytes], size: int) -> bool:
    """Return whether it ends as ISO 32000-1, 7.5.5 demands."""
    source.seek(max(size - PDF_TAIL, 0))
    tail = source.read(PDF_TAIL)
    return b"startxref" in tail and b"%%EOF" in tail


def _is_json(source: IO[bytes], encoding: str, beginning: str) -> bool:
    if beginning.lstrip()[:1] not in ("{", "[") or source.seek(0, os.SEEK_END) > JSON_BYTES:
        return False
    try:
        orjson.loads("".join(decode_parts(source, encoding)))
    except orjson.JSONDecodeError:
        return False
    return True


def _is_csv(beginning: str) -> bool:
    lines = beginning.splitlines()[: CSV_ROWS + 1]
    if len(lines) > CSV_ROWS or (len(lines) > 2 and len(beginning) >= CHUNK // 4):
        lines.pop()  # the last line may be cut
    if beginning.lstrip()[:1] in ("{", "[", "<"):
        return False
    return any(_has_columns([line for line in lines if line.strip()], delimiter) for delimiter in ",;\t")


def _has_columns(lines: list[str], delimiter: str) -> bool:
    try:
        widths = {len(row) for row in csv.reader(lines, delimiter=delimiter)}
    except csv.Error:
        return False
    return len(lines) >= 2 and len(widths) == 1 and min(widths) >= 2
