"""Which way an alert goes: routes in their order, silences, and what is grouped with what. Pure."""

import datetime as dt
import hashlib
import json
import zoneinfo
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from alerts.matching import Matcher, first_failing
from alerts.updates import short_fingerprint

SETTINGS = ("team_id", "severity", "priority", "category_id", "service_id", "group_by")


@dataclass(frozen=True)
class RouteSpec:
    """A route, ready to be asked."""

    id: int
    name: str
    matchers: tuple[Matcher, ...]
    is_drop: bool = False
    go_on: bool = False
    team_id: int | None = None
    severity: int | None = None
    priority: int | None = None
    category_id: int | None = None
    service_id: int | None = None
    group_by: tuple[str, ...] | None = None
    open_after_count: int = 1
    open_after_minutes: int = 5


@dataclass(frozen=True)
class Decision:
    """Where an alert goes. `rule` is the route that decided (None: no route matched, the source decides);
    `passed` are the routes before it that did not match, each with why."""

    rule: RouteSpec | None
    passed: tuple[tuple[RouteSpec, str], ...] = ()

    @property
    def is_drop(self) -> bool:
        """Whether nothing is to be kept of it."""
        return self.rule is not None and self.rule.is_drop


def decide(rules: Sequence[RouteSpec], facts: Mapping[str, str], *, explain: bool = False) -> Decision:
    """The first route that matches. One that says to go on lends what it sets to the next that matches, which fills
    in only what is still open; when none does, it decides itself."""
    lending: RouteSpec | None = None
    passed = []
    for rule in rules:
        failing = first_failing(rule.matchers, facts)
        if failing is not None:
            if explain:
                passed.append((rule, failing.explain(facts)))
            continue
        found = _merged(lending, rule) if lending else rule
        if not rule.go_on or rule.is_drop:
            return Decision(found, tuple(passed))
        lending = found
    return Decision(lending, tuple(passed))


def _merged(first: RouteSpec, second: RouteSpec) -> RouteSpec:
    """The second route, with what the first has set."""
    set_already = {name: getattr(first, name) for name in SETTINGS if getattr(first, name) is not None}
    return replace(second, **set_already)


def group_labels(names: Sequence[str], labels: Mapping[str, str]) -> dict[str, str]:
    """The labels that are grouped by; one that the alert lacks counts as empty."""
    return {name: labels.get(name, "") for name in names}


def group_key(*, source_id: int, rule: RouteSpec | None, labels: Mapping[str, str], alert_key: str) -> str:
    """The identity of a group, as SHA-256 in hex.

    A route with labels of its own groups across sources; else the source's labels group what came from the source and
    takes the same route; without any, each alert is its own group.
    """
    scope: list[Any]
    if not labels:
        scope = ["alert", alert_key]
    elif rule is not None and rule.group_by is not None:
        scope = ["route", rule.id]
    else:
        scope = ["source", source_id, rule.id if rule else 0]
    facts = json.dumps([scope, sorted(labels.items())], ensure_ascii=True)
    return hashlib.sha256(facts.encode()).hexdigest()


def alert_key(source_id: int, fingerprint: str) -> str:
    """The identity of an alert: SHA-256 of its source and the exact bytes of its fingerprint, as it is kept."""
    kept = short_fingerprint(fingerprint)
    return hashlib.sha256(f"{source_id}\0{kept}".encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True)
class SilenceSpec:
    """A silence, ready to be asked."""

    id: int
    matchers: tuple[Matcher, ...]
    starts_at: dt.datetime
    ends_at: dt.datetime
    weekdays: frozenset[int] = frozenset()
    starts_time: dt.time | None = None
    ends_time: dt.time | None = None
    time_zone: str = "UTC"

    def is_active(self, at: dt.datetime) -> bool:
        """Whether it keeps quiet at that moment; a weekly one by the clock on the wall of its zone."""
        if not self.starts_at <= at < self.ends_at:
            return False
        if not self.weekdays:
            return True
        local = at.astimezone(zoneinfo.ZoneInfo(self.time_zone))
        begin, end = self.starts_time or dt.time.min, self.ends_time or dt.time.min
        today = local.weekday() in self.weekdays
        if begin < end:
            return today and begin <= local.time() < end
        since_yesterday = (local.weekday() - 1) % 7 in self.weekdays and local.time() < end
        return since_yesterday or (today and local.time() >= begin)


def silence_for(silences: Iterable[SilenceSpec], facts: Mapping[str, str], at: dt.datetime) -> SilenceSpec | None:
    """The first silence that is active and matches. One without matchers matches nothing: it would silence all."""
    for silence in silences:
        if silence.matchers and first_failing(silence.matchers, facts) is None and silence.is_active(at):
            return silence
    return None
