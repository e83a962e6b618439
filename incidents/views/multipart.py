"""Read multipart forms so that no file is lost by its name: old clients write headers in code pages of their own, in
mail's encodings, or without a field's name. What cannot be told apart is refused.
"""

import base64
import binascii
import html
import re
from collections.abc import Iterator
from contextlib import ExitStack
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from email.utils import collapse_rfc2231_value
from functools import partial
from io import BytesIO
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict
from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from rest_framework.exceptions import ParseError
from rest_framework.parsers import DataAndFiles

from core.errors import DomainError, TooLarge
from incidents.attachments.charsets import guess_code_page
from incidents.attachments.inspecting import FIELD, IN_MEMORY_BYTES, clean_name

CHUNK = 64 * 1024
MAX_HEADER_BYTES = 16 * 1024
MAX_PADDING = 256  # bytes around a boundary on its line
MAX_PARAMETERS = 512  # the standard parser takes the square of their number in time
MAX_ENCODED = 1000  # characters of a name of RFC 2047


def read_form(stream: Any, boundary: str) -> "DataAndFiles[Any, Any]":
    """Return the fields and files of a form. Raises ParseError and DomainError."""
    with ExitStack() as opened:
        form = _Form(opened)
        try:
            form.read(stream, boundary.encode("latin-1", "replace"))
        except FormParserError as error:
            raise ParseError(f"The form cannot be read ({error}); nothing was stored.") from error
        opened.pop_all()
    return DataAndFiles(form.data, form.files)


class _Form:
    def __init__(self, opened: ExitStack) -> None:
        self.data = QueryDict(mutable=True)
        self.files: MultiValueDict[str, UploadedFile[bytes]] = MultiValueDict()
        self._opened = opened
        self._is_closed = False  # whether the last boundary came: half a log would look whole
        self._field_count = self._field_bytes = self._file_count = self._file_bytes = 0
        self._begin_part()

    def read(self, stream: Any, boundary: bytes) -> None:
        parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin_part,
                "on_header_field": lambda data, start, end: self._header_name.extend(data[start:end]),
                "on_header_value": lambda data, start, end: self._header_value.extend(data[start:end]),
                "on_header_end": self._end_header,
                "on_headers_finished": self._begin_content,
                "on_part_data": lambda data, start, end: self._add_content(data[start:end]),
                "on_part_end": self._end_part,
                "on_end": partial(setattr, self, "_is_closed", True),
            },
            max_header_size=MAX_HEADER_BYTES,
        )
        is_empty = True
        for piece in _canonical(stream, boundary):
            is_empty = False
            parser.write(piece)
        if not (self._is_closed or is_empty):
            raise ParseError("The body broke off before its end; nothing was stored.")

    def _begin_part(self) -> None:
        self._header = Message()
        self._header_name, self._header_value = bytearray(), bytearray()
        self._content: IO[bytes] = BytesIO()
        self._encoded: bytes | None = None  # what of base64 is still to be decoded

    def _end_header(self) -> None:
        if self._header_value.count(b";") > MAX_PARAMETERS:
            raise ParseError("A part of the form has too long a header; nothing was stored.")
        self._header[self._header_name.decode("ascii")] = _decoded(bytes(self._header_value))
        self._header_name, self._header_value = bytearray(), bytearray()

    def _begin_content(self) -> None:
        try:
            parameters = _parameters(self._header)
        except (ValueError, TypeError) as error:  # a charset that decodes no text, pieces that cannot be put in order
            raise ParseError("A part of the form has a name that cannot be read; nothing was stored.") from error
        if not ("name" in parameters or "filename" in parameters):
            raise ParseError("A part of the form has no Content-Disposition with a name; nothing was stored.")
        self._name, self._filename = parameters.get("name", FIELD), parameters.get("filename")
        if str(self._header.get("content-transfer-encoding", "")).strip().lower() == "base64":
            self._encoded = b""
        if self._filename is None:
            self._field_count += 1
            if self._field_count > settings.DATA_UPLOAD_MAX_NUMBER_FIELDS:
                raise DomainError("Too many form fields came at once.", code="too_many_fields")
            return
        self._file_count += 1
        if self._file_count > settings.DATA_UPLOAD_MAX_NUMBER_FILES:
            raise DomainError("Too many files came at once.", field=FIELD, code="too_many_files")
        in_memory = max(1, IN_MEMORY_BYTES - self._file_bytes)  # of all files together
        self._content = self._opened.enter_context(SpooledTemporaryFile(in_memory))  # noqa: SIM115 (it outlives this)

    def _add_content(self, data: bytes) -> None:
        if self._encoded is not None:
            data = self._encoded + b"".join(data.split())
            whole = len(data) // 4 * 4
            data, self._encoded = _from_base64(data[:whole]), data[whole:]
        if self._filename is None:
            self._field_bytes += len(data)
            if self._field_bytes > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
                raise TooLarge("The form's fields are too large.")
        self._content.write(data)

    def _end_part(self) -> None:
        if self._encoded:
            raise ParseError("A part of the form breaks off in its base64; nothing was stored.")
        size = self._content.tell()
        self._content.seek(0)
        if self._filename is None:
            self.data.appendlist(self._name, self._content.read().decode(errors="replace"))
        elif self._filename or size:  # what a browser sends for a file input that was left empty has neither
            self._file_bytes += size
            file = UploadedFile(self._content, clean_name(self._filename), size=size)
            self.files.appendlist(self._name, file)


def _canonical(stream: Any, boundary: bytes) -> Iterator[bytes]:
    """Yield a form without preamble and padding, its boundaries behind CRLF, its headers unfolded (RFC 2046, 5.1.1)."""
    header = rb"(\r\n(?s:.{,%d}?)\r\n(?=\r\n))" % MAX_HEADER_BYTES
    delimiter = re.compile(rb"\n(--" + re.escape(boundary) + rb")(?:(--)|[ \t]*(?=\r\n)" + header + rb"?)")
    rest, is_begun, keep = b"\n", False, len(boundary) + MAX_PADDING
    while chunk := stream.read(CHUNK):
        rest += chunk
        while (found := delimiter.search(rest)) and (found[2] or found[3]):
            # an empty part may have one line break only between its header and the next boundary
            yield (rest[: found.start()].removesuffix(b"\r") or b"\r\n") if is_begun else b""
            yield b"\r\n" + found[1] + (found[2] or re.sub(rb"\r\n(?=[ \t])", b"", found[3]))
            if found[2]:  # what follows the last boundary is nothing
                while stream.read(CHUNK):
                    pass
                return
            rest, is_begun = rest[found.end() :], True
        if found is None:
            yield rest[:-keep] if is_begun else b""
            rest = rest[-keep:]
        elif len(rest) - found.start() > MAX_HEADER_BYTES + keep:
            raise ParseError("A part of the form has too long a header; nothing was stored.")
    if is_begun:
        yield rest


def _from_base64(data: bytes) -> bytes:
    try:
        return base64.b64decode(data)
    except binascii.Error as error:
        raise ParseError("A part of the form is not the base64 that it claims to be; nothing was stored.") from error


def _decoded(raw: bytes) -> str:
    """Return a header's text: UTF-8 as browsers send it, else the code page of an old client."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode(guess_code_page(raw), "replace")


def _parameters(header: Message) -> dict[str, str]:
    """Return the parameters of the disposition, those of RFC 2231 before plain ones (RFC 6266, section 4.3)."""
    found: dict[str, str] = {}
    for name, value in header.get_params(failobj=[], header="content-disposition"):
        if isinstance(value, tuple):
            found[name.lower()] = collapse_rfc2231_value(value)
        else:
            found.setdefault(
                name.lower(),
                html.unescape(_mail_decoded(value) if "=?" in value and len(value) <= MAX_ENCODED else value),
            )
    return found


def _mail_decoded(value: str) -> str:
    try:
        return str(make_header(decode_header(value)))
    except (LookupError, ValueError, HeaderParseError):
        return value
