"""Loki: push, query_range and query, of a small LogQL.

Selectors (=, !=, =~, !~), line filters (|=, !=, |~, !~), and `count_over_time(… [5m])`, alone, in `sum by (…)`, and
compared with a number. Statuses and texts of errors are those of Loki 3 (pkg/loghttp, pkg/logql/syntax, its
troubleshooting page).
"""

import base64
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs

from e2e.stand_ins.serving import Reply, Request, StandIn, of_json, of_text, run

UNITS = {"ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9, "d": 86_400 * 10**9}
NO_ORG = "no org id"
INSTANT = "log queries are not supported as an instant query type, please change your query to a range query type"
EMPTY = (
    "queries require at least one regexp or equality matcher that does not have an empty-compatible value. "
    'For instance, app=~".*" does not meet this requirement, but app=~".+" will'
)
QUOTED = r'"(?:[^"\\]|\\.)*"|`[^`]*`'
SELECTOR = re.compile(r"\s*\{(.*?)\}\s*", re.DOTALL)
MATCHER = re.compile(rf"\s*([a-zA-Z_]\w*)\s*(=~|!~|!=|=)\s*({QUOTED})\s*(,|$)")
FILTER = re.compile(rf"\s*(\|=|\|~|!=|!~)\s*({QUOTED})\s*")
COUNTED = re.compile(r"\s*count_over_time\s*\((.*)\[(\d+)(ns|us|ms|s|m|h|d)\]\s*\)\s*", re.DOTALL)
SUMMED = re.compile(r"\s*sum\s+by\s*\(([\w\s,]*)\)\s*\((.*)\)\s*", re.DOTALL)
COMPARED = re.compile(r"(.*?)\s*(>=|>|==|<=|<)\s*([\d.]+)\s*", re.DOTALL)
COMPARE: dict[str, Callable[[float, float], bool]] = {
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
}

Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, order=True)
class Line:
    at: int  # nanoseconds
    labels: Labels
    text: str


class Wrong(Exception):
    """A request is a 400, with this text."""


class Loki(StandIn):
    """`tenant`: lines are only for requests that name it. `token`, or `user` and `password`, are asked for if set."""

    def __init__(
        self, port: int = 0, *, tenant: str = "", token: str = "", user: str = "", password: str = "", most: int = 5000
    ) -> None:
        super().__init__(port)
        self.tenant, self.most = tenant, most
        basic = base64.b64encode(f"{user}:{password}".encode()).decode()
        self.authorization = f"Bearer {token}" if token else f"Basic {basic}" if user else ""
        self.lines: list[Line] = []

    def add(self, at: int, text: str, **labels: str) -> None:
        """Store a line; one that is there already is not stored twice."""
        line = Line(at, tuple(sorted(labels.items())), text)
        if line not in self.lines:
            self.lines.append(line)

    def judge(self, request: Request) -> Reply:
        if self.authorization and request.headers.get("authorization") != self.authorization:
            return of_text(401, "Unauthorized")
        if self.tenant and request.headers.get("x-scope-orgid") != self.tenant:
            return of_text(401, NO_ORG) if "x-scope-orgid" not in request.headers else _streams([])
        routes = {
            "/loki/api/v1/query_range": ({"GET", "POST"}, self.query_range),
            "/loki/api/v1/query": ({"GET", "POST"}, self.query),
            "/loki/api/v1/push": ({"POST"}, self.push),
            "/ready": ({"GET"}, lambda _request: of_text(200, "ready\n")),
        }
        if request.path not in routes:
            return of_text(404, "404 page not found\n")
        methods, answer = routes[request.path]
        if request.method not in methods:
            return Reply(405, b"")
        try:
            return answer(request)
        except Wrong as error:
            return of_text(400, str(error))

    def query_range(self, request: Request) -> Reply:
        params = _params(request, {"query", "start", "end", "limit", "direction", "step", "interval", "since"})
        start, end = _time(params, "start"), _time(params, "end")
        limit, direction = _limit(params), params.get("direction", "backward").lower()
        if direction not in ("forward", "backward"):
            raise Wrong(f"invalid direction '{params['direction']}'")
        if end < start:
            raise Wrong("end timestamp must not be before or equal to start time")
        keep = parse_lines(params.get("query", ""))
        if limit > self.most:
            raise Wrong(
                f"max entries limit per query exceeded, limit > max_entries_limit_per_query ({limit} > {self.most})"
            )
        found = sorted((line for line in self.lines if start <= line.at < end and keep(line)), key=lambda one: one.at)
        return _streams(found[:limit] if direction == "forward" else found[-limit:][::-1])

    def query(self, request: Request) -> Reply:
        params = _params(request, {"query", "time", "limit", "direction"})
        _limit(params)
        at = _time(params, "time")
        text = params.get("query", "")
        if text.lstrip("( \n\t").startswith("{"):
            parse_lines(text)
            raise Wrong(INSTANT)
        series = parse_metric(text)(self.lines, at)
        result = [{"metric": dict(labels), "value": [at / 1e9, f"{value:g}"]} for labels, value in series.items()]
        return _success("vector", result)

    def push(self, request: Request) -> Reply:
        if request.headers.get("content-type", "").split(";")[0] != "application/json":
            return of_text(415, "unsupported media type: this stand-in takes JSON")
        for stream in json.loads(request.body)["streams"]:
            for value in stream["values"]:
                self.add(int(value[0]), value[1], **stream["stream"])
        return Reply(204, b"")


def parse_lines(query: str) -> Callable[[Line], bool]:
    """Return whether a line is meant by a query. Raises Wrong."""
    if not query.strip():
        raise Wrong("parse error : syntax error: unexpected $end")
    match = SELECTOR.match(query)
    if match is None:
        raise Wrong(f"parse error at line 1, col 1: syntax error: unexpected {query.split()[0]}")
    checks = [*_matchers(match[1])]
    position = match.end()
    while position < len(query):
        filtering = FILTER.match(query, position)
        if filtering is None:
            raise Wrong(f"parse error at line 1, col {position + 1}: syntax error: unexpected IDENTIFIER")
        checks.append(_filter(filtering[1], _unquoted(filtering[2])))
        position = filtering.end()
    return lambda line: all(check(line) for check in checks)


def parse_metric(query: str) -> Callable[[Sequence[Line], int], dict[Labels, float]]:
    """Return what computes a query's series at an instant. Raises Wrong."""
    if (match := COMPARED.fullmatch(query)) and match[1].rstrip().endswith(")"):
        inner, holds, bound = parse_metric(match[1]), COMPARE[match[2]], float(match[3])
        return lambda lines, at: {key: value for key, value in inner(lines, at).items() if holds(value, bound)}
    if match := SUMMED.fullmatch(query):
        names, counting = [name.strip() for name in match[1].split(",") if name.strip()], parse_metric(match[2])
        return lambda lines, at: _summed(counting(lines, at), names)
    if match := COUNTED.fullmatch(query):
        keep, width = parse_lines(match[1]), int(match[2]) * UNITS[match[3]]
        return lambda lines, at: dict(
            Counter(line.labels for line in lines if at - width < line.at <= at and keep(line))
        )
    raise Wrong(f"parse error at line 1, col 1: syntax error: unexpected {(query.split() or ['$end'])[0]}")


def _summed(series: dict[Labels, float], names: Iterable[str]) -> dict[Labels, float]:
    sums: dict[Labels, float] = {}
    for labels, value in series.items():
        key = tuple((name, dict(labels)[name]) for name in sorted(names) if name in dict(labels))
        sums[key] = sums.get(key, 0) + value
    return sums


def _matchers(text: str) -> Iterable[Callable[[Line], bool]]:
    position, found, selects = 0, [], False
    while position < len(text.rstrip()):
        match = MATCHER.match(text, position)
        if match is None:
            raise Wrong(f"parse error at line 1, col {position + 2}: syntax error: unexpected STRING")
        name, operator, value = match[1], match[2], _unquoted(match[3])
        test = _test(operator, value)
        selects = selects or not test("")
        found.append(lambda line, name=name, test=test: test(dict(line.labels).get(name, "")))
        position = match.end()
    if not selects:
        raise Wrong(f"parse error : {EMPTY}")
    return found


def _test(operator: str, value: str) -> Callable[[str], bool]:
    try:
        pattern = re.compile(value if operator.endswith("~") else re.escape(value))
    except re.error as error:
        raise Wrong(f"parse error : error parsing regexp: {error}") from error
    is_wanted = not operator.startswith("!")
    return lambda said: bool(pattern.fullmatch(said)) is is_wanted


def _filter(operator: str, value: str) -> Callable[[Line], bool]:
    pattern, is_wanted = re.compile(value if operator.endswith("~") else re.escape(value)), operator[0] == "|"
    return lambda line: bool(pattern.search(line.text)) is is_wanted


def _unquoted(text: str) -> str:
    return text[1:-1] if text[0] == "`" else str(json.loads(text))


def _params(request: Request, known: set[str]) -> dict[str, str]:
    form = parse_qs(request.body.decode()) if request.method == "POST" else {}
    params = {**request.params, **{name: values[-1] for name, values in form.items()}}
    if unknown := sorted(set(params) - known):  # Loki passes over them: here, a test shall hear of a misspelling
        raise Wrong(f"unknown parameters: {', '.join(unknown)}")
    return params


def _time(params: dict[str, str], name: str) -> int:
    value = params.get(name, "")
    if not re.fullmatch(r"-?\d+", value):
        raise Wrong(f"could not parse '{name}' parameter: strconv.ParseInt: parsing \"{value}\": invalid syntax")
    return int(value) if len(value) > 10 else int(value) * 10**9


def _limit(params: dict[str, str]) -> int:
    value = params.get("limit", "100")
    if not re.fullmatch(r"-?\d+", value):
        raise Wrong(f'strconv.Atoi: parsing "{value}": invalid syntax')
    if int(value) <= 0:
        raise Wrong("limit must be a positive value")
    return int(value)


def _streams(lines: Sequence[Line]) -> Reply:
    streams: dict[Labels, list[list[str]]] = {}
    for line in lines:
        streams.setdefault(line.labels, []).append([str(line.at), line.text])
    return _success("streams", [{"stream": dict(labels), "values": values} for labels, values in streams.items()])


def _success(kind: str, result: object) -> Reply:
    return of_json(200, {"status": "success", "data": {"resultType": kind, "result": result, "stats": {}}})


if __name__ == "__main__":
    run(Loki, 3100, "A stand-in for Loki:")
