"""What time does to alerts: expiry, ended silences, flapping, retention."""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

import orjson
from cachetools import LRUCache
from django.conf import settings
from django.db import connection
from django.db.models import Exists, OuterRef

from alerts.decide import decide_cleared, decide_released, stored_facts
from alerts.models import (
    Alert,
    AlertGroup,
    AlertLabel,
    AlertQuerySet,
    ChangeEvent,
    EarlyResolve,
    Route,
    Silence,
    pairs_of,
)
from alerts.routing import SilenceSpec, silence_for
from alerts.services.enqueueing import INTERNAL_FORMAT
from alerts.services.loading import load_stored
from alerts.services.rules import silence_specs, specs_of
from alerts.services.writing import write
from alerts.transitions import EARLY_KEPT, FLAP_SECONDS
from alerts.updates import Action, AlertUpdate, to_json
from alerts.vocabulary import AlertStatus
from core.db import rows
from core.db.transactions import unit_of_work
from core.severity import Severity
from intake.models import IntakeEvent, Source, UnknownWord
from intake.services.queue import delivery_key, insert_events
from intake.vocabulary import IntakeState

BATCH = 200
SETTLING = dt.timedelta(seconds=30)  # batches that read a silence before its change have committed by then
MOST_SILENCES = 10_000
GROUP_REST = dt.timedelta(days=1)


@unit_of_work
def expire(now: dt.datetime) -> int:
    """Expire silent alerts; return how many."""
    due = Alert.objects.filter(expires_at__lte=now, status=AlertStatus.FIRING)
    ids = list(due.order_by("expires_at").values_list("pk", flat=True)[:BATCH])
    alerts = _locked(ids, lambda alert: alert.status == AlertStatus.FIRING and is_past(alert.expires_at, now))
    insert_events([_expiry(alert, now) for alert in alerts])
    return len(alerts)


def is_past(moment: dt.datetime | None, now: dt.datetime) -> bool:
    return moment is not None and moment <= now


def _expiry(alert: Alert, now: dt.datetime) -> IntakeEvent:
    update = AlertUpdate(
        title=alert.title,
        action=Action.RESOLVE,
        fingerprint=alert.fingerprint,
        labels=alert.labels,
        severity=Severity(alert.severity).word,
        is_expiry=True,
    )
    number = f"expiry {alert.pk} {alert.occurrences} {alert.expires_at}"
    return IntakeEvent(
        source=alert.source,
        format=INTERNAL_FORMAT,
        body=orjson.dumps([to_json(update)]),
        delivery_key=delivery_key(alert.source, number),
        received_at=now,
    )


def release_silenced(now: dt.datetime) -> int:
    """Open incidents of firing alerts whose silence is over; return how many alerts.

    Silenced alerts are examined while new, and when a silence or a source's name changes.
    """
    names = tuple(Source.objects.order_by("pk").values_list("pk", "name"))
    active = silence_specs(now)
    released = 0
    holding = list(Silence.objects.filter(Exists(_silenced().filter(silenced_by=OuterRef("pk")))).order_by("pk"))
    for row, silence in zip(holding, specs_of(holding), strict=True):
        as_it_stands = hash((silence, row.created_at, names))
        since = _stands_since.setdefault((row.pk, as_it_stands), now)
        if not silence.is_active(now) or now - since <= SETTLING:
            released += _release_from(row.pk, active, now)
    return released


# since when this process knows a silence as it is
_stands_since: LRUCache[tuple[int, int], dt.datetime] = LRUCache(MOST_SILENCES)


def _release_from(silence_id: int, active: list[SilenceSpec], now: dt.datetime) -> int:
    # looking must not keep others from writing
    looked_at = _silenced().filter(silenced_by=silence_id).select_related("source").order_by("pk")
    released: list[int] = []
    by_others: dict[int, list[int]] = defaultdict(list)
    for alert in looked_at.defer("description", "annotations", "links").iterator():
        other = silence_for(active, stored_facts(alert), now)
        if other is None:
            released.append(alert.pk)
        elif other.id != silence_id:
            by_others[other.id].append(alert.pk)
    for other_id, ids in by_others.items():
        for some in _batched(ids):
            _silenced().filter(silenced_by=silence_id, pk__in=some).update(silenced_by=other_id)
    return sum(_release(some, now) for some in _batched(released))


def _batched(ids: list[int]) -> Iterator[list[int]]:
    return (ids[start : start + BATCH] for start in range(0, len(ids), BATCH))


def _silenced() -> AlertQuerySet:
    # as a range, which SQLite's index answers
    return Alert.objects.filter(status=AlertStatus.FIRING, silenced_by__gt=0)


@unit_of_work
def _release(ids: list[int], now: dt.datetime) -> int:
    active = silence_specs(now)
    # they may be silenced again
    locked = _locked(
        ids,
        lambda alert: (
            alert.status == AlertStatus.FIRING
            and alert.silenced_by_id is not None
            and silence_for(active, stored_facts(alert), now) is None
        ),
    )
    write(decide_released(load_stored(locked, now, may_start=True), now), now)
    return len(locked)


def _locked(ids: Sequence[int], is_concerned: Callable[[Alert], bool]) -> list[Alert]:
    """Lock the alerts still concerned; a join would lock their sources."""
    found = rows.select_in(Alert, "id", ids, lock=True)
    sources = Source.objects.select_related("team").in_bulk({alert.source_id for alert in found})
    for alert in found:
        alert.source = sources[alert.source_id]
    return [alert for alert in found if is_concerned(alert)]


@unit_of_work
def clear_flapping(now: dt.datetime) -> int:
    """Clear alerts that stopped flapping; return how many."""
    flapping = Alert.objects.filter(is_flapping=True)
    ended = [pk for pk, changes in flapping.order_by("pk").values_list("pk", "changes") if _is_steady(changes, now)]
    still = _locked(ended[:BATCH], lambda alert: alert.is_flapping and _is_steady(alert.changes, now))
    write(decide_cleared(load_stored(still, now, may_start=False), now), now)
    return len(still)


def _is_steady(changes: list[int], now: dt.datetime) -> bool:
    return now.timestamp() - max(changes, default=0) >= FLAP_SECONDS


def prune(now: dt.datetime) -> int:
    """Delete what is past retention in small batches; return how many rows."""
    raw = IntakeEvent.objects.filter(received_at__lt=now - dt.timedelta(days=settings.INTAKE_RETENTION_DAYS))
    until = now - dt.timedelta(days=settings.ALERT_RETENTION_DAYS)
    changes = ChangeEvent.objects.filter(occurred_at__lt=until)
    old = _delete(raw.exclude(state=IntakeState.WAITING)) + _delete(changes)
    old += _delete(UnknownWord.objects.filter(last_seen_at__lt=until))
    old += _delete(EarlyResolve.objects.filter(received_at__lt=now - EARLY_KEPT))
    return old + _prune_alerts(until) + _prune_groups(now)


def _delete(found: "object") -> int:
    ids = list(found.order_by("pk").values_list("pk", flat=True)[: BATCH * 5])  # type: ignore[attr-defined]
    return int(found.model.objects.filter(pk__in=ids).delete()[0]) if ids else 0  # type: ignore[attr-defined]


@unit_of_work
def _prune_alerts(until: dt.datetime) -> int:
    # silent, and over, for as long
    old = Alert.objects.filter(status=AlertStatus.RESOLVED, last_seen_at__lt=until, ends_at__lt=until)
    ids = list(old.order_by("last_seen_at").values_list("pk", flat=True)[:BATCH])
    alerts = _locked(ids, lambda alert: alert.status == AlertStatus.RESOLVED and alert.last_seen_at < until)
    pairs = [(pair, alert.pk) for alert in alerts for pair in sorted(pairs_of(alert.labels))]
    table = connection.ops.quote_name(AlertLabel._meta.db_table)
    with connection.cursor() as cursor:
        cursor.executemany(f"DELETE FROM {table} WHERE pair = %s AND alert_id = %s", pairs)  # noqa: S608
    Alert.objects.filter(pk__in=[alert.pk for alert in alerts]).delete()
    return len(alerts)


def _prune_groups(now: dt.datetime) -> int:
    waiting = AlertGroup.objects.filter(incident__isnull=True, created_at__lt=now - GROUP_REST).order_by("pk")
    looked_at = waiting.values_list("pk", "pending", "route__open_after_minutes")
    over = [pk for pk, pending, minutes in looked_at.iterator() if _is_over(pending, minutes, now)]
    return _prune_over(over[: BATCH * 5], now) if over else 0


@unit_of_work
def _prune_over(ids: list[int], now: dt.datetime) -> int:
    # another may have fired meanwhile
    locked = [group for group in rows.select_in(AlertGroup, "id", ids, lock=True) if group.incident_id is None]
    minutes = dict(Route.objects.values_list("pk", "open_after_minutes"))
    still = [group.pk for group in locked if _is_over(group.pending, minutes.get(group.route_id or 0), now)]
    AlertGroup.objects.filter(pk__in=still).delete()
    return len(still)


def _is_over(pending: list[list[float]], minutes: int | None, now: dt.datetime) -> bool:
    last = max((at for _key, at in pending), default=0)
    return last < (now - GROUP_REST - dt.timedelta(minutes=minutes or 0)).timestamp()
