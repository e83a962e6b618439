"""Routes and silences as pure specs."""

import datetime as dt
import zoneinfo
from collections.abc import Callable, Iterable
from threading import Lock

import orjson
import structlog
from cachetools import LRUCache, cached
from django.db.models import Model

from alerts.matching import Matcher, MatcherInvalid, matchers_from
from alerts.models import Route, Silence
from alerts.patterns import MAX_CACHED_BYTES
from alerts.routing import RouteSpec, SilenceSpec

log = structlog.get_logger(__name__)

MOST_LOOKED_AT = 1000


def route_specs() -> list[RouteSpec]:
    """Return enabled routes in order."""
    return [route_spec(route) for route in Route.objects.filter(is_enabled=True)]


def route_spec(route: Route) -> RouteSpec:
    return RouteSpec(
        id=route.pk,
        name=route.name,
        matchers=_matchers(route, route.matchers),
        is_drop=route.is_drop,
        go_on=route.go_on,
        team_id=route.team_id,
        severity=route.severity,
        priority=route.priority,
        category_id=route.category_id,
        service_id=route.service_id,
        group_by=tuple(route.group_by) if route.group_by else None,
        open_after_count=route.open_after_count,
        open_after_minutes=route.open_after_minutes,
    )


def silence_specs(now: dt.datetime) -> list[SilenceSpec]:
    """Return silences between start and end."""
    return specs_of(Silence.objects.filter(starts_at__lte=now, ends_at__gt=now))


def specs_of(found: Iterable[Silence]) -> list[SilenceSpec]:
    return [
        SilenceSpec(
            id=silence.pk,
            matchers=_matchers(silence, silence.matchers),
            starts_at=silence.starts_at,
            ends_at=silence.ends_at,
            weekdays=frozenset(silence.weekdays),
            starts_time=silence.starts_time,
            ends_time=silence.ends_time,
            time_zone=_zone(silence),
        )
        for silence in found
    ]


def faulty(now: dt.datetime) -> list[tuple[Model, str]]:
    """Return enabled configuration whose conditions are refused today, each with why."""
    routes = Route.objects.filter(is_enabled=True)[:MOST_LOOKED_AT]
    silences = Silence.objects.filter(ends_at__gt=now)[:MOST_LOOKED_AT]
    ours: list[tuple[Model, str]] = [(one, one.wrong) for some in (routes, silences) for one in some if one.wrong]
    return ours + [found for look in _looking for found in look()]


def look_for_faults(function: Callable[[], list[tuple[Model, str]]]) -> None:
    """Register a further finder of faults."""
    _looking.append(function)


_looking: list[Callable[[], list[tuple[Model, str]]]] = []


def _zone(silence: Silence) -> str:
    try:
        return zoneinfo.ZoneInfo(silence.time_zone).key
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError) as error:
        log.error("time_zone_unknown", owner=str(silence), error=str(error))
        return "UTC"


def _matchers(owner: Route | Silence, stored: object) -> tuple[Matcher, ...]:
    try:
        return _read(orjson.dumps(stored))
    except MatcherInvalid as error:
        log.error("matchers_invalid", owner=str(owner), error=str(error))
        return (_NEVER,)


def _weight(matchers: tuple[Matcher, ...]) -> int:
    return sum(matcher.weight for matcher in matchers)


@cached(LRUCache(MAX_CACHED_BYTES, getsizeof=_weight), lock=Lock())
def _read(stored: bytes) -> tuple[Matcher, ...]:
    return tuple(matchers_from(orjson.loads(stored)))


_NEVER = matchers_from([{"name": "source", "op": "=", "value": "\0"}])[0]
