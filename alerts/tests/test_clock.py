"""Alerts whose end is heard of by a clock that was set back."""

import datetime as dt

from django.test import TestCase
from django.utils import timezone

from alerts.models import Alert
from alerts.tests.factories import fire, make_source, resolve
from incidents.models import Incident, IncidentEvent

HOUR = dt.timedelta(hours=1)


class SteppedBackTests(TestCase):
    def test_it_lets_no_alert_end_before_it_began(self) -> None:
        source, now = make_source(), timezone.now()
        fire(source, at=now)

        resolve(source, at=now - HOUR)

        alert, incident = Alert.objects.get(), Incident.objects.get()
        self.assertEqual((alert.status, alert.ends_at), ("resolved", alert.starts_at))
        self.assertGreaterEqual(incident.resolved_at, incident.created_at)
        self.assertEqual((incident.ack_seconds, incident.resolve_seconds), (0, 0))

        fire(source, at=now - HOUR / 2)

        alert = Alert.objects.get()
        self.assertEqual((alert.status, alert.ends_at, alert.starts_at), ("firing", None, now))
        self.assertEqual(alert.last_seen_at, now)
        times = list(IncidentEvent.objects.order_by("seq").values_list("occurred_at", flat=True))
        self.assertEqual(times, sorted(times))
