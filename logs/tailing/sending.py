"""Send lines to a server, or store them here."""

import datetime as dt
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import httpx2
from django.utils import timezone

from core.errors import DomainError
from logs.lines import Line
from logs.normalising import dumped
from logs.services.intake import store_sent

LONGEST_WAIT = 60.0
TIMEOUT = 30.0


class LinesRejected(DomainError):
    """The server refuses the lines for good."""

    status = 400
    code = "lines_rejected"


class ToServer:
    """Posts to `/api/v1/logs/`, retrying at most `attempts` times.

    A lost answer makes lines appear twice.
    """

    def __init__(
        self,
        url: str,
        key: str,
        *,
        attempts: int | None = None,
        client: httpx2.Client | None = None,
        sleep: Callable[[float], None] = time.sleep,
        warn: Callable[[str], None] = lambda _text: None,
    ) -> None:
        self.url = f"{url.rstrip('/')}/api/v1/logs/"
        self.headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        self.attempts, self.sleep, self.warn = attempts, sleep, warn
        self.client = client or httpx2.Client(timeout=TIMEOUT)

    def send(self, lines: Sequence[Line]) -> int:
        """Send and count accepted lines. Raises LinesRejected."""
        body = dumped([as_record(line) for line in lines])
        attempt = 0
        while True:
            attempt += 1
            outcome = self._post(body, min(2.0 ** min(attempt - 1, 6), LONGEST_WAIT))
            if isinstance(outcome, int):
                return outcome
            if self.attempts is not None and attempt >= self.attempts:
                raise LinesRejected(f"{outcome.what}; tried {attempt} times.")
            self.warn(f"{outcome.what}; trying again in {outcome.wait:g} seconds.")
            self.sleep(outcome.wait)

    def _post(self, body: bytes, wait: float) -> "int | _Trouble":
        try:
            answer = self.client.post(self.url, content=body, headers=self.headers)
        except httpx2.HTTPError as error:
            return _Trouble(f"{self.url} cannot be reached ({type(error).__name__}: {error})", wait)
        if answer.status_code == 202:
            return int(answer.json()["accepted"])
        what = f"{self.url} answered {answer.status_code}"
        if answer.status_code == 429 or answer.status_code >= 500:
            return _Trouble(what, min(_number(answer.headers.get("retry-after"), wait), LONGEST_WAIT))
        raise LinesRejected(f"{what}: {_detail(answer)}")


@dataclass(frozen=True)
class _Trouble:
    what: str
    wait: float


class ToDatabase:
    def send(self, lines: Sequence[Line]) -> int:
        return store_sent(lines, timezone.now())


def as_record(line: Line) -> dict[str, Any]:
    said: dict[str, Any] = {
        "message": line.message,
        "timestamp": (line.timestamp or dt.datetime.now(dt.UTC)).isoformat(),
        "level": line.unknown_level or line.level.word,  # so that the server records unknown words
    }
    named = {name: getattr(line, name) for name in ("service", "host", "trace_id") if getattr(line, name)}
    return {**line.attributes, **said, **named}


def _detail(answer: httpx2.Response) -> str:
    try:
        return str(answer.json().get("detail", ""))[:500]
    except (ValueError, AttributeError):
        return answer.text[:200]


def _number(text: str | None, otherwise: float) -> float:
    return float(text) if text and text.isascii() and text.isdigit() else otherwise
