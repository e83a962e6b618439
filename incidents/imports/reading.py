"""A CSV file, plain or gzip, as rows of cells in bounded memory. What cannot be read is refused line by line."""

import codecs
import csv
import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from core.errors import DomainError
from core.text.encodings import LONGEST_MARK, marked_as
from incidents.imports.mapping import Mapping

MAX_LINE_BYTES = 1024 * 1024
GZIP_MAGIC = b"\x1f\x8b"


class UnreadableFile(DomainError):
    """The file as a whole cannot be imported; nothing was written."""

    code = "unreadable_file"
    title = "Unreadable file"


@dataclass(frozen=True)
class Cells:
    """One record: the cells of the columns that are used, and the line it begins on."""

    line: int
    values: tuple[str, ...]


@dataclass(frozen=True)
class Refusal:
    """A record that was not imported, and why."""

    line: int
    external_id: str
    reason: str


class _LineError(ValueError):
    """One line that cannot be read; the next one can."""


class _Lines:
    """The decoded lines of a file. An iterator, not a generator: it goes on after an error."""

    def __init__(self, stream: BinaryIO, encoding: str) -> None:
        self.stream = stream
        self.encoding = encoding
        self.number = 0

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        try:
            raw = self.stream.readline(MAX_LINE_BYTES)
        except UnicodeError as error:
            raise UnreadableFile(f"The file is not in the encoding that its first bytes tell of: {error}.") from error
        if not raw:
            if isinstance(self.stream, codecs.StreamRecoder) and self.stream.reader.bytebuffer:
                raise UnreadableFile("The file ends within a character.")
            raise StopIteration
        self.number += 1
        if len(raw) == MAX_LINE_BYTES and not raw.endswith(b"\n"):
            self._skip_rest()
            raise _LineError(f"the line is longer than {MAX_LINE_BYTES:,} bytes")
        if b"\0" in raw:
            raise _LineError("the line holds a zero byte")
        try:
            return raw.decode(self.encoding)
        except UnicodeDecodeError as error:
            raise _LineError(f"byte {error.start + 1} of the line is not {self.encoding}") from error

    def _skip_rest(self) -> None:
        while (piece := self.stream.readline(MAX_LINE_BYTES)) and not piece.endswith(b"\n"):
            pass


def records(path: Path, mapping: Mapping) -> Iterator[Cells | Refusal]:
    """Yield the file's records, cells in the order of `mapping.used_columns`."""
    try:
        with _opened(path) as stream:
            yield from _records(stream, mapping)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UnreadableFile(f"{path} is a damaged or cut off gzip file: {error}.") from error
    except OSError as error:
        raise UnreadableFile(f"{path} cannot be read: {error.strerror or error}.") from error


def _opened(path: Path) -> BinaryIO:
    with path.open("rb") as stream:
        is_gzip = stream.read(2) == GZIP_MAGIC
    return gzip.open(path, "rb") if is_gzip else path.open("rb")  # type: ignore[return-value]


def _unmarked(stream: BinaryIO, encoding: str) -> tuple[BinaryIO, str]:
    marked = marked_as(stream.read(LONGEST_MARK))
    stream.seek(len(codecs.BOM_UTF8) if marked == "utf-8-sig" else 0)
    if marked.startswith(("utf-16", "utf-32")):
        return codecs.EncodedFile(stream, "utf-8", marked), "utf-8"
    return stream, "utf-8" if marked else encoding


def _records(stream: BinaryIO, mapping: Mapping) -> Iterator[Cells | Refusal]:
    lines = _Lines(*_unmarked(stream, mapping.encoding))
    reader = csv.reader(lines, delimiter=mapping.delimiter)
    header = _header(reader)
    places = _places(header, mapping)
    while True:
        line = lines.number + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except (csv.Error, _LineError) as error:
            yield Refusal(line, "", str(error))
            continue
        if len(row) == len(header):
            yield Cells(line, tuple(row[place].strip() for place in places))
        elif row:
            yield Refusal(line, "", f"the row has {len(row)} cells, the header {len(header)}")


def _header(reader: Iterator[list[str]]) -> list[str]:
    try:
        header = [name.strip() for name in next(reader)]
    except StopIteration as error:
        raise UnreadableFile("The file is empty; its first line must name the columns.") from error
    except (csv.Error, _LineError) as error:
        raise UnreadableFile(f"The file's first line, which must name the columns, cannot be read: {error}.") from error
    return header


def _places(header: list[str], mapping: Mapping) -> list[int]:
    absent = [name for name in mapping.used_columns if name not in header]
    if absent:
        raise UnreadableFile(f"The file has no column {', '.join(absent)}, which the mapping names.")
    repeated = [name for name in mapping.used_columns if header.count(name) > 1]
    if repeated:
        raise UnreadableFile(f"The file has more than one column {', '.join(repeated)}.")
    return [header.index(name) for name in mapping.used_columns]
