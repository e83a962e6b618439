"""CloudWatch Logs Insights as a store that rules search."""

import datetime as dt
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from core.server.jobs import is_stopping
from core.text.sentences import Sentence
from integrations.cloudwatch.client import READ_SECONDS, TITLE, call, is_installed
from logs.sources.http import OUT_OF_TIME, STRANGE
from logs.sources.outside import Found, Limits, Row, Store, StoreFailed

KIND = "cloudwatch"
MOST_ROWS = 10_000  # of a query
MOST_GROUPS = 50
LONGEST_QUERY = 9_900  # of 10,000 characters, less the bounds
PAGE = 1000  # rows of an answer
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 2.0  # seconds between looks at a query that runs
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
MS = dt.timedelta(milliseconds=1)
OWN_SOURCE = re.compile(r"(?:\s|#[^\n]*\n)*source\b", re.IGNORECASE)

ENDED = Sentence("%(store)s ended the query without an answer (%(status)s).")


def search(query: str, since: dt.datetime, until: dt.datetime, limits: Limits) -> Found:
    """Return rows of [since, until). Raises StoreFailed."""
    # A call and StopQuery may take as long again.
    ends = time.monotonic() + max(limits.seconds - 2 * READ_SECONDS, limits.seconds / 2)
    most = min(limits.rows, MOST_ROWS)
    name = str(call("start_query", _request(query, since, until, most), needs="queryId")["queryId"])
    is_over = False
    try:
        answer = _wait(name, ends, limits)
        is_over = True
    finally:
        if not is_over:
            with suppress(StoreFailed):  # it has ended, or ends within an hour
                call("stop_query", {"queryId": name}, needs="success")
    return _read(name, answer, most, ends, limits)


def validate(query: str) -> str:
    """Return a query as kept. Raises ValidationError."""
    query = query.strip()
    if not query:
        raise ValidationError(_("A query of Logs Insights has commands, such as filter @message like /error/."))
    if len(query) > LONGEST_QUERY:
        raise ValidationError(_("A query has at most %(count)s characters.") % {"count": LONGEST_QUERY})
    if OWN_SOURCE.match(query):
        raise ValidationError(_("The log groups are those of CLOUDWATCH_LOG_GROUPS: leave out SOURCE."))
    return query


def why_unusable() -> str:
    """Return what is to be installed or set, or ""."""
    if not is_installed():
        return _("The operator must install the extra for AWS: pip install -r requirements-aws.txt.")
    if not settings.CLOUDWATCH_REGION or not settings.CLOUDWATCH_LOG_GROUPS:
        return _("Set CLOUDWATCH_REGION and CLOUDWATCH_LOG_GROUPS.")
    if len(settings.CLOUDWATCH_LOG_GROUPS) > MOST_GROUPS:
        return _("CLOUDWATCH_LOG_GROUPS names more than 50 groups.")
    return ""


def _request(query: str, since: dt.datetime, until: dt.datetime, most: int) -> dict[str, Any]:
    """Return the parameters of StartQuery, with a filter: its own bounds are whole seconds, the last one included."""
    start, end = _milliseconds(since), _milliseconds(until)
    bounds = f"filter toMillis(@timestamp) >= {start} and toMillis(@timestamp) < {end}"
    groups = [name.removesuffix(":*") for name in settings.CLOUDWATCH_LOG_GROUPS]
    has_arn = any(name.startswith("arn:") for name in groups)
    return {
        "logGroupIdentifiers" if has_arn else "logGroupNames": groups,
        "startTime": start // 1000,
        "endTime": -(-end // 1000),
        "queryString": f"{bounds}\n| {query.removeprefix('|').lstrip()}",
        "limit": most,
    }


def _wait(name: str, ends: float, limits: Limits) -> dict[str, Any]:
    """Return the first page of a query that is complete; what comes before that are parts."""
    pause = FIRST_PAUSE
    while True:
        answer = _page(name, "")
        if answer["status"] == "Complete":
            return answer
        if answer["status"] in ("Failed", "Cancelled", "Timeout"):
            raise StoreFailed(ENDED.say(store=TITLE, status=answer["status"]))
        if is_stopping():
            raise StoreFailed(ENDED.say(store=TITLE, status=answer["status"]))
        _check_time(ends - pause, limits)
        time.sleep(pause)
        pause = min(pause * 1.5, LONGEST_PAUSE)


def _read(name: str, answer: dict[str, Any], most: int, ends: float, limits: Limits) -> Found:
    rows, n_bytes = list[Row](), 0
    while True:
        for row in _rows(answer):
            n_bytes += len(row.text) + sum(len(name) + len(value) for name, value in row.fields.items())
            if n_bytes > limits.max_bytes:
                return Found(rows, is_cut=True)
            rows.append(row)
        if len(rows) >= most:
            return Found(rows[:most], is_cut=True)
        if not (token := answer.get("nextToken")):
            return Found(rows)
        _check_time(ends, limits)
        answer = _page(name, token)


def _page(name: str, token: str) -> dict[str, Any]:
    request = {"queryId": name, "maxItems": PAGE, **({"nextToken": token} if token else {})}
    return call("get_query_results", request, needs="status")


def _rows(answer: dict[str, Any]) -> Iterator[Row]:
    try:
        for result in answer["results"]:
            yield _row(result)
    except (KeyError, TypeError) as error:
        raise StoreFailed(STRANGE.say(store=TITLE, detail="no results")) from error


def _row(result: Sequence[dict[str, str]]) -> Row:
    fields = {one["field"]: one.get("value", "") for one in result if one["field"] != "@ptr"}
    said = fields.get("@message") or ", ".join(f"{name}={value}" for name, value in fields.items())
    return Row(fields, said.strip(), _moment(fields.get("@timestamp", "")))


def _moment(text: str) -> dt.datetime | None:
    try:
        return dt.datetime.strptime(text, "%Y-%m-%d %H:%M:%S.%f").replace(tzinfo=dt.UTC)
    except ValueError:
        return None


def _check_time(ends: float, limits: Limits) -> None:
    if time.monotonic() >= ends:
        raise StoreFailed(OUT_OF_TIME.say(store=TITLE, seconds=round(limits.seconds)))


def _milliseconds(instant: dt.datetime) -> int:
    return (instant - EPOCH) // MS


STORE = Store(
    kind=KIND,
    title="CloudWatch Logs Insights",
    search=search,
    validate=validate,
    why_unusable=why_unusable,
    lag=lambda: settings.CLOUDWATCH_LAG_SECONDS,
    example="filter @message like /ERROR/",
    language="Logs Insights QL",
)
