"""Clauses of a query in JSON, and how they are refused."""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from e2e.stand_ins.lucene import Unparsable, parse


class Wrong(Exception):
    """A request is refused with a status, a type and a reason; `cause` is what the reason comes from."""

    def __init__(self, status: int, kind: str, reason: str, cause: str = "") -> None:
        super().__init__(reason)
        self.status, self.kind, self.reason, self.cause = status, kind, reason, cause


def clause(query: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], bool]:
    """Return whether a document's fields are meant. Raises Wrong."""
    if not isinstance(query, dict) or len(query) != 1:
        raise Wrong(400, "parsing_exception", "[bool] malformed query, expected [END_OBJECT] but found [FIELD_NAME]")
    ((name, inside),) = query.items()
    if name not in CLAUSES:
        raise Wrong(400, "parsing_exception", f"unknown query [{name}]")
    return CLAUSES[name](inside)


def _bool(inside: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], bool]:
    if unknown := sorted(set(inside) - {"filter", "must", "should", "must_not"}):
        raise Wrong(400, "x_content_parse_exception", f"[bool] unknown field [{unknown[0]}]")
    tests = {
        kind: [clause(one) for one in (parts if isinstance(parts, list) else [parts])] for kind, parts in inside.items()
    }
    needed, barred, some = (
        [*tests.get("filter", []), *tests.get("must", [])],
        tests.get("must_not", []),
        tests.get("should", []),
    )
    return lambda fields: (
        all(test(fields) for test in needed)
        and not any(test(fields) for test in barred)
        and (bool(needed) or not some or any(test(fields) for test in some))
    )


def _range(inside: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], bool]:
    ((field, bounds),) = inside.items()
    if unknown := sorted(set(bounds) - {"gte", "gt", "lt", "lte", "format"}):
        raise Wrong(400, "parsing_exception", f"[range] query does not support [{unknown[0]}]")
    is_millis = bounds.get("format") == "epoch_millis"
    limits = {name: value if is_millis else millis(value) for name, value in bounds.items() if name != "format"}
    if is_millis and not all(isinstance(value, int) for value in limits.values()):
        raise Wrong(400, "parse_exception", "failed to parse date field with format [epoch_millis]")
    holds: dict[str, Callable[[float, float], bool]] = {
        "gte": lambda a, b: a >= b,
        "gt": lambda a, b: a > b,
        "lt": lambda a, b: a < b,
        "lte": lambda a, b: a <= b,
    }

    def test(fields: Mapping[str, Any]) -> bool:
        value = fields.get(field)
        return value is not None and all(holds[name](millis(value), bound) for name, bound in limits.items())

    return test


def _query_string(inside: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], bool]:
    if unknown := sorted(set(inside) - {"query", "default_operator", "analyze_wildcard", "default_field"}):
        raise Wrong(400, "parsing_exception", f"[query_string] query does not support [{unknown[0]}]")
    try:
        return parse(inside["query"])
    except Unparsable as error:
        reason = f"Failed to parse query [{inside['query']}]"
        raise Wrong(400, "search_phase_execution_exception", reason, str(error)) from error


def _equals(inside: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], bool]:
    ((field, said),) = inside.items()
    wanted = said.get("value", said.get("query")) if isinstance(said, dict) else said
    return lambda fields: fields.get(field) == wanted


CLAUSES: dict[str, Callable[[Any], Callable[[Mapping[str, Any]], bool]]] = {
    "match_all": lambda _inside: lambda _fields: True,
    "bool": _bool,
    "range": _range,
    "query_string": _query_string,
    "term": _equals,
    "match": _equals,
    "exists": lambda inside: lambda fields: inside["field"] in fields,
}


def millis(value: Any) -> int:
    """Return a date as its field keeps it: whole milliseconds."""
    if isinstance(value, int):
        return value
    instant = dt.datetime.fromisoformat(value)
    return int((instant - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(milliseconds=1))
