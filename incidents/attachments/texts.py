"""Telling text from everything else, and PDF files that are whole from those that are not.

Text is UTF-8, or UTF-16 with its byte order mark, without control characters (tabs, line ends, form feeds, backspaces,
bells and the escape of terminal colours aside). Documents in HTML, XML or SVG are not text here but programs, and are
refused; text that merely mentions markup is accepted, since text is only ever sent as a `text/plain` download.
"""

import codecs
import csv
import re
from collections.abc import Iterator
from typing import IO

import orjson

from incidents.attachments.kinds import CSV, JSON, TEXT, Kind

CHUNK = 256 * 1024
FORBIDDEN = re.compile("[\x00-\x06\x0e-\x1a\x1c-\x1f\x7f\ufffe\uffff]")
# A syslog line may begin with "<13>", so a bracket alone is no sign.
MARKUP = re.compile(
    r"\s*<(\?xml|!doctype|!--|!entity|(\w+:)?(svg|html|head|body|script|style|iframe|xsl\w*|meta|link|img|div|p|a)\b)",
    re.IGNORECASE,
)
JSON_BYTES = 2 * 1024 * 1024  # larger ones are called text: parsing them would cost many times their size in memory
CSV_ROWS = 50
PDF_TAIL = 2048  # readers look for the end marker in the last 1,024 bytes; editors leave some more behind


class NotText(ValueError):
    """The bytes are not text as we accept it."""


def text_kind(source: IO[bytes]) -> Kind:
    """What kind of text it is. Raises NotText, and reads it to the end first."""
    beginning = ""
    for part in decoded(source):
        if FORBIDDEN.search(part):
            raise NotText("control characters")
        beginning = beginning or part
    if MARKUP.match(beginning):
        raise NotText("markup")
    if _is_json(source, beginning):
        return JSON
    return CSV if _is_csv(beginning) else TEXT


def decoded(source: IO[bytes]) -> Iterator[str]:
    """The text in parts, without its byte order mark. Raises NotText."""
    source.seek(0)
    decoder = codecs.getincrementaldecoder(encoding_of(source.read(4)))("strict")
    source.seek(0)
    try:
        while chunk := source.read(CHUNK):
            yield decoder.decode(chunk)
        yield decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise NotText(str(error)) from error


def encoding_of(start: bytes) -> str:
    """UTF-16 where its mark says so, else UTF-8 (with or without a mark)."""
    return "utf-16" if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"


def copy_as_utf8(source: IO[bytes], target: IO[bytes]) -> None:
    """Copy a text as UTF-8."""
    for part in decoded(source):
        target.write(part.encode())


def is_whole_pdf(source: IO[bytes], size: int) -> bool:
    """Whether the file has the end that every PDF has (ISO 32000-1, 7.5.5)."""
    source.seek(max(size - PDF_TAIL, 0))
    tail = source.read(PDF_TAIL)
    return b"startxref" in tail and b"%%EOF" in tail


def _is_json(source: IO[bytes], beginning: str) -> bool:
    if beginning.lstrip()[:1] not in ("{", "["):
        return False
    source.seek(0)
    content = source.read(JSON_BYTES + 1)
    if len(content) > JSON_BYTES:
        return False
    try:
        orjson.loads(content.decode(encoding_of(content[:4])))
    except orjson.JSONDecodeError:
        return False
    return True


def _is_csv(beginning: str) -> bool:
    """At least two rows of the same number, at least two, of columns."""
    lines = beginning.splitlines()[: CSV_ROWS + 1]
    if len(lines) > CSV_ROWS or (len(lines) > 2 and len(beginning) >= CHUNK // 4):
        lines.pop()  # it may be cut in the middle
    if beginning.lstrip()[:1] in ("{", "[", "<"):
        return False
    return any(_has_columns([line for line in lines if line.strip()], delimiter) for delimiter in ",;\t")


def _has_columns(lines: list[str], delimiter: str) -> bool:
    try:
        widths = {len(row) for row in csv.reader(lines, delimiter=delimiter)}
    except csv.Error:
        return False
    return len(lines) >= 2 and len(widths) == 1 and min(widths) >= 2
