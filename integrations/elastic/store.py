"""Elasticsearch and OpenSearch as a store that rules search: `_search` in a point in time, page by page."""

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from threading import Lock
from typing import Any

import orjson
from cachetools import TTLCache
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from core.outbound.client import Answer
from core.text.sentences import Sentence
from integrations.elastic.products import ASSUMED, KEEP_ALIVE, Product, product_of
from logs.reading.times import moment
from logs.reading.values import text as text_of
from logs.sources.http import AnswerTooLong, Exchange, OutOfTime, basic, why_untrusting
from logs.sources.outside import Found, Limits, Row, Store, StoreFailed

KIND, TITLE = "elasticsearch", "Elasticsearch"
PAGE = 1000
CLOSING_SECONDS = 5.0
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
INDEX_LINE = re.compile(r"index:[ \t]*(\S+)[ \t]*\r?\n(.+)", re.DOTALL)
INDEX = re.compile(r"[^_\-+\s/?#\\\"<>|][^\s/?#\\\"<>|]*")

TOO_OLD = Sentence("%(store)s is too old: rules need Elasticsearch 7.10 or OpenSearch 2.4.")
PARTIAL = Sentence("%(store)s searched a part only: %(detail)s.")

_products: TTLCache[str, Product] = TTLCache(maxsize=4, ttl=600)
_lock = Lock()


def search(query: str, since: dt.datetime, until: dt.datetime, limits: Limits) -> Found:
    """Return documents of [since, until). Raises StoreFailed."""
    exchange = Exchange(
        store=TITLE,
        url=settings.ELASTICSEARCH_URL,
        limits=limits,
        headers=_headers(),
        ca_file=settings.ELASTICSEARCH_CA,
        settings="ELASTICSEARCH_API_KEY, ELASTICSEARCH_USER, ELASTICSEARCH_PASSWORD",
        secrets=(settings.ELASTICSEARCH_API_KEY, settings.ELASTICSEARCH_PASSWORD),
    )
    index, clause = _parsed(query)
    return _Search(exchange, _product(exchange), _within(clause, since, until)).read(index)


def validate(query: str) -> str:
    """Return a query as kept. Raises ValidationError."""
    _parsed(query)
    return query.strip()


def why_unusable() -> str:
    """Return which setting is missing or wrong, or ""."""
    if not settings.ELASTICSEARCH_URL:
        return _("Set ELASTICSEARCH_URL to the address of Elasticsearch.")
    return why_untrusting("ELASTICSEARCH_CA")


class _Search:
    def __init__(self, exchange: Exchange, product: Product, clause: dict[str, Any]) -> None:
        self.exchange, self.product, self.clause = exchange, product, clause
        self.page, self.rows = PAGE, list[Row]()

    def read(self, index: str) -> Found:
        path, params = self.product.opening(index)
        opened = _whole(self.exchange, self._answer("POST", path, params=params))
        try:
            pit = self.product.opened(opened)
        except KeyError as error:
            raise self.exchange.strange("no point in time") from error
        self.pit = str(pit)
        try:
            return self._pages()
        finally:
            self._close()

    def _pages(self) -> Found:
        after: list[Any] = []
        most = self.exchange.limits.rows
        while True:
            size = min(self.page, most + 1 - len(self.rows))
            try:
                hits = self._hits(size, after)
            except AnswerTooLong:
                if self.rows or size == 1:
                    return Found(self.rows, is_cut=True)
                self.page = max(size // 10, 1)
                continue
            except OutOfTime:
                if not self.rows:
                    raise
                return Found(self.rows, is_cut=True, is_late=True)
            try:
                self.rows += [_row(hit) for hit in hits]
                after = hits[-1]["sort"] if hits else []
            except (AttributeError, KeyError, TypeError) as error:
                raise self.exchange.strange("no hits") from error
            if len(self.rows) > most:
                return Found(self.rows[:most], is_cut=True)
            if len(hits) < size:
                return Found(self.rows)

    def _hits(self, size: int, after: list[Any]) -> list[Any]:
        body = {
            **{"size": size, "query": self.clause, "sort": self.product.order(), "track_total_hits": False},
            **{"pit": {"id": self.pit, "keep_alive": KEEP_ALIVE}},
            **{"timeout": f"{max(int(self.exchange.seconds_left()), 1)}s"},
            **({"search_after": after} if after else {}),
        }
        params = {"allow_partial_search_results": "false"}
        answer = _whole(self.exchange, self.exchange.ask("POST", "/_search", params=params, body=body))
        self.pit = str(answer.get("pit_id") or self.pit)
        try:
            found: list[Any] = answer["hits"]["hits"]
        except (KeyError, TypeError) as error:
            raise self.exchange.strange("no hits") from error
        return found

    def _close(self) -> None:
        path, body = self.product.closing(self.pit)
        closing = replace(self.exchange, limits=Limits(seconds=CLOSING_SECONDS))  # also when time is up
        with suppress(StoreFailed, AnswerTooLong):  # it ends by itself in two minutes
            closing.ask("DELETE", path, body=body)

    def _answer(self, method: str, path: str, *, params: Mapping[str, str]) -> Answer:
        try:
            return self.exchange.ask(method, path, params=params)
        except AnswerTooLong as error:
            raise self.exchange.strange("too long") from error


def _product(exchange: Exchange) -> Product:
    with _lock:
        known: Product | None = _products.get(exchange.url)
    if known is not None:
        return known
    try:
        answer = exchange.ask("GET", "/")
    except AnswerTooLong as error:
        raise exchange.strange("too long") from error
    if answer.status == 403:
        return ASSUMED
    found = product_of(_read(exchange, answer))
    if found is None:
        raise exchange.strange("no version")
    if found.is_too_old:
        raise StoreFailed(TOO_OLD.say(store=found.name), is_permanent=True)
    with _lock:
        _products[exchange.url] = found
    return found


def _whole(exchange: Exchange, answer: Answer) -> dict[str, Any]:
    """Return an answer of all shards in time. Raises StoreFailed."""
    read = _read(exchange, answer)
    shards, clusters = _object(read.get("_shards")), _object(read.get("_clusters"))
    parts = {
        "timed_out": read.get("timed_out"),
        "terminated_early": read.get("terminated_early"),
        "_shards.failed": shards.get("failed"),
        "_clusters.skipped": clusters.get("skipped"),
        "_clusters.partial": clusters.get("partial"),
        "_clusters.failed": clusters.get("failed"),
    }
    if said := [name for name, value in parts.items() if value]:
        raise StoreFailed(PARTIAL.say(store=exchange.store, detail=", ".join(said)))
    return read


def _read(exchange: Exchange, answer: Answer) -> dict[str, Any]:
    if answer.status == 200:
        return exchange.read(answer)
    raise exchange.failure(answer, exchange.detail(_reason(answer.content)))


def _reason(content: bytes) -> str:
    """Return the reasons of an error, the innermost last."""
    try:
        error = _object(orjson.loads(content)).get("error")
    except orjson.JSONDecodeError:
        return content.decode(errors="replace")
    if not isinstance(error, dict):
        return text_of(error)
    causes = [error, *(one for one in error.get("root_cause") or [] if isinstance(one, dict))]
    inner = error.get("caused_by")
    while isinstance(inner, dict) and len(causes) < 10:
        causes.append(inner)
        inner = inner.get("caused_by")
    return ": ".join(dict.fromkeys(str(one["reason"]) for one in causes if one.get("reason")))


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _parsed(query: str) -> tuple[str, dict[str, Any]]:
    """Return a query's indices and its clause. Raises ValidationError."""
    query, index = query.strip(), settings.ELASTICSEARCH_INDEX
    if match := INDEX_LINE.fullmatch(query):
        index, query = match[1], match[2].strip()
        if not all(INDEX.fullmatch(part) for part in index.split(",")):
            raise ValidationError(_("After “index:” come names of indices, such as logs-*,app-*."))
    if not query:
        raise ValidationError(_("A query is in Lucene's syntax, such as level:error AND service:checkout, or JSON."))
    if not query.startswith("{"):
        return index, {"query_string": {"query": query}}
    try:
        clause = orjson.loads(query)
    except orjson.JSONDecodeError as error:
        raise ValidationError(_("The query begins like JSON and is none.")) from error
    if set(clause) == {"query"} and isinstance(clause["query"], dict):
        clause = clause["query"]
    if len(clause) != 1 or not isinstance(next(iter(clause.values())), dict):
        raise ValidationError(_('A JSON query is one clause, such as {"term": {"level": "error"}}.'))
    return index, clause


def _within(clause: dict[str, Any], since: dt.datetime, until: dt.datetime) -> dict[str, Any]:
    bounds = {"gte": _milliseconds(since), "lt": _milliseconds(until), "format": "epoch_millis"}
    return {"bool": {"filter": [{"range": {settings.ELASTICSEARCH_TIME_FIELD: bounds}}, clause]}}


def _row(hit: Mapping[str, Any]) -> Row:
    source = _object(hit.get("_source"))
    fields = {"_index": text_of(hit["_index"]), "_id": text_of(hit["_id"]), **dict(_flat("", source))}
    at = moment(fields.get(settings.ELASTICSEARCH_TIME_FIELD))
    return Row(fields, fields.get("message") or text_of(source), at)


def _flat(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(f"{name}.{key}" if name else key, inner)
    elif isinstance(value, list) and not any(isinstance(one, (dict, list)) for one in value):
        yield name, ", ".join(map(text_of, value))
    else:
        yield name, text_of(value)


def _headers() -> dict[str, str]:
    if settings.ELASTICSEARCH_API_KEY:
        return {"Authorization": f"ApiKey {settings.ELASTICSEARCH_API_KEY}"}
    if settings.ELASTICSEARCH_USER:
        return {"Authorization": basic(settings.ELASTICSEARCH_USER, settings.ELASTICSEARCH_PASSWORD)}
    return {}


def _milliseconds(instant: dt.datetime) -> int:
    return (instant - EPOCH) // dt.timedelta(milliseconds=1)


STORE = Store(
    kind=KIND,
    title="Elasticsearch, OpenSearch",
    search=search,
    validate=validate,
    why_unusable=why_unusable,
    lag=lambda: settings.ELASTICSEARCH_LAG_SECONDS,
    example="level:error AND service:checkout",
    language="query_string, JSON",
)
