"""An outside store for tests: rows by time, and what goes wrong with it."""

import datetime as dt
from typing import Any
from unittest import TestCase, mock

from django.core.exceptions import ValidationError

from logs.models import DetectionRule
from logs.services.rules import save_rule
from logs.sources import outside
from logs.sources.outside import Found, Limits, Row, Store, StoreFailed
from logs.tests.rules import START, after

LAG = 60


class FakeStore:
    """Finds the rows whose text contains the query. `troubles` are raised, or returned, by the next searches."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.troubles: list[StoreFailed | Found | Exception] = []
        self.searches: list[tuple[str, dt.datetime, dt.datetime]] = []
        self.reason = ""

    def add(self, *seconds: float, text: str = "it failed", **fields: str) -> None:
        self.rows += [Row({"text": text, **fields}, text, after(one)) for one in seconds]

    def search(self, query: str, since: dt.datetime, until: dt.datetime, limits: Limits) -> Found:
        self.searches.append((query, since, until))
        if self.troubles:
            trouble = self.troubles.pop(0)
            if isinstance(trouble, Found):
                return trouble
            raise trouble
        rows = [row for row in self.rows if row.at and since <= row.at < until and query in row.text]
        return Found(rows[: limits.rows], is_cut=len(rows) > limits.rows)

    def validate(self, query: str) -> str:
        if query == "(":
            raise ValidationError("A parenthesis is open.")
        return query.strip()


def serve(test: TestCase, kind: str = "elsewhere") -> FakeStore:
    """Register a store for the time of a test."""
    fake = FakeStore()
    title = outside._stores[kind].title if kind in outside._stores else "Elsewhere"  # serializers keep the order
    store = Store(kind, title, fake.search, fake.validate, lambda: fake.reason, lambda: LAG, "failed")
    test.enterContext(mock.patch.dict(outside._stores, {kind: store}))
    return fake


def make_outside_rule(**fields: Any) -> DetectionRule:
    """A rule for two rows within a minute, looked at every minute, made at START."""
    facts = {"store": "elsewhere", "query": "failed", "threshold": 2, "window_seconds": 60, **fields}
    rule = DetectionRule(**{"name": f"Rule {DetectionRule.objects.count()}", "severity": "high", **facts})
    rule.full_clean(exclude=["source"])
    return save_rule(rule, now=START)
