"""Headers of multipart bodies, made such that no file is lost by its name.

Django's parser passes over a part in silence if its header is not UTF-8 or names no field, and over a file whose name
is only dots; it takes a file without a name for a field, refuses long headers, and ends a file wherever its boundary
occurs, in the middle of a line, too. So each part's header is written anew on its way to it, between boundaries that
occur nowhere else: a file gets a number for its name, and `RewrittenForm.name_files` gives the names back.
"""

import email
import html
import re
import uuid
from collections.abc import Iterator
from email.header import decode_header, make_header
from email.message import Message
from email.utils import collapse_rfc2231_value
from typing import Any

from rest_framework.exceptions import ParseError

from incidents.attachments.charsets import guess_code_page
from incidents.attachments.inspecting import FIELD, clean_name

CHUNK = 64 * 1024
MAX_HEADER_BYTES = 16 * 1024
KEPT = ("Content-Type", "Content-Transfer-Encoding")
MAX_KEPT = 200  # characters; a longer content type says nothing
MAX_PADDING = 256  # bytes around a boundary on its line
MAX_PARAMETERS = 512  # the standard parser takes the square of their number in time
MAX_ENCODED = 1000  # characters of a name of RFC 2047
HEADER_END = b"\r\n\r\n"


class RewrittenForm:
    """A multipart body as a stream, with boundaries and headers that Django's parser understands."""

    def __init__(self, stream: Any, boundary: str) -> None:
        self.names: list[str] = []  # as they came, decoded; empty where a file has none
        self.boundary = f"parts-{uuid.uuid4().hex}"  # in place of theirs
        self.is_begun = False
        self.is_closed = False  # whether theirs was there in the end: half a log would look whole
        mark = re.escape(b"--" + boundary.encode("latin-1", "replace")) + rb"(?:(--)|[ \t]*\r\n)"
        # RFC 2046, section 5.1.1: at the beginning of a line, and alone there.
        self._delimiter = re.compile(rb"\r?\n" + mark)
        self._delimiter_at_start = re.compile(rb"(?:\A|\r?\n)" + mark)
        self._keep = len(boundary) + MAX_PADDING
        self._stream = stream
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
        buffer, delimiter = b"", self._delimiter_at_start
        while chunk := self._stream.read(CHUNK):
            self.is_begun = True
            buffer += chunk
            while found := delimiter.search(buffer):
                yield buffer[: found.start()]
                if found[1]:
                    self.is_closed = True
                    yield f"\r\n--{self.boundary}--\r\n".encode()
                    self._pass_over_epilogue()
                    return
                header, buffer = self._next_header(buffer[found.end() :])
                yield b"\r\n--" + self.boundary.encode() + b"\r\n" + self._header(header) + HEADER_END
                delimiter = self._delimiter_at_start
            if len(buffer) > self._keep:
                yield buffer[: -self._keep]
                buffer, delimiter = buffer[-self._keep :], self._delimiter
        yield buffer

    def _pass_over_epilogue(self) -> None:
        while self._stream.read(CHUNK):
            pass

    def _next_header(self, buffer: bytes) -> tuple[bytes, bytes]:
        """The header that the buffer begins with, and what follows it; more of the body is read where it goes on."""
        while (end := buffer.find(HEADER_END)) < 0:
            chunk = self._stream.read(CHUNK) if len(buffer) <= MAX_HEADER_BYTES else b""
            if not chunk:
                break
            buffer += chunk
        if end < 0 and len(buffer) <= MAX_HEADER_BYTES:
            raise ParseError("The body broke off before its end; nothing was stored.")
        if not 0 <= end <= MAX_HEADER_BYTES or buffer.count(b";", 0, end) > MAX_PARAMETERS:
            raise ParseError("A part of the form has too long a header; nothing was stored.")
        return buffer[:end], buffer[end + len(HEADER_END) :]

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


def _decoded(raw: bytes) -> str:
    """A header's text: UTF-8 as browsers send it, else the code page of an old client."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode(guess_code_page(raw), "replace")


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
    if "=?" not in value or len(value) > MAX_ENCODED:
        return value
    try:
        return str(make_header(decode_header(value)))
    except (LookupError, ValueError):
        return value
