"""Loki as a store that rules search (its HTTP API: query_range for lines, query for metrics)."""

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from core.outbound.client import Answer
from logs.reading.values import from_nanoseconds
from logs.sources.http import AnswerTooLong, Exchange, OutOfTime, basic, why_untrusting
from logs.sources.outside import Found, Limits, Row, Store

KIND, TITLE = "loki", "Loki"
PAGE = 5000  # lines: max_entries_limit_per_query, unless an operator changed it
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
PARTIAL = "partial"  # in a warning of an answer that is not whole
COMMENT = re.compile(r"#[^\n]*")
LOWER_LIMIT = re.compile(r"max entries limit per query exceeded.*\(\d+ > (\d+)\)")

Entry = tuple[int, tuple[tuple[str, str], ...], str]  # nanoseconds, labels, line


def search(query: str, since: dt.datetime, until: dt.datetime, limits: Limits) -> Found:
    """Return lines of [since, until), or the series of a metric query at its end. Raises StoreFailed."""
    exchange = Exchange(
        store=TITLE,
        url=settings.LOKI_URL,
        limits=limits,
        headers=_headers(),
        ca_file=settings.LOKI_CA,
        settings="LOKI_USER, LOKI_PASSWORD, LOKI_TOKEN, LOKI_TENANT",
        secrets=(settings.LOKI_PASSWORD, settings.LOKI_TOKEN),
    )
    start, end = _nanoseconds(since), _nanoseconds(until)
    if is_metric(query):
        return _series(exchange, query, end)
    return _Lines(exchange, query, end).read(start)


def validate(query: str) -> str:
    """Return a query as kept. Raises ValidationError."""
    query = query.strip()
    if "{" not in query or "}" not in query:
        raise ValidationError(_('A LogQL query selects streams, such as {app="checkout"} |= "error".'))
    return query


def why_unusable() -> str:
    """Return which setting is missing or wrong, or ""."""
    return why_untrusting("LOKI_CA") if settings.LOKI_URL else _("Set LOKI_URL to the address of Loki.")


def is_metric(query: str) -> bool:
    """Return whether a query computes series: one for lines begins with a selector."""
    return not COMMENT.sub("", query).lstrip("( \t\r\n").startswith("{")


class _Lines:
    """Reads page by page. Lines with the time of a page's last come again with the next, and count once."""

    def __init__(self, exchange: Exchange, query: str, end: int) -> None:
        self.exchange, self.query, self.end = exchange, query, end
        self.page, self.found, self.warnings = PAGE, list[Entry](), list[str]()

    def read(self, start: int) -> Found:
        most, known = self.exchange.limits.rows, Counter[Entry]()
        while True:
            size = min(self.page, most + 1 - len(self.found) + known.total())
            try:
                entries = self._entries(start, size)
            except AnswerTooLong:
                if self.found or size == 1:
                    return self._cut()
                self.page = max(size // 10, 1)
                continue
            except OutOfTime:
                if not self.found:
                    raise
                return self._cut(is_late=True)
            if entries is None:
                continue
            fresh = _without(entries, known)
            self.found += fresh
            if len(self.found) > most or _is_partial(self.warnings):
                return self._cut()
            if len(entries) < size:
                return Found(_rows(self.found), warnings=self.warnings)
            if not fresh:  # more lines of one time than a page holds
                return self._cut()
            start = entries[-1][0]
            known = Counter(entry for entry in entries if entry[0] == start)

    def _entries(self, start: int, size: int) -> list[Entry] | None:
        """Return a page by time; None if Loki allows smaller ones only."""
        params = {
            **{"query": self.query, "start": str(start), "end": str(self.end)},
            **{"limit": str(size), "direction": "forward"},
        }
        answer = self.exchange.ask("GET", "/loki/api/v1/query_range", params=params)
        if (smaller := _smaller(answer)) and smaller < size:
            self.page = smaller
            return None
        data, warnings = _data(self.exchange, answer)
        self.warnings += [one for one in warnings if one not in self.warnings]
        if data["resultType"] != "streams":
            raise self.exchange.strange(f"resultType {data['resultType']}")
        try:
            return sorted(_read(data["result"]))
        except (KeyError, TypeError, ValueError) as error:
            raise self.exchange.strange("no streams") from error

    def _cut(self, *, is_late: bool = False) -> Found:
        return Found(
            _rows(self.found[: self.exchange.limits.rows]), is_cut=True, is_late=is_late, warnings=self.warnings
        )


def _series(exchange: Exchange, query: str, end: int) -> Found:
    # A range reaches back from an instant, which it includes: that before the end makes it [end - range, end).
    try:
        answer = exchange.ask("GET", "/loki/api/v1/query", params={"query": query, "time": str(end - 1)})
    except AnswerTooLong:
        return Found([], is_cut=True)
    data, warnings = _data(exchange, answer)
    try:
        if data["resultType"] == "scalar":
            return Found([_of_series({}, data["result"][1])])
        rows = [_of_series(one["metric"], one["value"][1]) for one in data["result"]]
    except (KeyError, TypeError, IndexError) as error:
        raise exchange.strange(f"resultType {data['resultType']}") from error
    is_cut = len(rows) > exchange.limits.rows or _is_partial(warnings)
    return Found(rows[: exchange.limits.rows], is_cut=is_cut, warnings=warnings)


def _of_series(labels: Mapping[str, str], value: str) -> Row:
    return Row({**labels, "value": value}, f"{_selector(labels)} {value}", None)


def _data(exchange: Exchange, answer: Answer) -> tuple[dict[str, Any], list[str]]:
    """Return an answer's data and warnings. Raises StoreFailed."""
    read = exchange.read(answer)
    data = read.get("data")
    if read.get("status") != "success" or not isinstance(data, dict) or "resultType" not in data:
        raise exchange.strange(f"status {read.get('status')}")
    warnings = read.get("warnings")
    return data, [exchange.detail(str(one)) for one in warnings] if isinstance(warnings, list) else []


def _is_partial(warnings: Sequence[str]) -> bool:
    return any(PARTIAL in warning.lower() for warning in warnings)


def _smaller(answer: Answer) -> int:
    match = LOWER_LIMIT.search(answer.content.decode(errors="replace")) if answer.status == 400 else None
    return int(match[1]) if match else 0


def _read(streams: list[dict[str, Any]]) -> Iterator[Entry]:
    for one in streams:
        labels = tuple(sorted(one["stream"].items()))
        for value in one["values"]:
            yield int(value[0]), labels, str(value[1])


def _without(entries: Sequence[Entry], known: Counter[Entry]) -> list[Entry]:
    """Return entries without those known, each as often as it is known."""
    left, fresh = known.copy(), []
    for entry in entries:
        if left[entry]:
            left[entry] -= 1
        else:
            fresh.append(entry)
    return fresh


def _rows(entries: Sequence[Entry]) -> list[Row]:
    return [Row(dict(labels), line, from_nanoseconds(at)) for at, labels, line in entries]


def _selector(labels: Mapping[str, str]) -> str:
    return "{" + ", ".join(f'{name}="{value}"' for name, value in sorted(labels.items())) + "}"


def _headers() -> dict[str, str]:
    headers = {}
    if settings.LOKI_TOKEN:
        headers["Authorization"] = f"Bearer {settings.LOKI_TOKEN}"
    elif settings.LOKI_USER:
        headers["Authorization"] = basic(settings.LOKI_USER, settings.LOKI_PASSWORD)
    if settings.LOKI_TENANT:
        headers["X-Scope-OrgID"] = settings.LOKI_TENANT
    return headers


def _nanoseconds(moment: dt.datetime) -> int:
    return (moment - EPOCH) // dt.timedelta(microseconds=1) * 1000


STORE = Store(
    kind=KIND,
    title=TITLE,
    search=search,
    validate=validate,
    why_unusable=why_unusable,
    lag=lambda: settings.LOKI_LAG_SECONDS,
    example='{app="checkout"} |= "error"',
    language="LogQL",
)
