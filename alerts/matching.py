"""Matchers over what is known of an alert: the same for routes and silences. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from alerts.patterns import LENGTH, may_take_for_ever
from alerts.vocabulary import MatchOperator

PATTERN_LENGTH = 500
MAX_MATCHERS = 50
NAME = re.compile(r"^[^\s=!~{}\"]{1,200}$")
_WRITTEN = re.compile(
    r"""\s*(?P<name>[^\s=!~{}",]+)\s*(?P<op>=~|!~|!=|=)\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<bare>(?![=~!])[^",]*))\s*(?:,|$)"""
)
_ESCAPES = {"n": "\n", '"': '"', "\\": "\\"}


class MatcherInvalid(ValueError):
    """A matcher that cannot be; the message says why."""


@lru_cache(maxsize=2048)
def compiled(pattern: str, *, is_searched: bool = False) -> re.Pattern[str]:
    """A matcher's regular expression, or one to be searched for. Raises MatcherInvalid for one that is not one, or may
    never come to an end."""
    if len(pattern) > PATTERN_LENGTH:
        raise MatcherInvalid(f"A pattern has at most {PATTERN_LENGTH} characters.")
    try:
        regex = re.compile(pattern, re.DOTALL)
        is_slow = may_take_for_ever(pattern, is_searched=is_searched)
    except (re.error, OverflowError, RecursionError) as error:
        raise MatcherInvalid(f"{pattern} is not a regular expression: {error}.") from error
    if is_slow:
        raise MatcherInvalid(
            f"{pattern} repeats what can match in many ways, which may take for ever; write it simpler."
        )
    return regex


@dataclass(frozen=True)
class Matcher:
    """One condition: the fact of that name (nothing, when the alert has none) compared with the value."""

    name: str
    op: MatchOperator
    value: str

    def matches(self, facts: Mapping[str, str]) -> bool:
        """Whether it holds."""
        fact = facts.get(self.name, "")
        if self.op in (MatchOperator.EQUAL, MatchOperator.NOT_EQUAL):
            return (fact == self.value) == (self.op == MatchOperator.EQUAL)
        return (self._pattern.fullmatch(fact, 0, LENGTH) is not None) == (self.op == MatchOperator.MATCHES)

    def explain(self, facts: Mapping[str, str]) -> str:
        """Why it does not hold, in a sentence."""
        return f'{self.name} is "{facts.get(self.name, "")}", and must be {self.op} "{self.value}".'

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return compiled(self.value)


def matchers_from(value: Any) -> list[Matcher]:
    """Matchers from what is stored or was sent: a list of `{name, op, value}`. Raises MatcherInvalid."""
    if not isinstance(value, list) or len(value) > MAX_MATCHERS:
        raise MatcherInvalid(f"Matchers are a list of at most {MAX_MATCHERS} objects with name, op and value.")
    return [_matcher_from(item) for item in value]


def first_failing(matchers: Iterable[Matcher], facts: Mapping[str, str]) -> Matcher | None:
    """The first matcher that does not hold; None when all do."""
    return next((matcher for matcher in matchers if not matcher.matches(facts)), None)


def facts_of(labels: Mapping[str, str], *, severity: str, source: str) -> dict[str, str]:
    """What matchers look at: the labels, and the severity and the source's name, which win over labels so named; those
    are looked at as `label.severity` and `label.source`."""
    hidden = {f"label.{name}": labels[name] for name in ("severity", "source") if name in labels}
    return {**labels, **hidden, "severity": severity, "source": source}


def words_of(matchers: Sequence[Matcher]) -> str:
    """Matchers in one line, as Prometheus writes them."""
    return ", ".join(f'{matcher.name}{matcher.op}"{matcher.value}"' for matcher in matchers)


def parse_lines(text: str) -> list[Matcher]:
    """Matchers as Prometheus and Alertmanager write them, one on each line or with commas between, in braces or not:
    `severity=~"high|critical"`. Raises MatcherInvalid, naming the line.

    In quotes, `\\"`, `\\n` and `\\\\` stand for a quote, a new line and a backslash; before anything else a backslash
    stands for itself, so that `\\d+` needs no other.
    """
    found = []
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), start=1):
        try:
            found += [_matcher_from(item) for item in _written(line.strip())]
        except MatcherInvalid as error:
            raise MatcherInvalid(f"Line {number}: {error}") from error
    if len(found) > MAX_MATCHERS:
        raise MatcherInvalid(f"There are more than {MAX_MATCHERS} matchers.")
    return found


def lines_of(matchers: Iterable[Matcher]) -> str:
    """What `parse_lines` reads as these matchers: one on each line."""
    return "\n".join(f'{matcher.name}{matcher.op.value}"{_escaped(matcher.value)}"' for matcher in matchers)


def _written(line: str) -> list[dict[str, str]]:
    if line.startswith("{") and line.endswith("}"):
        line = line[1:-1]
    found, at = [], 0
    while at < len(line.rstrip()):
        match = _WRITTEN.match(line, at)
        if match is None:
            raise MatcherInvalid(
                f'{line[at:].strip()[:100]} is not a matcher; write it like severity=~"high|critical".'
            )
        quoted = match["quoted"]
        value = (match["bare"] or "").strip() if quoted is None else _unescaped(quoted)
        found.append({"name": match["name"], "op": match["op"], "value": value})
        at = match.end()
    return found


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", lambda match: _ESCAPES.get(match[1], match[0]), text)


def _escaped(text: str) -> str:
    """Only what would be read otherwise: a pattern's own backslashes stay single where they can."""
    doubled = re.sub(r'\\(?=[\\n"\n]|\Z)', lambda match: match[0] * 2, text)
    return doubled.replace('"', '\\"').replace("\n", "\\n")


def _matcher_from(item: Any) -> Matcher:
    if not isinstance(item, dict) or set(item) - {"name", "op", "value"}:
        raise MatcherInvalid("A matcher is an object with name, op and value.")
    name, op, value = item.get("name"), item.get("op", "="), item.get("value", "")
    if not isinstance(name, str) or not NAME.match(name):
        raise MatcherInvalid(f"{name!r} is not the name of a label.")
    if op not in MatchOperator.values:
        raise MatcherInvalid(f"{op!r} is not one of {' '.join(MatchOperator.values)}.")
    if not isinstance(value, str):
        raise MatcherInvalid(f"The value for {name} is not a text.")
    matcher = Matcher(name, MatchOperator(op), value)
    if matcher.op in (MatchOperator.MATCHES, MatchOperator.MATCHES_NOT):
        compiled(value)
    return matcher
