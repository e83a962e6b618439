"""Matchers of alerts, for routes and silences. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from alerts.patterns import LEAST_WEIGHT, LENGTH, Pattern, PatternInvalid, compiled
from alerts.patterns import words_of as words_in
from alerts.vocabulary import MatchOperator
from core.severity import SEVERITY_WORDS

MAX_MATCHERS = 50
NAME = re.compile(r"[^\s=!~{}\"]{1,200}")
_WRITTEN = re.compile(
    r"""\s*(?P<name>[^\s=!~{}",]+)\s*(?P<op>=~|!~|!=|=)\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<bare>(?![=~!])[^",]*))\s*(?:,|$)"""
)
SEVERITY, SOURCE = "severity", "source"
_SEVERITIES = tuple(str(word) for word, _label in SEVERITY_WORDS)
_ANY_SOURCE = ("Qabnor 7", "xyv-tzud_3", "KWEMIL")  # patterns matching all of these ask for no source
SEVERAL = " | "  # between a label's several values
_ESCAPES = {"n": "\n", '"': '"', "\\": "\\"}


class MatcherInvalid(ValueError):
    """The message says why."""


@dataclass(frozen=True)
class Matcher:
    """One condition on the fact of that name ("" when absent)."""

    name: str
    op: MatchOperator
    value: str

    def matches(self, facts: Mapping[str, str]) -> bool:
        """Return whether it holds; "is" and "matches" hold for any of several values."""
        said = values_of(facts.get(self.name, ""))
        if self.op in (MatchOperator.EQUAL, MatchOperator.NOT_EQUAL):
            return (self.value in said) == (self.op == MatchOperator.EQUAL)
        return any(self._pattern.matches(one[:LENGTH]) for one in said) == (self.op == MatchOperator.MATCHES)

    def explain(self, facts: Mapping[str, str]) -> str:
        """Say why it does not hold."""
        return f'{self.name} is "{facts.get(self.name, "")}", and must be {self.op} "{self.value}".'

    @property
    def weight(self) -> int:
        """Return its size in bytes, about."""
        is_compared = self.op in (MatchOperator.EQUAL, MatchOperator.NOT_EQUAL)
        return LEAST_WEIGHT if is_compared else self._pattern.weight

    @cached_property
    def _pattern(self) -> Pattern:
        return compiled(self.value)


def values_of(fact: str) -> tuple[str, ...]:
    """Return a label's text, and each of several values."""
    return (fact, *fact.split(SEVERAL)) if SEVERAL in fact else (fact,)


def matchers_from(value: Any) -> list[Matcher]:
    """Parse a list of `{name, op, value}`. Raises MatcherInvalid."""
    if not isinstance(value, list) or len(value) > MAX_MATCHERS:
        raise MatcherInvalid(f"Send a list of at most {MAX_MATCHERS} objects with name, op and value.")
    return [_matcher_from(item) for item in value]


def first_failing(matchers: Iterable[Matcher], facts: Mapping[str, str]) -> Matcher | None:
    """Return the first matcher that fails, if any."""
    return next((matcher for matcher in matchers if not matcher.matches(facts)), None)


def asks_for_nothing(matchers: Sequence[Matcher]) -> str:
    """Say why these would match alerts of every kind, or "".

    Matchers that absent labels, or any severity or source, fulfil ask for nothing.
    """
    if any(_asks(matcher) for matcher in matchers):
        return ""
    said = (
        f"{words_of(matchers)} holds for every alert that lacks the label"
        if matchers
        else "Without matchers it would hold for every alert"
    )
    if any(matcher.name in (SEVERITY, SOURCE) and not matcher.matches({}) for matcher in matchers):
        said = f"{words_of(matchers)} holds for every alert"
    return f'{said}. Ask for a value of at least one label, such as team="db".'


def _asks(matcher: Matcher) -> bool:
    if matcher.matches({}):
        return False
    always = {SEVERITY: _SEVERITIES, SOURCE: _ANY_SOURCE}.get(matcher.name, ())
    return not always or not all(matcher.matches({matcher.name: value}) for value in always)


def contradiction(matchers: Sequence[Matcher]) -> str:
    """Say why no alert could fulfil all of these, or ""."""
    for name in dict.fromkeys(matcher.name for matcher in matchers):
        about = [matcher for matcher in matchers if matcher.name == name]
        possible = _possible(name, about)
        if possible is None and _denied(about):
            possible = ()
        if possible is not None and not any(all(one.matches({name: value}) for one in about) for value in possible):
            return _impossible(name, about)
    return ""


def _possible(name: str, about: Sequence[Matcher]) -> Sequence[str] | None:
    """Return the label's possible values; None when open."""
    if name == SEVERITY:
        return _SEVERITIES
    for matcher in about:
        if matcher.op == MatchOperator.EQUAL:
            return (matcher.value,)
    for matcher in about:
        if matcher.op == MatchOperator.MATCHES and (words := words_in(matcher.value)) is not None:
            return words
    return None


def _denied(about: Sequence[Matcher]) -> bool:
    wanted = {matcher.value for matcher in about if matcher.op == MatchOperator.MATCHES}
    refused = {matcher.value for matcher in about if matcher.op == MatchOperator.MATCHES_NOT}
    return bool(wanted & refused) or bool(refused & {".*", "(.*)", "^.*$"})


def _impossible(name: str, about: Sequence[Matcher]) -> str:
    if name == SEVERITY:
        return (
            f"{words_of(about)} holds for no alert: severity is one of {', '.join(_SEVERITIES)}. "
            "The sender's own label of that name is label.severity."
        )
    return f"{words_of(about)} contradict each other: no alert fulfils them."


def facts_of(labels: Mapping[str, str], *, severity: str, source: str) -> dict[str, str]:
    """Return labels, with severity and source name over labels so named (`label.severity`, `label.source`)."""
    hidden = {f"label.{name}": labels[name] for name in (SEVERITY, SOURCE) if name in labels}
    return {**labels, **hidden, "severity": severity, "source": source}


def words_of(matchers: Sequence[Matcher]) -> str:
    """Return matchers in one line, as Prometheus writes them."""
    return ", ".join(f'{matcher.name}{matcher.op}"{matcher.value}"' for matcher in matchers)


def parse_lines(text: str) -> list[Matcher]:
    r"""Parse Prometheus' matchers: by lines or commas, in braces or not. Raises MatcherInvalid.

    In quotes `\"`, `\\` and a backslash before `n` are escapes; other backslashes stand for themselves.
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
    """Return one matcher a line, for `parse_lines`."""
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
    doubled = re.sub(r'\\(?=[\\n"\n]|\Z)', lambda match: match[0] * 2, text)
    return doubled.replace('"', '\\"').replace("\n", "\\n")


def _matcher_from(item: Any) -> Matcher:
    if not isinstance(item, dict) or set(item) - {"name", "op", "value"}:
        raise MatcherInvalid("A matcher must be an object with name, op and value.")
    name, op, value = item.get("name"), item.get("op", "="), item.get("value", "")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise MatcherInvalid(f"{name!r} is not a label name.")
    if op not in MatchOperator.values:
        raise MatcherInvalid(f"{op!r} is not one of {' '.join(MatchOperator.values)}.")
    if not isinstance(value, str):
        raise MatcherInvalid(f"The value for {name} must be text.")
    matcher = Matcher(name, MatchOperator(op), value)
    if matcher.op in (MatchOperator.MATCHES, MatchOperator.MATCHES_NOT):
        try:
            compiled(value)
        except PatternInvalid as error:
            raise MatcherInvalid(str(error)) from error
    return matcher
