"""What time does to alerts: they expire, silences end, flapping calms down, old rows go."""

import datetime as dt

import orjson
from django.conf import settings
from django.db import connection

from alerts.drafts import Action, Draft, to_json
from alerts.folding import FLAP_SECONDS, Outcome
from alerts.matching import facts_of
from alerts.models import Alert, AlertGroup, AlertLabel, AlertQuerySet, ChangeEvent, IntakeEvent, Route, pairs_of
from alerts.routing import decide, silence_for
from alerts.services.opening import Incidents, Started
from alerts.services.queue import DRAFT_FORMAT, delivery_key, insert_events
from alerts.services.rules import rules, silences
from alerts.vocabulary import AlertStatus, IntakeState
from incidents.vocabulary import Severity
from users import rows
from users.transactions import unit_of_work

BATCH = 200
GROUP_REST = dt.timedelta(days=1)


@unit_of_work
def expire(now: dt.datetime) -> int:
    """End alerts that were not heard of again in time; the number of them."""
    due = Alert.objects.filter(expires_at__lte=now, status=AlertStatus.FIRING)
    ids = list(due.order_by("expires_at").values_list("pk", flat=True)[:BATCH])
    alerts = list(_locked(due.filter(pk__in=ids))) if ids else []
    insert_events([_expiry(alert, now) for alert in alerts])
    return len(alerts)


def _expiry(alert: Alert, now: dt.datetime) -> IntakeEvent:
    """The message that nothing was heard of an alert. Numbered, so that it is queued once should the queue stand still;
    whoever hears of the alert meanwhile makes it void."""
    draft = Draft(
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
        format=DRAFT_FORMAT,
        body=orjson.dumps([to_json(draft)]),
        delivery_key=delivery_key(alert.source, number),
        received_at=now,
    )


def lift_silences(now: dt.datetime) -> int:
    """Open the incidents of alerts that still fire when what silenced them is over; the number of alerts."""
    active = silences(now)
    # Most are to be kept quiet still: looking at them must not keep others from writing.
    looked_at = (
        _quiet().select_related("source").defer("description", "annotations", "links").order_by("silenced_by", "pk")
    )
    heard = [alert.pk for alert in looked_at.iterator() if silence_for(active, _facts(alert), now) is None]
    return _lift(heard[:BATCH], now) if heard else 0


def _quiet() -> AlertQuerySet:
    # Said as a range, which SQLite looks up in an index, too.
    return Alert.objects.filter(status=AlertStatus.FIRING, silenced_by__gt=0)


@unit_of_work
def _lift(ids: list[int], now: dt.datetime) -> int:
    routes, active = rules(), silences(now)
    found = _locked(_quiet().filter(pk__in=ids))
    # Somebody may have silenced them again since they were looked at.
    locked = [alert for alert in found if silence_for(active, _facts(alert), now) is None]
    decided = [(alert, decide(routes, _facts(alert))) for alert in locked]
    started = [Started(alert, decision.rule, Outcome.NEW) for alert, decision in decided if not decision.is_drop]
    incidents = Incidents(now, routes)
    incidents.place(started, [], [])
    for alert in locked:
        alert.silenced_by = None
    rows.update_many(locked, ["incident", "silenced_by"])
    incidents.save()
    return len(locked)


def _locked(alerts: AlertQuerySet) -> AlertQuerySet:
    """Locked in the order of their keys as everywhere; their sources, which a join would lock too, are read apart."""
    return alerts.select_for_update().prefetch_related("source__team").order_by("key")


def _facts(alert: Alert) -> dict[str, str]:
    return facts_of(alert.labels, severity=Severity(alert.severity).word, source=alert.source.name)


@unit_of_work
def calm(now: dt.datetime) -> int:
    """Take those that keep still as not flapping any more, and see to what was held back; the number of them."""
    flapping = Alert.objects.filter(is_flapping=True)
    calm = [pk for pk, changes in flapping.order_by("pk").values_list("pk", "changes") if _is_calm(changes, now)]
    locked = _locked(flapping.filter(pk__in=calm[:BATCH])) if calm else []
    still = [alert for alert in locked if _is_calm(alert.changes, now)]
    for alert in still:
        alert.is_flapping = False
    rows.update_many(still, ["is_flapping"])
    incidents = Incidents(now)
    ended = [alert for alert in still if alert.status == AlertStatus.RESOLVED]
    incidents.place([], ended, [])
    incidents.end(ended)
    incidents.save()
    return len(still)


def _is_calm(changes: list[int], now: dt.datetime) -> bool:
    return now.timestamp() - max(changes, default=0) >= FLAP_SECONDS


def forget(now: dt.datetime) -> int:
    """Delete what is kept no longer, in small batches; the number of rows."""
    raw = IntakeEvent.objects.filter(received_at__lt=now - dt.timedelta(days=settings.INTAKE_RETENTION_DAYS))
    until = now - dt.timedelta(days=settings.ALERT_RETENTION_DAYS)
    changes = ChangeEvent.objects.filter(occurred_at__lt=until)
    old = _delete(raw.exclude(state=IntakeState.WAITING)) + _delete(changes)
    return old + _forget_alerts(until) + _forget_groups(now)


def _delete(found: "object") -> int:
    ids = list(found.order_by("pk").values_list("pk", flat=True)[: BATCH * 5])  # type: ignore[attr-defined]
    return int(found.model.objects.filter(pk__in=ids).delete()[0]) if ids else 0  # type: ignore[attr-defined]


@unit_of_work
def _forget_alerts(until: dt.datetime) -> int:
    # Nothing was heard of it, and it has been over, for as long.
    old = Alert.objects.filter(status=AlertStatus.RESOLVED, last_seen_at__lt=until, ends_at__lt=until)
    alerts = list(old.select_for_update().order_by("last_seen_at")[:BATCH])
    pairs = [(pair, alert.pk) for alert in alerts for pair in sorted(pairs_of(alert.labels))]
    table = connection.ops.quote_name(AlertLabel._meta.db_table)
    with connection.cursor() as cursor:
        cursor.executemany(f"DELETE FROM {table} WHERE pair = %s AND alert_id = %s", pairs)  # noqa: S608
    Alert.objects.filter(pk__in=[alert.pk for alert in alerts]).delete()
    return len(alerts)


def _forget_groups(now: dt.datetime) -> int:
    """Those that never came to their incident, a day after what waits in them counts no longer."""
    waiting = AlertGroup.objects.filter(incident__isnull=True, created_at__lt=now - GROUP_REST).order_by("pk")
    looked_at = waiting.values_list("pk", "pending", "route__open_after_minutes")
    over = [pk for pk, pending, minutes in looked_at.iterator() if _is_over(pending, minutes, now)]
    return _forget_over(over[: BATCH * 5], now) if over else 0


@unit_of_work
def _forget_over(ids: list[int], now: dt.datetime) -> int:
    # Another may have fired since they were looked at, and opened an incident or not.
    locked = AlertGroup.objects.select_for_update().filter(pk__in=ids, incident__isnull=True).order_by("open_key")
    minutes = dict(Route.objects.values_list("pk", "open_after_minutes"))
    still = [group.pk for group in locked if _is_over(group.pending, minutes.get(group.route_id or 0), now)]
    AlertGroup.objects.filter(pk__in=still).delete()
    return len(still)


def _is_over(pending: list[list[float]], minutes: int | None, now: dt.datetime) -> bool:
    last = max((at for _key, at in pending), default=0)
    return last < (now - GROUP_REST - dt.timedelta(minutes=minutes or 0)).timestamp()
