"""A small Logs Insights QL: fields, filter, stats count(*) by, sort @timestamp, limit."""

import datetime as dt
import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

COMMAND = r"""(?:"[^"]*"|'[^']*'|/(?:[^/\\\n]|\\.)*/|[^|"'/])+"""
COMMANDS = re.compile(rf"{COMMAND}(?:\|{COMMAND})*")
COMPARISON = re.compile(
    r"""\s*(?P<name>toMillis\(@timestamp\)|[@\w.]+)\s*(?P<operator>>=|<=|!=|=|>|<|\blike\b)\s*"""
    r"""(?:/(?P<regex>(?:[^/\\]|\\.)*)/|"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<number>-?[\d.]+))\s*"""
)
STATS = re.compile(r"count\(\*\)(?:\s+as\s+(\w+))?(?:\s+by\s+([@\w.,\s]+))?")
Fields = Mapping[str, str]
Test = Callable[[Fields], bool]


class Malformed(ValueError):
    """The message is the compiler's."""


@dataclass(frozen=True)
class Event:
    at: int  # milliseconds
    message: str
    group: str

    @property
    def fields(self) -> dict[str, str]:
        """Return what a query sees: the event's own fields, and those of a message in JSON."""
        when = dt.datetime.fromtimestamp(self.at // 1000, dt.UTC)
        shown = f"{when:%Y-%m-%d %H:%M:%S}.{self.at % 1000:03}"
        own = {"@timestamp": shown, "@message": self.message, "@log": f"123456789012:{self.group}"}
        return {**_found_in(self.message), **own, "toMillis(@timestamp)": str(self.at)}


@dataclass
class Query:
    shown: list[str] = field(default_factory=lambda: ["@timestamp", "@message"])
    tests: list[Test] = field(default_factory=list)
    counts: tuple[str, list[str]] | None = None
    is_descending: bool = True
    limit: int | None = None

    def run(self, events: Sequence[Event], limit: int) -> list[list[dict[str, str]]]:
        """Return rows as the API has them."""
        ordered = sorted(events, key=lambda event: event.at, reverse=self.is_descending)
        kept = [event for event in ordered if all(test(event.fields) for test in self.tests)]
        rows = self._counted(kept) if self.counts else [self._of(number, event) for number, event in enumerate(kept)]
        return rows[: self.limit or limit]

    def _of(self, number: int, event: Event) -> list[dict[str, str]]:
        fields = event.fields
        shown = [{"field": name, "value": fields[name]} for name in self.shown if name in fields]
        return [*shown, {"field": "@ptr", "value": f"CmEKJgoiMTIz{event.at}{number}"}]

    def _counted(self, events: Sequence[Event]) -> list[list[dict[str, str]]]:
        name, by = self.counts or ("", [])
        found = Counter(tuple(event.fields.get(one, "") for one in by) for event in events)
        pairs = [[*zip(by, key, strict=True), (name, str(n))] for key, n in found.most_common()]
        return [[{"field": one, "value": value} for one, value in row] for row in pairs]


def compiled(text: str) -> Query:
    """Return a query. Raises Malformed."""
    query = Query()
    bare = re.sub(r"(?m)^\s*#.*$", "", text).strip()
    if COMMANDS.fullmatch(bare) is None:
        raise Malformed(f"unexpected symbol found at {bare[:20]!r}")
    for command in map(str.strip, re.findall(COMMAND, bare)):
        word, _space, rest = command.partition(" ")
        if word not in STEPS:
            raise Malformed(f"unexpected symbol found {word} at line 1 and position 1")
        STEPS[word](query, rest.strip())
    return query


def _fields(query: Query, rest: str) -> None:
    query.shown = [name.strip() for name in rest.split(",")]
    if not all(re.fullmatch(r"[@\w.]+", name) for name in query.shown):
        raise Malformed(f"unexpected symbol found in {rest!r}")


def _filter(query: Query, rest: str) -> None:
    query.tests.append(_expression(rest))


def _expression(text: str) -> Test:
    tests, position, is_any = list[Test](), 0, False
    while True:
        match = COMPARISON.match(text, position)
        if match is None:
            raise Malformed(f"unexpected symbol found {text[position:].split(' ')[0] or 'end of query'}")
        tests.append(_comparison(match))
        if match.end() == len(text):
            return (
                (lambda fields: any(test(fields) for test in tests))
                if is_any
                else (lambda fields: all(test(fields) for test in tests))
            )
        joint = re.compile(r"(and|or)\b", re.IGNORECASE).match(text, match.end())
        if joint is None or (len(tests) > 1 and is_any != (joint[1].lower() == "or")):
            raise Malformed(f"unexpected symbol found {text[match.end() :].split(' ')[0]}")
        is_any, position = joint[1].lower() == "or", joint.end()


def _comparison(match: re.Match[str]) -> Test:
    name, operator = match["name"], match["operator"]
    if match["number"] is not None:
        bound = float(match["number"])
        return lambda fields: _is_number(fields.get(name)) and _holds(float(fields[name]), operator, bound)
    text = next(value for value in (match["regex"], match["double"], match["single"]) if value is not None)
    if operator == "like":
        pattern = re.compile(text if match["regex"] is not None else re.escape(text))
        return lambda fields: name in fields and bool(pattern.search(fields[name]))
    return lambda fields: name in fields and _holds(fields[name], operator, text)


def _holds(value: Any, operator: str, bound: Any) -> bool:
    return bool(
        {
            **{"=": value == bound, "!=": value != bound, ">": value > bound, "<": value < bound},
            **{">=": value >= bound, "<=": value <= bound},
        }[operator]
    )


def _stats(query: Query, rest: str) -> None:
    match = STATS.fullmatch(rest)
    if match is None:
        raise Malformed(f"unexpected symbol found in {rest!r}")
    query.counts = match[1] or "count(*)", [name.strip() for name in (match[2] or "").split(",") if name.strip()]


def _sort(query: Query, rest: str) -> None:
    if rest not in ("@timestamp", "@timestamp asc", "@timestamp desc"):
        raise Malformed(f"unexpected symbol found in {rest!r}")
    query.is_descending = rest != "@timestamp asc"


def _limit(query: Query, rest: str) -> None:
    if not rest.isdigit() or not 0 < int(rest) <= 10_000:
        raise Malformed("limit must be between 1 and 10000")
    query.limit = int(rest)


STEPS: dict[str, Callable[[Query, str], None]] = {
    **{"fields": _fields, "filter": _filter, "stats": _stats},
    **{"sort": _sort, "limit": _limit},
}


def _is_number(text: str | None) -> bool:
    return text is not None and re.fullmatch(r"-?\d+(\.\d+)?", text) is not None


def _found_in(message: str) -> dict[str, str]:
    try:
        read = json.loads(message)
    except ValueError:
        return {}
    return dict(_flat("", read)) if isinstance(read, dict) else {}


def _flat(name: str, value: Any) -> list[tuple[str, str]]:
    if isinstance(value, dict):
        return [pair for key, inner in value.items() for pair in _flat(f"{name}.{key}" if name else key, inner)]
    return [(name, value if isinstance(value, str) else json.dumps(value))]
