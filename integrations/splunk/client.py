"""Splunk's REST API: searches by export, which streams rows as they are found."""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from threading import Lock
from typing import Any
from urllib.parse import urlencode

import orjson
from cachetools import TTLCache, cached
from django.conf import settings

from core.outbound.client import Answer, Client, OutboundError, TimedOut, TooLong
from core.text.sentences import Sentence
from logs.sources.http import lenient_json
from logs.sources.outside import Found, Limits, Row, StoreFailed

INFO = "/services/server/info"
EXPORT, EXPORT_V2 = "/services/search/jobs/export", "/services/search/v2/jobs/export"
FIRST_V2, FIRST_V2_CLOUD = (9, 0, 2), (9, 0, 2209)  # splunk-sdk's `disable_v2_api`
VERSION_SECONDS = 3600.0
INFO_SECONDS = 10.0
MAX_ERROR_BYTES = 64 * 1024
SAID_LENGTH = 300
QUERY_FAULT = "Error in '"  # a command refuses its arguments
BAD = frozenset({"FATAL", "ERROR"})
PARTIAL = ("incomplete", "finalized")  # warnings of answers that are not whole, though a later one may be
TRUNCATED = "truncated"

UNREACHABLE = Sentence("Splunk cannot be reached at SPLUNK_URL (%(reason)s).")
LATE = Sentence("Splunk did not answer within %(seconds)s seconds.")
BROKEN_OFF = Sentence("Splunk's answer broke off before its end (%(reason)s).")
REFUSED_TOKEN = Sentence("Splunk refused SPLUNK_TOKEN (HTTP %(status)s): it is wrong, has expired or may not search.")
REFUSED_QUERY = Sentence("Splunk refused the query: %(said)s")
NOT_SPLUNK = Sentence(
    "No Splunk management service answers at SPLUNK_URL (HTTP %(status)s); its port is 8089, unlike that of the pages."
)
FAILED = Sentence("Splunk failed (HTTP %(status)s): %(said)s")
SEARCH_FAILED = Sentence("Splunk could not finish the search: %(said)s")
UNREADABLE = Sentence("Splunk's answer is not the JSON that it should be.")


def search(query: str, since: dt.datetime, until: dt.datetime, limits: Limits) -> Found:
    """Return the rows of [since, until) that a search finds. Raises StoreFailed."""
    form = {
        "search": query,
        "earliest_time": f"{since.timestamp():.3f}",
        "latest_time": f"{until.timestamp():.3f}",  # exclusive
        "output_mode": "json",
        "preview": "0",
    }
    path = EXPORT_V2 if has_v2(version(settings.SPLUNK_URL, settings.SPLUNK_TOKEN)) else EXPORT
    headers = {**_headers(), "Content-Type": "application/x-www-form-urlencoded"}
    reading = _Reading(limits)
    try:
        with _client(settings.SPLUNK_CA, limits.seconds).stream(
            "POST", _url(path), headers=headers, content=urlencode(form).encode()
        ) as answer:
            if answer.status != 200:
                raise _failure(Answer(answer.status, answer.headers, _at_most(answer.parts, MAX_ERROR_BYTES)))
            reading.read(answer.parts)
    except TimedOut as error:
        if not reading.rows:
            raise StoreFailed(LATE.say(seconds=round(limits.seconds))) from error
        return Found(reading.rows, is_cut=True, is_late=True, warnings=tuple(reading.warnings))
    except OutboundError as error:
        said = BROKEN_OFF if reading.has_begun else UNREACHABLE
        raise StoreFailed(said.say(reason=str(error))) from error
    return reading.found()


@dataclass
class _Reading:
    """An answer being read: a JSON object per line, each a row, messages, or the end."""

    limits: Limits
    rows: list[Row] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    is_full: bool = False  # a limit is reached
    is_partial: bool = False  # Splunk says so
    is_truncated: bool = False  # by a limit of Splunk's own
    has_begun: bool = False
    has_ended: bool = False

    def read(self, parts: Iterable[bytes]) -> None:
        for line in self._lines(parts):
            try:
                value = lenient_json(line)
            except ValueError as error:
                raise StoreFailed(UNREADABLE.say()) from error
            if not isinstance(value, dict):
                raise StoreFailed(UNREADABLE.say())
            try:
                self._take(value)
            except (AttributeError, TypeError) as error:  # of another shape than documented
                raise StoreFailed(UNREADABLE.say()) from error
            if self.is_full:
                return

    def _lines(self, parts: Iterable[bytes]) -> Iterator[bytes]:
        rest, number = b"", 0
        for part in parts:
            self.has_begun = True
            left = self.limits.max_bytes - number
            number += len(part)
            *lines, rest = (rest + part[:left]).split(b"\n")
            yield from (line for line in lines if line.strip())
            if number > self.limits.max_bytes:
                self.is_full = True
                return
        if rest.strip():
            yield rest

    def _take(self, value: Mapping[str, Any]) -> None:
        for message in value.get("messages") or ():
            self._heed(str(message.get("type", "")).upper(), str(message.get("text", ""))[:SAID_LENGTH])
        if value.get("preview"):
            return
        found = [value["result"]] if "result" in value else value.get("results") or ()
        for result in found:
            if len(self.rows) >= self.limits.rows:
                self.is_full = True
                return
            self.rows.append(row_of(result))
        if found or "lastrow" in value or "results" in value:
            self.has_ended = bool(value.get("lastrow")) or "results" in value

    def _heed(self, kind: str, text: str) -> None:
        if kind in BAD:
            raise StoreFailed(SEARCH_FAILED.say(said=text), is_permanent=text.startswith(QUERY_FAULT))
        if kind == "WARN":
            self.warnings.append(text)
            self.is_partial = self.is_partial or any(word in text.lower() for word in PARTIAL)
            self.is_truncated = self.is_truncated or TRUNCATED in text.lower()

    def found(self) -> Found:
        """Return all rows. Raises StoreFailed where the last of them is missing."""
        if not self.has_ended and not self.is_full:
            raise StoreFailed(BROKEN_OFF.say(reason="no last row"))
        is_cut = self.is_full or self.is_truncated
        return Found(self.rows, is_cut or self.is_partial, self.is_partial and not is_cut, tuple(self.warnings))


def row_of(result: Mapping[str, Any]) -> Row:
    """Return a row: its raw text, or its fields where a command made it."""
    fields = {name: _text(value) for name, value in result.items()}
    named = (f"{name}={value}" for name, value in fields.items() if not name.startswith("_"))
    return Row(fields, fields.get("_raw") or " ".join(named), _time(fields.get("_time", "")))


def _text(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)


def _time(text: str) -> dt.datetime | None:
    text = text.replace(" UTC", "+00:00").replace(" GMT", "+00:00")
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None


@dataclass(frozen=True)
class Version:
    numbers: tuple[int, ...]
    is_cloud: bool = False


def has_v2(found: Version) -> bool:
    """Return whether a Splunk has the second version of the export's address."""
    return found.numbers >= (FIRST_V2_CLOUD if found.is_cloud else FIRST_V2)


@cached(TTLCache(4, VERSION_SECONDS), lock=Lock())
def version(url: str, token: str) -> Version:
    """Return what answers at the address, remembered for an hour. Raises StoreFailed."""
    client = Client(
        step_seconds=INFO_SECONDS,
        total_seconds=INFO_SECONDS,
        is_trusted=True,
        ca_file=settings.SPLUNK_CA,
    )
    try:
        answer = client.request("GET", f"{_url(INFO)}?output_mode=json", headers=_headers())
    except TimedOut as error:
        raise StoreFailed(LATE.say(seconds=round(INFO_SECONDS))) from error
    except TooLong as error:
        raise StoreFailed(UNREADABLE.say()) from error
    except OutboundError as error:
        raise StoreFailed(UNREACHABLE.say(reason=str(error))) from error
    if answer.status != 200:
        raise _failure(answer)
    return _version_of(answer)


def _version_of(answer: Answer) -> Version:
    try:
        content = orjson.loads(answer.content)["entry"][0]["content"]
        numbers = tuple(int(part) for part in str(content["version"]).split("."))
    except (orjson.JSONDecodeError, LookupError, TypeError, ValueError) as error:
        raise StoreFailed(UNREADABLE.say()) from error
    return Version(numbers, str(content.get("instance_type", "")).lower() == "cloud")


def _failure(answer: Answer) -> StoreFailed:
    version.cache_clear()  # an upgrade may have moved the address
    status, said = answer.status, _said(answer.content)
    if status in (401, 403):
        return StoreFailed(REFUSED_TOKEN.say(status=status), is_permanent=True)
    if status == 400:
        return StoreFailed(REFUSED_QUERY.say(said=said), is_permanent=True)
    if status == 404 or 300 <= status < 400:
        return StoreFailed(NOT_SPLUNK.say(status=status))
    wait = answer.retry_after(dt.datetime.now(dt.UTC)) or 0.0
    return StoreFailed(FAILED.say(status=status, said=said), wait=wait)


def _said(content: bytes) -> str:
    try:
        messages = orjson.loads(content)["messages"]
        said = " ".join(str(message["text"]) for message in messages)
    except (orjson.JSONDecodeError, LookupError, TypeError):
        return "…"
    if settings.SPLUNK_TOKEN:  # a proxy may repeat what it was sent
        said = said.replace(settings.SPLUNK_TOKEN, "…")
    return said[:SAID_LENGTH]


def _at_most(parts: Iterable[bytes], limit: int) -> bytes:
    content = b""
    for part in parts:
        content += part
        if len(content) > limit:
            break
    return content[:limit]


def _url(path: str) -> str:
    return f"{settings.SPLUNK_URL.rstrip('/')}{path}"


def _headers() -> dict[str, str]:
    return {"Authorization": f"Bearer {settings.SPLUNK_TOKEN}", "Accept": "application/json"}


@lru_cache(maxsize=4)
def _client(ca_file: str, seconds: float) -> Client:
    return Client(step_seconds=seconds, total_seconds=seconds, is_trusted=True, ca_file=ca_file)
