"""A small query_string: terms, phrases, field:value, field:*, comparisons, AND, OR, NOT, brackets."""

import re
from collections.abc import Callable, Mapping
from typing import Any

TOKEN = re.compile(
    r"\s*(?:(?P<bracket>[()])|(?P<word>AND|OR|NOT)\b"
    r'|(?:(?P<field>[\w.@]+):)?(?:"(?P<phrase>[^"]*)"|(?P<compare>>=|<=|>|<)(?P<number>[\d.]+)|(?P<term>[^\s()":]+)))'
)
Test = Callable[[Mapping[str, Any]], bool]


class Unparsable(ValueError):
    """The message is the one of the query parser, shortened."""


def parse(query: str) -> Test:
    """Return whether fields, by dotted name, are meant. Raises Unparsable."""
    return _Parser(query).parse()


class _Parser:
    def __init__(self, query: str) -> None:
        self.query, self.tokens, position = query, list[re.Match[str]](), 0
        while position < len(query.rstrip()):
            match = TOKEN.match(query, position)
            if match is None:
                raise self.wrong(query[position:].strip()[:1])
            self.tokens.append(match)
            position = match.end()

    def wrong(self, at: str) -> Unparsable:
        return Unparsable(f"Cannot parse '{self.query}': Encountered \"{at or '<EOF>'}\"")

    def parse(self) -> Test:
        test = self.either()
        if self.tokens:
            raise self.wrong(self.tokens[0][0].strip())
        return test

    def either(self) -> Test:
        """Words without an operator between are alternatives, as in Lucene."""
        tests = [self.both()]
        while self.tokens and self.tokens[0]["bracket"] != ")":
            if self.tokens[0]["word"] == "OR":
                self.tokens.pop(0)
            tests.append(self.both())
        return lambda fields: any(test(fields) for test in tests)

    def both(self) -> Test:
        tests = [self.one()]
        while self.tokens and self.tokens[0]["word"] == "AND":
            self.tokens.pop(0)
            tests.append(self.one())
        return lambda fields: all(test(fields) for test in tests)

    def one(self) -> Test:
        if not self.tokens:
            raise self.wrong("")
        token = self.tokens.pop(0)
        if token["word"] == "NOT":
            test = self.one()
            return lambda fields: not test(fields)
        if token["bracket"] == "(":
            test = self.either()
            if not self.tokens or self.tokens.pop(0)["bracket"] != ")":
                raise self.wrong("")
            return test
        if token["bracket"] or token["word"]:
            raise self.wrong(token[0].strip())
        return _leaf(token)


def _leaf(token: re.Match[str]) -> Test:
    field = token["field"]
    if token["compare"]:
        return _comparison(field, token["compare"], float(token["number"]))
    text = token["phrase"] if token["phrase"] is not None else token["term"]
    if text == "*":
        return lambda fields: field is None or field in fields
    pattern = re.compile(rf"\b{'.*'.join(map(re.escape, text.split('*')))}\b", re.IGNORECASE)
    return lambda fields: any(
        pattern.search(str(value)) for name, value in fields.items() if field is None or name == field
    )


def _comparison(field: str | None, operator: str, bound: float) -> Test:
    def holds(fields: Mapping[str, Any]) -> bool:
        try:
            value = float(fields[field or ""])
        except (KeyError, TypeError, ValueError):
            return False
        return {">": value > bound, ">=": value >= bound, "<": value < bound, "<=": value <= bound}[operator]

    return holds
