"""Signs of life that stay away, and come back."""

import datetime as dt
from typing import Any
from unittest import mock

from django.db import connection, transaction
from django.test import TestCase, TransactionTestCase
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from alerts.models import Alert, Heartbeat
from alerts.services import heartbeats, process_waiting
from alerts.services.heartbeats import ping, watch
from alerts.tests.factories import make_source
from incidents.models import Incident
from intake.models import IntakeEvent, Source

MINUTE = dt.timedelta(minutes=1)


class MissedTests(TestCase):
    def setUp(self) -> None:
        self.now = timezone.now()
        self.source = make_source(heartbeat_minutes=10, last_received_at=self.now)

    def look(self, minutes: int) -> str:
        """Watch so long after the last sign of life; how the alert stands then."""
        at = self.now + minutes * MINUTE
        watch(at)
        process_waiting(at)
        return Alert.objects.get().status

    def test_it_raises_again_what_still_stays_away(self) -> None:
        before = self.look(11)
        Source.objects.filter(pk=self.source.pk).update(is_enabled=False)
        meanwhile = self.look(20)
        Source.objects.filter(pk=self.source.pk).update(is_enabled=True)

        after = self.look(30)
        self.look(31)

        self.assertEqual((before, meanwhile, after), ("firing", "resolved", "firing"))
        self.assertEqual((IntakeEvent.objects.count(), Incident.objects.get().status), (3, "open"))

    def test_it_looks_at_any_number_in_as_many_queries(self) -> None:
        for number in range(20):
            Heartbeat.objects.create(source=self.source, name=f"job {number}", last_ping_at=self.now)

        with CaptureQueriesContext(connection) as queries:
            found = watch(self.now + MINUTE)

        self.assertEqual((found, IntakeEvent.objects.count()), (0, 0))
        self.assertLess(len(queries), 8)

    def test_it_raises_nothing_for_what_is_heard_while_it_looks(self) -> None:
        Heartbeat.objects.create(source=self.source, name="backup", last_ping_at=self.now)
        at = self.now + 11 * MINUTE
        judge = heartbeats._judge

        def late(source: Source, name: str, *rest: Any) -> bool:
            ping(source, at, name)
            return judge(source, name, *rest)

        with mock.patch.object(heartbeats, "_judge", late):
            found = watch(at)

        self.assertEqual((found, IntakeEvent.objects.count()), (0, 0))

    def test_it_waits_from_when_it_was_asked_to(self) -> None:
        quiet = make_source(last_received_at=self.now - 600 * MINUTE, created_at=self.now - 900 * MINUTE)
        quiet.heartbeat_minutes = 10
        quiet.save()
        asked = quiet.awaited_since or self.now
        quiet.heartbeat_minutes = 5  # a shorter promise is no new one
        quiet.save()

        found = [watch(asked + minutes * MINUTE) for minutes in (1, 4, 6)]

        self.assertEqual(found, [0, 0, 1])
        self.assertEqual(Source.objects.get(pk=quiet.pk).awaited_since, asked)
        self.assertIn(f"since {asked:%Y-%m-%d %H:%M} UTC", bytes(IntakeEvent.objects.get().body).decode())

    def test_it_waits_anew_for_what_was_not_waited_for_meanwhile(self) -> None:
        for minutes in (None, 10):
            self.source.heartbeat_minutes = minutes
            self.source.save()

        self.assertGreater(self.source.awaited_since, self.now)
        self.assertEqual(watch(self.source.awaited_since + 9 * MINUTE), 0)

    def test_it_raises_again_what_waited_longer(self) -> None:
        self.look(11)
        Source.objects.filter(pk=self.source.pk).update(heartbeat_minutes=60)
        meanwhile = self.look(12)

        after = self.look(61)

        self.assertEqual((meanwhile, after), ("resolved", "firing"))


class PingTests(TransactionTestCase):
    def test_it_notes_again_what_was_rolled_back(self) -> None:
        source, now = make_source(), timezone.now()
        with transaction.atomic():
            ping(source, now)
            transaction.set_rollback(True)

        with transaction.atomic():
            ping(source, now)

        self.assertEqual((source.last_received_at, Source.objects.get(pk=source.pk).last_received_at), (now, now))
