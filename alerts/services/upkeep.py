"""What time does to alerts: they expire, silences end, flapping calms down, old rows go."""

import datetime as dt
from collections import defaultdict

from django.conf import settings
from django.db import connection

from alerts.drafts import Action, Draft
from alerts.folding import FLAP_SECONDS, Outcome
from alerts.matching import facts_of
from alerts.models import Alert, AlertLabel, ChangeEvent, IntakeEvent, pair_number
from alerts.routing import decide, silence_for
from alerts.services.opening import Incidents, Started
from alerts.services.queue import enqueue
from alerts.services.rules import rules, silences
from alerts.vocabulary import AlertStatus, IntakeState
from incidents.vocabulary import Severity
from users import rows
from users.transactions import unit_of_work

BATCH = 200


@unit_of_work
def expire(now: dt.datetime) -> int:
    """End alerts that were not heard of again in time; the number of them."""
    due = Alert.objects.select_for_update().filter(expires_at__lte=now, status=AlertStatus.FIRING)
    alerts = list(due.select_related("source").order_by("expires_at")[:BATCH])
    of_source = defaultdict(list)
    for alert in alerts:
        of_source[alert.source].append(
            Draft(title=alert.title, action=Action.RESOLVE, fingerprint=alert.fingerprint, is_expiry=True)
        )
        alert.expires_at = now + dt.timedelta(minutes=1)  # in case the queue stands still: not every second anew
    for source, drafts in of_source.items():
        enqueue(source, drafts, at=now)
    return len(alerts)


@unit_of_work
def lift_silences(now: dt.datetime) -> int:
    """Open the incidents of alerts that still fire when what silenced them is over; the number of alerts."""
    quiet = Alert.objects.select_for_update().filter(silenced_by__isnull=False, status=AlertStatus.FIRING)
    active, routes = silences(now), rules()
    started = []
    for alert in quiet.select_related("source__team").order_by("key")[: BATCH * 5]:
        facts = facts_of(alert.labels, severity=Severity(alert.severity).word, source=alert.source.name)
        if silence_for(active, facts, now) is None:
            started.append(Started(alert, decide(routes, facts).rule, Outcome.NEW))
    incidents = Incidents(now, routes)
    incidents.place(started, [], [])
    for one in started:
        one.alert.silenced_by = None
    rows.update_many([one.alert for one in started], ["incident", "silenced_by"])
    incidents.save()
    return len(started)


@unit_of_work
def calm(now: dt.datetime) -> int:
    """Take those that keep still as not flapping any more, and see to what was held back; the number of them."""
    flapping = Alert.objects.select_for_update().filter(is_flapping=True).select_related("source").order_by("key")
    still = [alert for alert in flapping[:BATCH] if now.timestamp() - max(alert.changes, default=0) >= FLAP_SECONDS]
    for alert in still:
        alert.is_flapping = False
    rows.update_many(still, ["is_flapping"])
    incidents = Incidents(now)
    ended = [alert for alert in still if alert.status == AlertStatus.RESOLVED]
    incidents.place([], ended, [])
    incidents.end(ended)
    incidents.save()
    return len(still)


def forget(now: dt.datetime) -> int:
    """Delete what is kept no longer, in small batches; the number of rows."""
    raw = IntakeEvent.objects.filter(received_at__lt=now - dt.timedelta(days=settings.INTAKE_RETENTION_DAYS))
    until = now - dt.timedelta(days=settings.ALERT_RETENTION_DAYS)
    changes = ChangeEvent.objects.filter(occurred_at__lt=until)
    return _delete(raw.exclude(state=IntakeState.WAITING)) + _delete(changes) + _forget_alerts(until)


def _delete(found: "object") -> int:
    ids = list(found.order_by("pk").values_list("pk", flat=True)[: BATCH * 5])  # type: ignore[attr-defined]
    return int(found.model.objects.filter(pk__in=ids).delete()[0]) if ids else 0  # type: ignore[attr-defined]


@unit_of_work
def _forget_alerts(until: dt.datetime) -> int:
    old = Alert.objects.filter(status=AlertStatus.RESOLVED, last_seen_at__lt=until).order_by("last_seen_at")[:BATCH]
    alerts = list(old)
    pairs = [(pair_number(name, value), alert.pk) for alert in alerts for name, value in alert.labels.items()]
    table = connection.ops.quote_name(AlertLabel._meta.db_table)
    with connection.cursor() as cursor:
        cursor.executemany(f"DELETE FROM {table} WHERE pair = %s AND alert_id = %s", pairs)  # noqa: S608
    Alert.objects.filter(pk__in=[alert.pk for alert in alerts]).delete()
    return len(alerts)
