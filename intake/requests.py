"""Intake's request and response, apart from any web framework."""

import codecs
import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any
from urllib.parse import parse_qs

import orjson

from core.text.encodings import unmarked

MAX_BYTES = 10 * 1024 * 1024
MAX_DEPTH = 60
MAX_VALUES = 1_200_000  # in one body of JSON: 10 MB of the smallest log lines
MAX_ALERT_VALUES = 500_000  # in what tells of alerts: those of ten thousand large ones
MAX_STREAMS = 64
_GZIP = b"\x1f\x8b"
_BETWEEN = (b",", b"[", b"{")  # one of them stands before each value, but for the first in a list or object
_TEXT = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)  # with or without its end
# Numbers in JSON that are too large for a float.
_HUGE = re.compile(rb"[:\[,]\s*-?\d+(?:\.\d+)?[eE]\+?\d+\s*[,}\]]")
_PLAIN = (b"{", b"[")  # how JSON without a byte order mark begins
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f]")


class IntakeError(Exception):
    """A sender's mistake. `message` is one sentence for whoever set the sender up.

    `status` is 400 unreadable, 401 no key, 403 wrong key or signature, 404, 413 too large, 422, 429 too often (then
    `retry_after` is in seconds), or 503 to be sent again. `is_stored`: whether the body is worth a look and a replay.
    """

    def __init__(self, message: str, *, status: int = 400, retry_after: int = 0, is_stored: bool = True) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.retry_after = retry_after
        self.is_stored = is_stored and status in (400, 403, 422)


@dataclass(frozen=True)
class IntakeRequest:
    """One request: `headers` in lower case, `path` decoded. What is parsed is shared: nobody may change it."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""
    query: str = ""
    address: str = ""

    def parameter(self, name: str) -> str:
        """Return the first value of a query parameter, or ""."""
        return parse_qs(self.query, keep_blank_values=True).get(name, [""])[0]

    @property
    def media_type(self) -> str:
        """Return the declared type in lower case; often missing or wrong."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @cached_property
    def unpacked(self) -> "IntakeRequest":
        """Return the request decompressed (gzip, zlib, deflate), recognised by content: GELF clients lie.

        Raises IntakeError: 413 past MAX_BYTES, 400 for a damaged stream.
        """
        bits = _compression(self.body, self.headers.get("content-encoding", "").lower())
        if bits is None or (body := _inflated(self.body, bits)) is self.body:
            return self
        return replace(self, body=body)

    @cached_property
    def json(self) -> Any:
        """Return the body as `exact_json` reads it."""
        return exact_json(self.body)

    def with_json(self, value: Any) -> "IntakeRequest":
        """Return the request with another, parsed body."""
        request = replace(self, body=orjson.dumps(value))
        request.__dict__["json"] = value
        return request


@dataclass(frozen=True, slots=True)
class IntakeResponse:
    """A response: JSON unless `media_type` says otherwise."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str = "application/json"

    @classmethod
    def json(cls, status: int, value: Any, **headers: str) -> "IntakeResponse":
        """Return a JSON response."""
        return cls(status, orjson.dumps(value), headers)


def read_json(body: bytes, most: int = MAX_VALUES) -> Any:
    """Return strict JSON, bounded in depth and number of values.

    Raises IntakeError for NaN, lone surrogates, another encoding; 413 past `most` values.
    """
    # before they are created: each takes up to thirty times its bytes
    if len(body) > most and _has_more_values(body, most):
        raise IntakeError(f"The body has more than {most:,} values; send it in smaller parts.", status=413)
    try:
        value = orjson.loads(body.removeprefix(codecs.BOM_UTF8))
    except orjson.JSONDecodeError as error:
        raise IntakeError(f"The body is not valid JSON: {error}.") from error
    if body.count(b"[") + body.count(b"{") > MAX_DEPTH and _depth(value) > MAX_DEPTH:
        raise IntakeError(f"The body is nested deeper than {MAX_DEPTH} levels.")
    return value


def exact_json(body: bytes) -> Any:
    """Return JSON with numbers that would not survive (large ids, fractions as keys) as text. Raises as `read_json`."""
    if body[:1] not in _PLAIN:
        body = unmarked(body)
    try:
        value = read_json(body, MAX_ALERT_VALUES)
    except IntakeError:
        if _HUGE.search(body) is None:
            raise
    else:
        if not _has_fraction(value):  # nor did it hold a larger integer
            return value
    try:
        value = json.loads(body, parse_int=_whole, parse_float=_fraction, parse_constant=_constant)
        read_json(orjson.dumps(value), MAX_ALERT_VALUES)  # as strict and bounded as everything else
    except (ValueError, RecursionError, TypeError):
        return read_json(body, MAX_ALERT_VALUES)  # says what is wrong
    return value


def _has_fraction(value: Any) -> bool:
    waiting = [value]
    while waiting:
        one = waiting.pop()
        kind = type(one)
        if kind is dict:
            waiting += one.values()
        elif kind is list:
            waiting += one
        elif kind is float:
            return True
    return False


def _constant(name: str) -> None:
    raise ValueError(f"{name} is not valid JSON.")


def _whole(digits: str) -> int | str:
    return int(digits) if len(digits) < 19 and digits != "-0" else digits


def _fraction(digits: str) -> float | str:
    number = float(digits)
    return number if repr(number) == digits else digits


def _has_more_values(body: bytes, most: int) -> bool:
    if sum(map(body.count, _BETWEEN)) <= most:
        return False
    return sum(map(_TEXT.sub(b"", body).count, _BETWEEN)) > most


def _depth(value: Any) -> int:
    depth, level = 0, [value]
    while level := [one for one in level if isinstance(one, (dict, list))]:
        depth += 1
        if depth > MAX_DEPTH:
            break
        level = [inner for outer in level for inner in (outer.values() if isinstance(outer, dict) else outer)]
    return depth


def _compression(body: bytes, encoding: str) -> int | None:
    if body[:2] == _GZIP:
        return 31
    if body[:1] == b"\x78" and len(body) > 2 and int.from_bytes(body[:2], "big") % 31 == 0:
        return 15
    return -15 if "deflate" in encoding and body else None


def _inflated(body: bytes, bits: int) -> bytes:
    try:
        return _unpack(body, bits)
    except (zlib.error, EOFError) as error:
        if _is_text(body):  # it only looked compressed, or its header is wrong
            return body
        raise IntakeError(f"The compressed body is damaged: {error}.") from error


def _unpack(body: bytes, bits: int) -> bytes:
    """Return every stream in the body; gzip may have several."""
    unpacked = bytearray()
    for _stream in range(MAX_STREAMS):
        stream = zlib.decompressobj(bits)
        unpacked += stream.decompress(body, MAX_BYTES + 1 - len(unpacked))
        if len(unpacked) > MAX_BYTES:
            raise IntakeError(f"Unpacked, the body is larger than {MAX_BYTES:,} bytes.", status=413)
        if not stream.eof:
            raise EOFError("it is truncated")
        body = stream.unused_data
        if not body.strip(b"\0\r\n "):  # zero padding
            return bytes(unpacked)
    raise zlib.error(f"it is made of more than {MAX_STREAMS} parts")


def _is_text(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return _CONTROL.search(body.rstrip(b"\0")) is None  # GELF clients end with NUL
