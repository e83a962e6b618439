"""Requests to stores that speak HTTP, within the limits of one search."""

import datetime as dt
import json
import ssl
import time
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

import orjson
from django.conf import settings

from core.outbound.client import Answer, Client, OutboundError, TooLong
from core.text.sentences import Sentence
from logs.sources.outside import Limits, StoreFailed

LONGEST_DETAIL = 300  # characters of what a store says
MAX_BYTES = Limits().max_bytes  # of one answer
STEP_SECONDS = 20.0
MOST_DIGITS = 20  # of a number kept as one

UNREACHABLE = Sentence("%(store)s did not give a whole answer (%(reason)s).")
OUT_OF_TIME = Sentence("The search in %(store)s took longer than %(seconds)s seconds.")
NO_ACCESS = Sentence("%(store)s refuses access (%(status)s): check %(settings)s.")
REFUSED = Sentence("%(store)s does not accept the query: %(detail)s")
BUSY = Sentence("%(store)s cannot answer now (%(status)s): %(detail)s")
NO_AUTHORITY = Sentence("%(name)s names no file with certificates (PEM) that can be read.")
STRANGE = Sentence("%(store)s answered with something else than expected (%(detail)s).")


def why_untrusting(name: str) -> str:
    """Return what is wrong with the setting that names a file of certificate authorities, if it is set."""
    file = getattr(settings, name)
    try:
        if file:
            ssl.create_default_context(cafile=file)
    except OSError:  # ssl.SSLError too
        return NO_AUTHORITY.say(name=name)
    return ""


class AnswerTooLong(Exception):
    """An answer had more bytes than the search has left."""


class OutOfTime(StoreFailed):
    """The time of the search is over; rows read before may still decide."""


@dataclass
class Exchange:
    """The requests of one search.

    `settings` names what an operator sets for access; `secrets` are removed from what is said.
    """

    store: str
    url: str
    limits: Limits
    headers: Mapping[str, str] = field(default_factory=dict)
    ca_file: str = ""
    settings: str = ""
    secrets: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self._ends = time.monotonic() + self.limits.seconds
        self.bytes_left = self.limits.max_bytes

    def seconds_left(self) -> float:
        """Return what is left of the search's time. Raises OutOfTime."""
        left = self._ends - time.monotonic()
        if left <= 0:
            raise OutOfTime(OUT_OF_TIME.say(store=self.store, seconds=round(self.limits.seconds)))
        return left

    def ask(self, method: str, path: str, *, params: Mapping[str, str] | None = None, body: Any = None) -> Answer:
        """Return an answer of any status. Raises StoreFailed or AnswerTooLong."""
        url = self.url.rstrip("/") + path + (f"?{urlencode(params)}" if params else "")
        headers = {"Accept": "application/json", **self.headers}
        if body is not None:
            headers["Content-Type"] = "application/json"
        content = None if body is None else orjson.dumps(body)
        try:
            answer = _client(self.ca_file).request(
                method, url, headers=headers, content=content, seconds=self.seconds_left()
            )
        except TooLong as error:
            raise AnswerTooLong from error
        except OutboundError as error:
            self.seconds_left()
            raise StoreFailed(UNREACHABLE.say(store=self.store, reason=error)) from error
        if len(answer.content) > self.bytes_left:
            raise AnswerTooLong
        self.bytes_left -= len(answer.content)
        return answer

    def read(self, answer: Answer) -> dict[str, Any]:
        """Return a successful answer's object. Raises StoreFailed."""
        if answer.status != 200:
            raise self.failure(answer, self.detail(answer.content.decode(errors="replace")))
        try:
            read = lenient_json(answer.content)
        except ValueError as error:
            raise self.strange("no JSON") from error
        if not isinstance(read, dict):
            raise self.strange("no object")
        return read

    def failure(self, answer: Answer, detail: str) -> StoreFailed:
        """Return the failure that a status other than 200 stands for."""
        status = answer.status
        if status in (401, 403):
            said = NO_ACCESS.say(store=self.store, status=status, settings=self.settings)
            return StoreFailed(said, is_permanent=True)
        if status in (400, 413, 422):
            return StoreFailed(REFUSED.say(store=self.store, detail=detail), is_permanent=True)
        wait = answer.retry_after(dt.datetime.now(dt.UTC)) or 0.0
        return StoreFailed(BUSY.say(store=self.store, status=status, detail=detail), wait=wait)

    def strange(self, detail: str) -> StoreFailed:
        return StoreFailed(STRANGE.say(store=self.store, detail=self.detail(detail)))

    def detail(self, text: str) -> str:
        """Return what a store says on one line, bounded, without the secrets."""
        access = self.headers.get("Authorization", "").rpartition(" ")[2]
        for secret in filter(None, (*self.secrets, access)):
            text = text.replace(secret, "…")
        return clipped(text)


def lenient_json(content: bytes) -> Any:
    """Return JSON, also with what a hostile line may bring into it: NaN, lone surrogates, other encodings, control
    characters, huge numbers. Raises ValueError.
    """
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        text = content.decode("utf-8", "replace")
    try:
        return json.loads(text, strict=False, parse_constant=str, parse_int=_whole)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _whole(digits: str) -> int | str:
    return int(digits) if len(digits) < MOST_DIGITS else digits


def clipped(text: str) -> str:
    """Return a text on one line, bounded."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_DETAIL else f"{line[: LONGEST_DETAIL - 1]}…"


def basic(user: str, password: str) -> str:
    """Return the Authorization of a user (RFC 7617)."""
    return f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"


@lru_cache(maxsize=8)
def _client(ca_file: str) -> Client:
    # One attempt: the rule's engine repeats, and counts.
    return Client(
        step_seconds=STEP_SECONDS,
        total_seconds=Limits().seconds,
        max_bytes=MAX_BYTES,
        attempts=1,
        is_trusted=True,
        ca_file=ca_file,
    )
