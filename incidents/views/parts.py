"""Headers of multipart bodies, made such that no file is lost by its name.

Django's parser passes over a part in silence if its header is not UTF-8 or names no field, and over a file whose name
is only dots; it takes a file without a name for a field, and refuses long headers. So each part's header is written
anew on its way to it: a file gets a number for its name, and `Parts.name_files` gives the names back.
"""

import email
import html
import re
from collections.abc import Iterator
from email.header import decode_header, make_header
from email.message import Message
from email.utils import collapse_rfc2231_value
from typing import Any

from rest_framework.exceptions import ParseError

from incidents.attachments.charsets import guessed
from incidents.attachments.faults import FIELD
from incidents.attachments.names import clean_name

CHUNK = 64 * 1024
MAX_HEADER_BYTES = 16 * 1024
KEPT = ("Content-Type", "Content-Transfer-Encoding")
MAX_KEPT = 200  # characters; a longer content type says nothing
HEADER_END = b"\r\n\r\n"


class Parts:
    """A multipart body as a stream, with headers that Django's parser understands."""

    def __init__(self, stream: Any, boundary: str) -> None:
        self.names: list[str] = []  # as they came, decoded; empty where a file has none
        self._stream = stream
        self._mark = b"--" + boundary.encode("latin-1", "replace")
        self._rest = b""
        self._chunks = self._rewritten()

    def read(self, size: int = -1) -> bytes:
        """The next bytes, at most `size`."""
        while size < 0 or len(self._rest) < size:
            chunk = next(self._chunks, None)
            if chunk is None:
                break
            self._rest += chunk
        size = len(self._rest) if size < 0 else size
        piece, self._rest = self._rest[:size], self._rest[size:]
        return piece

    def name_files(self, files: Any) -> None:
        """Give each file its name; what a browser sends for a file input that was left empty is taken away."""
        for field in list(files):
            kept = []
            for file in files.getlist(field):
                raw = self.names[int(file.name)]
                if raw or file.size:
                    file.name = clean_name(raw)
                    kept.append(file)
                else:
                    file.close()
            files.setlist(field, kept)
            if not kept:
                del files[field]

    def _rewritten(self) -> Iterator[bytes]:
        buffer = b""
        while chunk := self._stream.read(CHUNK):
            buffer += chunk
            while (found := buffer.find(self._mark)) >= 0:
                start = found + len(self._mark)
                buffer = self._with_header(buffer, start)
                if buffer[start : start + 2] == b"--":  # what follows the end is nobody's
                    yield buffer
                    yield from iter(lambda: self._stream.read(CHUNK), b"")
                    return
                end = buffer.find(HEADER_END, start) + len(HEADER_END)
                if end < len(HEADER_END):
                    yield buffer  # it breaks off here
                    return
                if end - start > MAX_HEADER_BYTES:
                    raise _too_long()
                yield buffer[:start] + b"\r\n" + self._header(buffer[start : end - len(HEADER_END)]) + HEADER_END
                buffer = buffer[end:]
            keep = len(self._mark) - 1
            yield buffer[:-keep]
            buffer = buffer[-keep:]
        yield buffer

    def _with_header(self, buffer: bytes, start: int) -> bytes:
        """The buffer, with more of the body where the header that begins there goes on."""
        while buffer[start : start + 2] != b"--" and HEADER_END not in buffer[start:]:
            if len(buffer) - start > MAX_HEADER_BYTES:
                raise _too_long()
            chunk = self._stream.read(CHUNK)
            if not chunk:
                return buffer
            buffer += chunk
        return buffer

    def _header(self, raw: bytes) -> bytes:
        """The header of one part as Django reads it; a file's name is its place among the names."""
        header = email.message_from_string(_decoded(raw.strip(b"\r\n")))
        parameters = _parameters(header)
        if "content-disposition" not in header or not ("name" in parameters or "filename" in parameters):
            raise ParseError("A part of the form has no Content-Disposition with a name; nothing was stored.")
        field = re.sub(r'[\r\n"\\]', "", parameters.get("name", FIELD))
        lines = [f'Content-Disposition: form-data; name="{field}"']
        if "filename" in parameters:
            lines[0] += f'; filename="{len(self.names)}"'
            self.names.append(parameters["filename"])
        for name in KEPT:
            value = " ".join(str(header.get(name, "")).split())
            if value and value.isascii() and len(value) <= MAX_KEPT:
                lines.append(f"{name}: {value}")
        return "\r\n".join(lines).encode()


def _too_long() -> ParseError:
    return ParseError("A part of the form has too long a header; nothing was stored.")


def _decoded(raw: bytes) -> str:
    """A header's text: UTF-8 as browsers send it, else the code page of an old client."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode(guessed(raw), "replace")


def _parameters(header: Message) -> dict[str, str]:
    """The parameters of the disposition; what RFC 2231 encodes goes before what is plain (RFC 6266, section 4.3)."""
    found: dict[str, str] = {}
    for name, value in header.get_params(failobj=[], header="content-disposition"):
        if isinstance(value, tuple):
            found[name.lower()] = collapse_rfc2231_value(value)
        else:
            found.setdefault(name.lower(), html.unescape(_mail_decoded(value)))
    return found


def _mail_decoded(value: str) -> str:
    """Names that mail gateways encode as words (RFC 2047)."""
    if "=?" not in value:
        return value
    try:
        return str(make_header(decode_header(value)))
    except (LookupError, ValueError):
        return value
