"""Alerts on the incident's page and the home page."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.db.models import Count
from django.urls import reverse
from django.utils import timezone

from alerts.admin.badges import alert_badge, marks, safe_links
from alerts.models import Alert, Heartbeat
from alerts.services.changes import changes_before
from alerts.services.rules import faulty
from alerts.vocabulary import AlertStatus
from core.backoffice.badges import ago, severity_badge, span
from incidents.admin.sections import Section, on_home, on_incident
from incidents.models import Incident
from incidents.permissions import can_work_on
from intake.models import IntakeEvent, Source
from intake.vocabulary import IntakeState
from users.models import User

MAX_ALERTS = 20
MAX_CHANGES = 10
MAX_FAILURES = 5
MOST_COUNTED = 100
MOST_WATCHED = 1000
LATELY = dt.timedelta(hours=24)


def of_incident(incident: Incident, user: User) -> Iterable[Section]:
    """Yield its alerts, firing ones first, and changes in the hour before."""
    if not user.has_perm("alerts.view_alert"):
        return
    found = Alert.objects.filter(incident=incident).select_related("source").order_by("-id")
    alerts = list(found.filter(status=AlertStatus.FIRING)[: MAX_ALERTS + 1])
    alerts += list(found.exclude(status=AlertStatus.FIRING)[: MAX_ALERTS + 1 - len(alerts)])
    if alerts:
        rows = [_row_of(alert) for alert in alerts[:MAX_ALERTS]]
        url = f"{reverse('admin:alerts_alert_changelist')}?q={incident.reference}"
        may_merge = can_work_on(user, incident.team_id) and incident.deleted_at is None
        merge_url = reverse("admin:alerts_alert_merge", args=[incident.pk]) if may_merge else ""
        context = {"rows": rows, "url": url, "has_more": len(alerts) > MAX_ALERTS, "merge_url": merge_url}
        yield Section("admin/alerts/incident_alerts.html", context)
    changes = changes_before(incident, limit=MAX_CHANGES)
    if changes:
        rows = [
            (change, span((incident.occurred_at - change.occurred_at).total_seconds()), safe_links(change.links))
            for change in changes
        ]
        yield Section("admin/alerts/incident_changes.html", {"rows": rows})


def _row_of(alert: Alert) -> dict[str, Any]:
    return {
        "alert": alert,
        "status": alert_badge(alert),
        "severity": severity_badge(alert.severity),
        "marks": marks(alert),
        "seen": ago(alert.last_seen_at),
    }


def of_home(user: User) -> Iterable[Section]:
    """Yield what keeps alerts from coming in, for administrators."""
    if not user.is_admin:
        return
    now = timezone.now()
    failed = list(
        IntakeEvent.objects.troubling()
        .order_by("-id")
        .values("pk", "reason", "received_at", "source__name")[: MOST_COUNTED + 1]
    )
    context = {
        "failures": [{**row, "ago": ago(row["received_at"], now)} for row in failed[:MAX_FAILURES]],
        "number": min(len(failed), MOST_COUNTED),
        "last": failed[0]["pk"] if failed else 0,
        "is_cut": len(failed) > MOST_COUNTED,
        "limited": limited_since(now - LATELY),
        "overdue": overdue_at(now),
        "unknown": unknown_words(),
    }
    if any(context[name] for name in ("failures", "limited", "overdue", "unknown")):
        yield Section("admin/alerts/home_intake.html", context)
    if wrong := faulty(now):
        rows = [
            (one, reverse(f"admin:{one._meta.label_lower.replace('.', '_')}_change", args=[one.pk]), why)
            for one, why in wrong
        ]
        yield Section("admin/alerts/home_conditions.html", {"rows": rows[:MAX_FAILURES], "number": len(rows)})


def unknown_words() -> list[tuple[int, str, int]]:
    """Return (id, name, count) of sources with unknown words."""
    counted = Source.objects.annotate(number=Count("unknown_words")).filter(is_enabled=True, number__gt=0)
    return list(counted.order_by("name").values_list("pk", "name", "number")[:MAX_FAILURES])


def limited_since(moment: dt.datetime) -> list[tuple[int, str]]:
    """Return (id, name) of rate-limited sources."""
    events = IntakeEvent.objects.filter(state=IntakeState.LIMITED, received_at__gte=moment).order_by()
    sources = Source.objects.filter(pk__in=events.values("source")).order_by("name")
    return list(sources.values_list("pk", "name")[:MOST_COUNTED])


def overdue_at(now: dt.datetime) -> list[tuple[str, str, Any]]:
    """Return (name, page, last seen) of what is overdue."""
    overdue = []
    heartbeats = Heartbeat.objects.filter(is_enabled=True, source__is_enabled=True).select_related("source")
    for heartbeat in heartbeats.order_by("last_ping_at")[:MOST_WATCHED]:
        if now - heartbeat.last_ping_at > dt.timedelta(minutes=heartbeat.interval_minutes):
            url = reverse("admin:alerts_heartbeat_change", args=[heartbeat.pk])
            overdue.append((f"{heartbeat.name} ({heartbeat.source.name})", url, ago(heartbeat.last_ping_at, now)))
    for source in Source.objects.filter(is_enabled=True, heartbeat_minutes__isnull=False)[:MOST_WATCHED]:
        last_seen = source.quiet_since()
        if now - last_seen > dt.timedelta(minutes=source.heartbeat_minutes or 0):
            url = reverse("admin:intake_source_change", args=[source.pk])
            overdue.append((source.name, url, ago(source.last_received_at, now)))
    return overdue


on_incident(of_incident)
on_home(of_home)
