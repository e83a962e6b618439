"""The query language of detection rules (docs/detection.md). Pure."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any, Protocol

from cachetools import LRUCache, cached

from alerts.patterns import LEAST_WEIGHT, MAX_CACHED_BYTES, Pattern, PatternInvalid, compiled
from logs.levels import level_of
from logs.vocabulary import LEVEL_OF_WORD, Level

QUERY_LENGTH = 1000
MAX_TERMS = 30
SEARCHED_LENGTH = 2000  # characters
LEVEL, MESSAGE, ATTRIBUTES = "level", "message", "attributes."
OWN_FIELDS = frozenset({"service", "host", "trace_id", LEVEL, MESSAGE})
# loggers' names for a line's own fields
FIELD_OF_NAME = {
    **dict.fromkeys(("severity", "loglevel", "log_level", "log.level", "lvl", "levelname", "priority"), LEVEL),
    **dict.fromkeys(("msg", "text", "body", "log", "line"), MESSAGE),
    **dict.fromkeys(("service.name", "service_name", "app", "application", "logger"), "service"),
    **dict.fromkeys(("hostname", "host.name", "host_name", "node", "instance"), "host"),
    **dict.fromkeys(("trace", "traceid", "trace.id", "traceId"), "trace_id"),
}
TIMES = frozenset({"timestamp", "time", "@timestamp", "ts", "since", "until"})
JOINING = frozenset({"AND", "OR", "NOT", "&&", "||"})
ANCHOR_LENGTH = 3  # shorter words occur in too many lines

# escapes: \/ in an expression, \" in a phrase
_PART = re.compile(
    r"""\s*(?P<not>-)?
    (?:(?P<name>[A-Za-z_][\w.@-]*):(?=[^\s/]|/(?!/)))?
    (?: "(?P<phrase>(?:[^"\\]|\\.)*)"
      | /(?P<pattern>(?:[^/\\]|\\.)+)/(?=\s|$)
      | (?P<word>\S+) )""",
    re.VERBOSE | re.DOTALL,
)
_LETTERS = re.compile(r"[^\W\d_]+")


class QueryInvalid(ValueError):
    """An invalid query; the message says why."""


class Searched(Protocol):
    """What a query looks at."""

    @property
    def level(self) -> int: ...
    @property
    def message(self) -> str: ...
    @property
    def service(self) -> str: ...
    @property
    def host(self) -> str: ...
    @property
    def trace_id(self) -> str: ...
    @property
    def attributes(self) -> Mapping[str, Any]: ...


Test = Callable[[Searched, str], bool]  # line, message in lower case


@dataclass(frozen=True)
class Query:
    """A parsed query; no line without the word `anchor` matches."""

    tests: tuple[Test, ...] = ()
    anchor: str = ""
    needs_attributes: bool = False
    weight: int = LEAST_WEIGHT  # bytes, about

    def matches(self, line: Searched, lowered: str) -> bool:
        """Return whether every part holds."""
        for test in self.tests:  # noqa: SIM110 (a generator takes twice as long, and this is asked very often)
            if not test(line, lowered):
                return False
        return True


@cached(LRUCache(MAX_CACHED_BYTES, getsizeof=lambda query: query.weight), lock=Lock())
def parse(text: str) -> Query:
    """Parse a query. Raises QueryInvalid."""
    parts = _parts(text)
    tests = tuple(_negated(_test(part), part) for part in parts)
    anchors = [run for part in parts if _is_text(part) for run in letters(_readings(part)[0])]
    anchor = max(anchors, key=len, default="")
    needs = any(part["name"] and part["name"] not in OWN_FIELDS for part in parts)
    weights = (_pattern(part["pattern"]).weight for part in parts if part["pattern"] is not None)
    return Query(tests, anchor if len(anchor) >= ANCHOR_LENGTH else "", needs, LEAST_WEIGHT + sum(weights))


def saved(text: str) -> Query:
    """Parse a query for saving. Raises QueryInvalid if it never matches."""
    for part in _parts(text):
        name, word = part["name"], part["word"]
        if word in JOINING:
            raise QueryInvalid(
                f"All parts must hold without a word between them; for either of two write a pattern, such as "
                f'/timeout|refused/. To look for the word itself write "{word}".'
            )
        if name == LEVEL and part["pattern"] is None and word != "*" and level_of(_text(part)) is None:
            raise QueryInvalid(f"{_text(part)} is not a level; valid levels: {', '.join(LEVEL_OF_WORD)}.")
        if name in TIMES:
            raise QueryInvalid(f"A rule evaluates lines as they arrive: omit {name} and set its window instead.")
    return parse(text)


def _parts(text: str) -> list[re.Match[str]]:
    if len(text) > QUERY_LENGTH:
        raise QueryInvalid(f"A query can have at most {QUERY_LENGTH} characters.")
    parts = list(_PART.finditer(text.rstrip()))
    if len(parts) > MAX_TERMS:
        raise QueryInvalid(f"A query can have at most {MAX_TERMS} terms.")
    return parts


def letters(text: str) -> list[str]:
    """Return the words in a text."""
    return _LETTERS.findall(text)


def field(line: Searched, name: str) -> str | None:
    """Return a field or attribute (by name, else nested) as text."""
    if name == LEVEL:
        return Level(line.level).word
    if name in OWN_FIELDS:
        return getattr(line, name) or None
    attributes = line.attributes
    value: Any = attributes[name] if name in attributes else _nested(attributes, name)
    if value is None and name.startswith(ATTRIBUTES):
        return field(line, name.removeprefix(ATTRIBUTES))
    if value is None and name in FIELD_OF_NAME:
        return field(line, FIELD_OF_NAME[name])
    return None if value is None else _as_text(value)


def _nested(value: Any, name: str) -> Any:
    for key in name.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(key)
    return value


def _as_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _test(part: re.Match[str]) -> Test:
    if part["word"] is not None and part["word"].startswith('"'):
        raise QueryInvalid(
            f"There is a quote without its end: {part['word']}. Before a quote that ends a phrase a backslash is "
            r'written twice, "C:\temp\\".'
        )
    if part["name"] and part["name"] != MESSAGE:
        return _field_test(part)
    return _text_test(part)


def _text_test(part: re.Match[str]) -> Test:
    if part["pattern"] is not None:
        found = _pattern(part["pattern"]).occurs_in
        return lambda line, _lowered: found(line.message[:SEARCHED_LENGTH].removesuffix("\n"))
    if part["name"] and part["word"] == "*":
        return lambda _line, lowered: bool(lowered)
    return _occurring(_readings(part))


def _occurring(readings: tuple[str, ...]) -> Test:
    if len(readings) == 1:
        wanted = readings[0]
        return lambda _line, lowered: wanted in lowered
    return lambda _line, lowered: any(wanted in lowered for wanted in readings)


def _field_test(part: re.Match[str]) -> Test:
    name, test = part["name"], _value_test(part)
    if part["pattern"] is not None or part["word"] == "*" or name in OWN_FIELDS:
        return lambda line, _lowered: test(field(line, name))
    return _either(name, test, _occurring(tuple(f"{name}:{said}".lower() for said in _readings(part))))


def _either(name: str, test: Callable[[str | None], bool], within: Test) -> Test:
    def holds(line: Searched, lowered: str) -> bool:
        value = field(line, name)
        return within(line, lowered) if value is None else test(value)

    return holds


def _value_test(part: re.Match[str]) -> Callable[[str | None], bool]:
    if part["pattern"] is not None:
        whole = _pattern(part["pattern"]).matches
        return lambda value: whole((value or "")[:SEARCHED_LENGTH])
    if part["word"] == "*":
        return lambda value: value is not None
    if FIELD_OF_NAME.get(part["name"]) == MESSAGE:
        among = _readings(part)
        return lambda value: value is not None and any(said in value.lower() for said in among)
    readings = {said.casefold() for said in _readings(part)}
    if FIELD_OF_NAME.get(part["name"], part["name"]) == LEVEL and (level := level_of(_text(part))):
        readings.add(level.word)
    return lambda value: (value or "").casefold() in readings


def _negated(test: Test, part: re.Match[str]) -> Test:
    return (lambda line, lowered: not test(line, lowered)) if part["not"] else test


def _is_text(part: re.Match[str]) -> bool:
    return not part["not"] and not part["name"] and part["pattern"] is None


def _text(part: re.Match[str]) -> str:
    phrase: str | None = part["phrase"]
    return str(part["word"]) if phrase is None else phrase.replace('\\"', '"')


def _readings(part: re.Match[str]) -> tuple[str, ...]:
    """Return the searched text in lower case; two backslashes may also mean one."""
    typed = _text(part).lower()
    once = (part["phrase"] or part["word"] or "").lower()
    once = re.sub(r'\\([\\"])' if part["phrase"] is not None else r"\\(\\)", r"\1", once)
    return (typed,) if once == typed else (typed, once)


def _pattern(text: str) -> Pattern:
    try:
        return compiled(text.replace(r"\/", "/"))
    except PatternInvalid as error:
        raise QueryInvalid(str(error)) from error
