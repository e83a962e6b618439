"""Incidents that page nobody for now, because all their firing alerts are silenced."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection

from alerts.decide import stored_facts
from alerts.models import Alert
from alerts.routing import silence_for
from alerts.services.rules import silence_specs
from alerts.vocabulary import AlertStatus
from core.text.sentences import Sentence

SILENCED = Sentence("its alerts are silenced until %(time)s")


def silenced_incidents(incident_ids: Collection[int], now: dt.datetime) -> dict[int, str]:
    """Return why each incident pages nobody: no silence, no query of alerts."""
    silences = silence_specs(now)
    if not silences:
        return {}
    alerts: dict[int, list[Alert]] = defaultdict(list)
    firing = Alert.objects.filter(incident__in=incident_ids, status=AlertStatus.FIRING).select_related("source")
    for alert in firing.order_by("pk"):
        if alert.incident_id is not None:
            alerts[alert.incident_id].append(alert)
    found = {}
    for number, rows in alerts.items():
        holding = [silence_for(silences, stored_facts(alert), now) for alert in rows]
        ends = [one.ends_at for one in holding if one is not None]
        if len(ends) == len(rows):
            found[number] = SILENCED.say(time=f"{min(ends):%Y-%m-%d %H:%M} UTC")
    return found
