"""Receive pings, and notice missed heartbeats."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from alerts.models import Alert, AlertLabel, AlertQuerySet, Heartbeat, pair_number
from alerts.routing import alert_key
from alerts.services.enqueueing import enqueue
from alerts.updates import Action, AlertUpdate
from alerts.vocabulary import AlertStatus
from core.db.transactions import unit_of_work
from intake.models import Source

ALERT_NAME = "Heartbeat missed"
# never expires: a ping ends it
LASTING = dt.timedelta(days=3650)
PING_STEP = dt.timedelta(seconds=5)  # how exactly the last ping is known
PREFIX = "heartbeat"
FAILED_NAME = "Heartbeat failed"
FAILED_PREFIX = "heartbeat-failed"

# source, name, last seen, and minutes allowed
HeartbeatExpectation = tuple[Source, str, dt.datetime, int]


def ping(source: Source, now: dt.datetime, name: str = "") -> None:
    """Record a ping; the first of a name creates the heartbeat. Resolves its alerts."""
    _record(source, now, name)
    ends = {
        _key(source, name): _missed_update(source, name, Action.RESOLVE),
        _key(source, name, FAILED_PREFIX): _failed_update(source, name, Action.RESOLVE),
    }
    firing = Alert.objects.filter(key__in=ends, status=AlertStatus.FIRING).values_list("key", flat=True)
    if updates := [ends[key] for key in firing]:
        enqueue(source, updates, at=now)


def report_failure(source: Source, now: dt.datetime, name: str = "", detail: str = "") -> None:
    """Raise an alert of a reported failure, which is a ping too."""
    _record(source, now, name)
    updates = [_failed_update(source, name, Action.FIRE, detail, now)]
    if _is_missed(source, name):
        updates.insert(0, _missed_update(source, name, Action.RESOLVE))
    enqueue(source, updates, at=now)


def expect(source: Source, now: dt.datetime, name: str) -> None:
    """Create the heartbeat of a started job; an existing one stays, so that jobs that never end are missed."""
    Heartbeat.objects.get_or_create(source=source, name=name, defaults={"last_ping_at": now})


def has_heartbeat(source: Source, name: str) -> bool:
    return Heartbeat.objects.filter(source=source, name=name).exists()


def _record(source: Source, now: dt.datetime, name: str) -> None:
    if name:
        heartbeat, is_new = Heartbeat.objects.get_or_create(source=source, name=name, defaults={"last_ping_at": now})
        if not is_new:
            Heartbeat.objects.filter(pk=heartbeat.pk, last_ping_at__lt=now).update(last_ping_at=now)
    elif source.last_received_at is None or now - source.last_received_at > PING_STEP:
        Source.objects.filter(pk=source.pk).update(last_received_at=now)
        # the source is cached: what is rolled back must not count as noted
        transaction.on_commit(partial(setattr, source, "last_received_at", now))


def watch(now: dt.datetime) -> int:
    """Raise alerts of missed heartbeats, and resolve those that are back; return how many."""
    found = 0
    missed = set(_missed().values_list("key", flat=True))
    for source, name, last_seen, minutes in [*_own(Q()), *_named(Q())]:
        # looking must not keep others from writing
        if _is_silent(last_seen, minutes, now) != (_key(source, name) in missed):
            found += _judge(source, name, now)
    return found + _release(now)


def _own(which: Q) -> Iterator[HeartbeatExpectation]:
    for source in Source.objects.filter(which, is_enabled=True, heartbeat_minutes__isnull=False):
        yield source, "", source.quiet_since(), source.heartbeat_minutes or 0


def _named(which: Q) -> Iterator[HeartbeatExpectation]:
    for named in Heartbeat.objects.filter(which, is_enabled=True, source__is_enabled=True).select_related("source"):
        yield named.source, named.name, named.last_ping_at, named.interval_minutes


def _is_silent(last_seen: dt.datetime, minutes: int, now: dt.datetime) -> bool:
    return now - last_seen > dt.timedelta(minutes=minutes)


def raised_here() -> Q:
    """Select the alerts of missed heartbeats, row by row."""
    named = AlertLabel.objects.filter(pair=pair_number("alertname", ALERT_NAME), alert_id=OuterRef("pk"))
    return Q(fingerprint__startswith=f"{PREFIX}:") & Q(Exists(named))


def _missed() -> AlertQuerySet:
    firing = Alert.objects.firing().labelled("alertname", ALERT_NAME)
    return firing.filter(fingerprint__startswith=f"{PREFIX}:")


def _failed() -> AlertQuerySet:
    firing = Alert.objects.firing().labelled("alertname", FAILED_NAME)
    return firing.filter(fingerprint__startswith=f"{FAILED_PREFIX}:")


@unit_of_work
def _release(now: dt.datetime) -> int:
    alerts = [alert for some in (_missed(), _failed()) for alert in some.select_related("source")]
    waited_for = _waited_for({alert.source_id for alert in alerts}) if alerts else set()
    released = [alert for alert in alerts if alert.key not in waited_for]
    for alert in released:
        prefix, _colon, name = alert.fingerprint.partition(":")
        update = _failed_update if prefix == FAILED_PREFIX else _missed_update
        enqueue(alert.source, [update(alert.source, name, Action.RESOLVE)], at=now)
    return len(released)


def _waited_for(source_ids: set[int]) -> set[str]:
    sources = Source.objects.filter(pk__in=source_ids, is_enabled=True)
    awaited = sources.filter(heartbeat_minutes__isnull=False).values_list("pk", flat=True)
    named = list(Heartbeat.objects.filter(source__in=sources, is_enabled=True).values_list("source_id", "name"))
    missed = [*((pk, f"{PREFIX}:") for pk in awaited), *((pk, f"{PREFIX}:{name}") for pk, name in named)]
    failed = [(pk, f"{FAILED_PREFIX}:") for pk in sources.values_list("pk", flat=True)]
    failed += [(pk, f"{FAILED_PREFIX}:{name}") for pk, name in named]
    return {alert_key(pk, fingerprint) for pk, fingerprint in (*missed, *failed)}


@unit_of_work
def _judge(found: Source, name: str, now: dt.datetime) -> bool:
    """Raise or resolve a heartbeat's alert, read anew within the transaction."""
    expected = _named(Q(source=found, name=name)) if name else _own(Q(pk=found.pk))
    expectation = next(expected, None)
    if expectation is None:
        return False
    source, _name, last_seen, minutes = expectation
    is_silent = _is_silent(last_seen, minutes, now)
    if is_silent == _is_missed(source, name):
        return False
    action = Action.FIRE if is_silent else Action.RESOLVE
    update = _missed_update(source, name, action, minutes, last_seen)
    if is_silent and Alert.objects.filter(key=_key(source, name), starts_at__gte=last_seen).exists():
        update = replace(update, starts_at=None)  # disabled meanwhile: it starts anew
    enqueue(source, [update], at=now)
    return True


def _is_missed(source: Source, name: str) -> bool:
    return Alert.objects.filter(key=_key(source, name), status=AlertStatus.FIRING).exists()


def _key(source: Source, name: str, prefix: str = PREFIX) -> str:
    return alert_key(source.pk, f"{prefix}:{name}")


def _failed_update(
    source: Source, name: str, action: Action, detail: str = "", now: dt.datetime | None = None
) -> AlertUpdate:
    return AlertUpdate(
        title=f"{_who(source, name)} reports a failure",
        action=action,
        fingerprint=f"{FAILED_PREFIX}:{name}",
        severity="high",
        description=detail,
        labels={"alertname": FAILED_NAME, "heartbeat": name or source.name},
        starts_at=now,
        ends_at=now + LASTING if now else None,
    )


def _missed_update(
    source: Source, name: str, action: Action, minutes: int = 0, last_seen: dt.datetime | None = None
) -> AlertUpdate:
    since = f" since {last_seen:%Y-%m-%d %H:%M} UTC" if last_seen else ""
    return AlertUpdate(
        title=f"No heartbeat from {_who(source, name)}",
        action=action,
        fingerprint=f"{PREFIX}:{name}",
        severity="high",
        description=f"Nothing was heard{since}; a ping is expected every {minutes} minutes." if minutes else "",
        labels={"alertname": ALERT_NAME, "heartbeat": name or source.name},
        starts_at=last_seen if action == Action.FIRE else None,
        ends_at=last_seen + LASTING if last_seen and action == Action.FIRE else None,
    )


def _who(source: Source, name: str) -> str:
    return f"{name} ({source.name})" if name else source.name
