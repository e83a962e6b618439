"""A little of Splunk's search language: terms, comparisons, AND, OR, NOT, IN; then head, stats count, where, fields."""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

Event = Mapping[str, str]
Test = Callable[[Event], bool]
Row = dict[str, str]

TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|[()|,]|!=|>=|<=|=|>|<|[^\s()|,=<>!"]+|!')
COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
}


class Refused(Exception):
    """What Splunk says of a search that is none."""


@dataclass(frozen=True)
class Search:
    test: Test
    commands: Sequence[Sequence[str]]

    @property
    def is_transforming(self) -> bool:
        return any(command[0] == "stats" for command in self.commands)

    def rows(self, events: Iterable[Event]) -> list[Row]:
        """Return what it finds among events, newest first as they come."""
        rows = [dict(event) for event in events if self.test(event)]
        for name, *words in self.commands:
            rows = COMMANDS[name](rows, words)
        return rows


def parse(text: str) -> Search:
    """Return a search. Raises Refused."""
    first, *rest = _pipeline(TOKEN.findall(text))
    if not first or first[0].lower() != "search":
        raise Refused(f"Unknown search command '{(first or ['|'])[0].lower()}'.")
    for command in rest:
        if not command or command[0] not in COMMANDS:
            raise Refused(f"Unknown search command '{(command or [''])[0]}'.")
        COMMANDS[command[0]]([], command[1:])  # it judges its words
    return Search(_Clauses(first[1:]).read(), rest)


def _pipeline(tokens: Sequence[str]) -> list[list[str]]:
    parts: list[list[str]] = [[]]
    for token in tokens:
        if token == "|":
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


class _Clauses:
    """Reads clauses; unlike in most languages, OR binds more than AND, which need not be written."""

    def __init__(self, tokens: Sequence[str]) -> None:
        self.tokens, self.at = tokens, 0

    def read(self) -> Test:
        if not self.tokens:
            return lambda event: True
        test = self._all()
        if self.at < len(self.tokens):
            raise Refused("Error in 'search' command: Unable to parse the search: unbalanced parentheses.")
        return test

    def _peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def _next(self) -> str:
        token = self._peek()
        if not token:
            raise Refused("Error in 'search' command: Unable to parse the search: it ends too soon.")
        self.at += 1
        return token

    def _all(self) -> Test:
        tests = [self._any()]
        while self._peek() not in ("", ")"):
            if self._peek() == "AND":
                self._next()
            tests.append(self._any())
        return lambda event: all(test(event) for test in tests)

    def _any(self) -> Test:
        tests = [self._one()]
        while self._peek() == "OR":
            self._next()
            tests.append(self._one())
        return lambda event: any(test(event) for test in tests)

    def _one(self) -> Test:
        token = self._next()
        if token == "NOT":
            inner = self._one()
            return lambda event: not inner(event)
        if token == "(":
            inner = self._all()
            if self._next() != ")":
                raise Refused("Error in 'search' command: Unable to parse the search: unbalanced parentheses.")
            return inner
        if token in (")", ",", "=", "!", "!=", *COMPARISONS):
            raise Refused(f"Error in 'search' command: Unable to parse the search: '{token}' is misplaced.")
        following = self._peek()
        if following in ("=", "!=", *COMPARISONS):
            self._next()
            return _comparison(token, following, self._next())
        if following == "IN":
            self._next()
            return _among(token, self._list())
        return _term(_unquoted(token))

    def _list(self) -> list[str]:
        if self._next() != "(":
            raise Refused("Error in 'search' command: Unable to parse the search: IN needs a list.")
        values = []
        while (token := self._next()) != ")":
            if token != ",":
                values.append(token)
        return values


def _unquoted(token: str) -> str:
    return re.sub(r"\\(.)", r"\1", token[1:-1]) if token.startswith('"') else token


def _comparison(name: str, sign: str, value: str) -> Test:
    wanted = _unquoted(value).lower()
    if sign in COMPARISONS:
        return lambda event: _compares(event.get(name, ""), sign, wanted)

    def is_like(event: Event) -> bool:
        return fnmatchcase(event[name].lower(), wanted.replace("[", "[[]"))

    if sign == "!=":  # it asks for the field
        return lambda event: name in event and not is_like(event)
    return lambda event: name in event and is_like(event)


def _among(name: str, values: Sequence[str]) -> Test:
    tests = [_comparison(name, "=", value) for value in values]
    return lambda event: any(test(event) for test in tests)


def _term(term: str) -> Test:
    pattern = ".*".join(re.escape(part) for part in term.split("*"))
    compiled = re.compile(rf"(?<!\w){pattern}(?!\w)" if pattern.strip(".*") else "", re.IGNORECASE | re.DOTALL)
    return lambda event: compiled.search(event["_raw"]) is not None


def _compares(value: str, sign: str, wanted: str) -> bool:
    try:
        return COMPARISONS[sign](float(value), float(wanted))
    except ValueError:
        return False


def _head(rows: list[Row], words: Sequence[str]) -> list[Row]:
    text = words[0] if words else "10"
    if len(words) > 1 or not text.isdigit():
        raise Refused(f"Error in 'head' command: Invalid argument: '{' '.join(words)}'.")
    return rows[: int(text)]


def _stats(rows: list[Row], words: Sequence[str]) -> list[Row]:
    name, names = "count", list(words[1:])
    if list(words[:1]) != ["count"]:
        raise Refused("Error in 'stats' command: The argument is not count.")
    if [word.lower() for word in names[:1]] == ["as"]:
        name, names = names[1], names[2:]
    if names and names[0].lower() != "by":
        raise Refused(f"Error in 'stats' command: The argument '{names[0]}' is invalid.")
    by = [one for one in names[1:] if one != ","]
    found: dict[tuple[str, ...], int] = {} if by else {(): 0}
    for row in rows:
        if all(one in row for one in by):
            key = tuple(row[one] for one in by)
            found[key] = found.get(key, 0) + 1
    return [{**dict(zip(by, key, strict=True)), name: str(count)} for key, count in sorted(found.items())]


def _where(rows: list[Row], words: Sequence[str]) -> list[Row]:
    if len(words) != 3 or words[1] not in COMPARISONS:
        raise Refused("Error in 'where' command: The expression is malformed.")
    name, sign, value = words
    return [row for row in rows if _compares(row.get(name, ""), sign, value)]


def _fields(rows: list[Row], words: Sequence[str]) -> list[Row]:
    wanted = [word for word in words if word != ","]
    kept = {*wanted, "_raw", "_time"}
    return [{name: value for name, value in row.items() if name in kept} for row in rows]


COMMANDS: dict[str, Callable[[list[Row], Sequence[str]], list[Row]]] = {
    "head": _head,
    "stats": _stats,
    "where": _where,
    "fields": _fields,
}


def fields_of(raw: str) -> dict[str, str]:
    """Return the fields that Splunk finds in an event: of JSON, or name=value."""
    try:
        read = json.loads(raw)
    except ValueError:
        read = None
    if isinstance(read, dict):
        return {name: str(value) for name, value in read.items() if not isinstance(value, dict | list)}
    return {name: _unquoted(value) for name, value in re.findall(r'(\w+)=("(?:\\.|[^"\\])*"|[^\s,"]+)', raw)}
