"""Choose routes and silences, and group alerts. Pure."""

import datetime as dt
import hashlib
import json
import zoneinfo
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from alerts.matching import Matcher, first_failing
from alerts.updates import short_fingerprint

SETTINGS = ("team_id", "severity", "priority", "category_id", "service_id", "group_by")


@dataclass(frozen=True)
class RouteSpec:
    """A route ready to evaluate."""

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
    """The route that decided (None: the source), and those before it with why not."""

    route: RouteSpec | None
    passed: tuple[tuple[RouteSpec, str], ...] = ()

    @property
    def is_drop(self) -> bool:
        return self.route is not None and self.route.is_drop


def choose_route(routes: Sequence[RouteSpec], facts: Mapping[str, str], *, explain: bool = False) -> Decision:
    """Return the first match, completed by routes that continue."""
    lending: RouteSpec | None = None
    passed = []
    for route in routes:
        failing = first_failing(route.matchers, facts)
        if failing is not None:
            if explain:
                passed.append((route, failing.explain(facts)))
            continue
        found = _merged(lending, route) if lending else route
        if not route.go_on or route.is_drop:
            return Decision(found, tuple(passed))
        lending = found
    return Decision(lending, tuple(passed))


def _merged(first: RouteSpec, second: RouteSpec) -> RouteSpec:
    set_already = {name: getattr(first, name) for name in SETTINGS if getattr(first, name) is not None}
    return replace(second, **set_already)


def group_key(*, source_id: int, route: RouteSpec | None, labels: Mapping[str, str], alert_key: str) -> str:
    """Return a group's SHA-256; a route's own labels group across sources."""
    scope: list[Any]
    if not labels:
        scope = ["alert", alert_key]
    elif route is not None and route.group_by is not None:
        scope = ["route", route.id]
    else:
        scope = ["source", source_id, route.id if route else 0]
    facts = json.dumps([scope, sorted(labels.items())], ensure_ascii=True)
    return hashlib.sha256(facts.encode()).hexdigest()


def alert_key(source_id: int, fingerprint: str) -> str:
    """Return the SHA-256 of source and exact fingerprint."""
    kept = short_fingerprint(fingerprint)
    return hashlib.sha256(f"{source_id}\0{kept}".encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True)
class SilenceSpec:
    """A silence ready to evaluate."""

    id: int
    matchers: tuple[Matcher, ...]
    starts_at: dt.datetime
    ends_at: dt.datetime
    weekdays: frozenset[int] = frozenset()
    starts_time: dt.time | None = None
    ends_time: dt.time | None = None
    time_zone: str = "UTC"

    def is_active(self, at: dt.datetime) -> bool:
        """Return whether it is active; a weekly one by its zone's wall clock."""
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

    def spans(self, since: dt.datetime, until: dt.datetime) -> Iterator[tuple[dt.datetime, dt.datetime]]:
        """Yield the times within a range when it is active, in UTC."""
        first, last = max(self.starts_at, since), min(self.ends_at, until)
        if not self.weekdays and first < last:
            yield first, last
        zone = zoneinfo.ZoneInfo(self.time_zone)
        begin, end = self.starts_time or dt.time.min, self.ends_time or dt.time.min
        day = first.astimezone(zone).date() - dt.timedelta(days=1)
        while self.weekdays and day <= last.astimezone(zone).date():
            over = day if begin < end else day + dt.timedelta(days=1)
            starts, ends = (dt.datetime.combine(*one, zone).astimezone(dt.UTC) for one in ((day, begin), (over, end)))
            if day.weekday() in self.weekdays and max(starts, first) < min(ends, last):
                yield max(starts, first), min(ends, last)
            day += dt.timedelta(days=1)


def silence_for(silences: Iterable[SilenceSpec], facts: Mapping[str, str], at: dt.datetime) -> SilenceSpec | None:
    """Return the first active match; without matchers a silence matches nothing."""
    for silence in silences:
        if silence.matchers and first_failing(silence.matchers, facts) is None and silence.is_active(at):
            return silence
    return None
