"""The query language of detection rules: what must be in a line. Pure.

    timeout                 the word occurs anywhere in the message, whatever its case
    "connection refused"    these characters occur, whatever their case
    /took \\d{4,} ms/        the regular expression is found (case counts unless it begins with (?i))
    status:502              the attribute is 502; nested ones with dots; quotes where the value has spaces
    path:/\\/api\\/.*/         the attribute's whole value matches the regular expression
    user:*                  the line has the attribute
    -healthcheck            any of these with a minus: must not hold

All parts must hold. An empty query holds for every line.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

from alerts.matching import MatcherInvalid, compiled

QUERY_LENGTH = 1000
MAX_TERMS = 30
SEARCHED_LENGTH = 2000  # characters of a message that regular expressions look at
OWN_FIELDS = frozenset({"service", "host", "trace_id"})
ANCHOR_LENGTH = 3  # shorter runs of letters occur in too many lines to tell them apart

# The slash within an expression is written \/, the quote within a phrase \".
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
    """A query that cannot be; the message says why."""


class Searched(Protocol):
    """What a query looks at."""

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


Test = Callable[[Searched, str], bool]  # a line, and its message in lower case


@dataclass(frozen=True)
class Query:
    """A query, ready to be asked. `anchor` is a run of letters in lower case without which no line matches ("" where
    there is none); `needs_attributes` tells whether more than the message is looked at."""

    tests: tuple[Test, ...] = ()
    anchor: str = ""
    needs_attributes: bool = False

    def matches(self, line: Searched, lowered: str) -> bool:
        """Whether every part holds."""
        for test in self.tests:  # noqa: SIM110 (a generator takes twice as long, and this is asked very often)
            if not test(line, lowered):
                return False
        return True


@lru_cache(maxsize=4096)
def parse(text: str) -> Query:
    """The query that a text says. Raises QueryInvalid."""
    if len(text) > QUERY_LENGTH:
        raise QueryInvalid(f"A query has at most {QUERY_LENGTH} characters.")
    parts = list(_PART.finditer(text.rstrip()))
    if len(parts) > MAX_TERMS:
        raise QueryInvalid(f"A query has at most {MAX_TERMS} parts.")
    tests = tuple(_negated(_test(part), part) for part in parts)
    anchors = [run for part in parts if _is_text(part) for run in letters(_text(part).lower())]
    anchor = max(anchors, key=len, default="")
    needs = any(part["name"] and part["name"] not in OWN_FIELDS for part in parts)
    return Query(tests, anchor if len(anchor) >= ANCHOR_LENGTH else "", needs)


def letters(text: str) -> list[str]:
    """The runs of letters in a text. A run within a phrase lies within one run of every line that has the phrase."""
    return _LETTERS.findall(text)


def field(line: Searched, name: str) -> str | None:
    """A line's field or attribute (`http.status`: under that name, else nested) as text; None when it has none."""
    if name in OWN_FIELDS:
        return getattr(line, name) or None
    attributes = line.attributes
    value: Any = attributes[name] if name in attributes else _nested(attributes, name)
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
        raise QueryInvalid(f"There is a quote without its end: {part['word']}.")
    if part["name"]:
        return _field_test(part)
    if part["pattern"] is not None:
        found = _pattern(_anywhere(part["pattern"]), is_searched=True).search
        return lambda line, _lowered: found(line.message[:SEARCHED_LENGTH]) is not None
    wanted = _text(part).lower()
    return lambda _line, lowered: wanted in lowered


def _field_test(part: re.Match[str]) -> Test:
    name = part["name"]
    if part["pattern"] is not None:
        whole = _pattern(part["pattern"]).fullmatch
        return lambda line, _lowered: whole((field(line, name) or "")[:SEARCHED_LENGTH]) is not None
    if part["word"] == "*":
        return lambda line, _lowered: field(line, name) is not None
    wanted = _text(part).casefold()
    return lambda line, _lowered: (field(line, name) or "").casefold() == wanted


def _negated(test: Test, part: re.Match[str]) -> Test:
    return (lambda line, lowered: not test(line, lowered)) if part["not"] else test


def _is_text(part: re.Match[str]) -> bool:
    return not part["not"] and not part["name"] and part["pattern"] is None


def _text(part: re.Match[str]) -> str:
    if part["phrase"] is not None:
        return re.sub(r"\\(.)", r"\1", part["phrase"])
    return part["word"]


def _anywhere(text: str) -> str:
    """Without a leading ".*", which says nothing of what is searched for, and would be tried from every place."""
    return text[2:] if text.startswith(".*") and text[2:3] not in ("", "?", "*", "+", "{") else text


def _pattern(text: str, *, is_searched: bool = False) -> re.Pattern[str]:
    try:
        return compiled(text.replace(r"\/", "/"), is_searched=is_searched)
    except MatcherInvalid as error:
        raise QueryInvalid(str(error)) from error
