"""Clocks that are set back: what is written afterwards does not stand before what was written already."""

import datetime as dt

import time_machine
from django.test import TestCase

from incidents.models import Incident, IncidentEvent, LinkKind
from incidents.services import comment, delete, history, link, redact, transition
from incidents.services.attaching import attach, inspect
from incidents.services.breaches import mark_breach
from incidents.services.recording import ChangeContext, IncidentChange, lock_many, save_all
from incidents.tests.factories import make_incident, make_policy
from incidents.tests.files import picture, upload
from incidents.tests.test_verify_history import run
from users.tests.factories import make_admin

NOON = dt.datetime(2027, 3, 1, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


class SteppedBackTests(TestCase):
    def setUp(self) -> None:
        self.admin = make_admin()
        make_policy(severity=2, ack_minutes=30, resolve_minutes=60)
        with time_machine.travel(NOON, tick=False):
            self.incident = make_incident(by=self.admin)
            comment(self.incident, "At noon", by=self.admin)

    def assert_in_order(self) -> None:
        incident = Incident.objects.get(pk=self.incident.pk)
        events = list(IncidentEvent.objects.filter(incident=incident).order_by("seq"))
        for name in ("occurred_at", "received_at"):
            times = [getattr(event, name) for event in events]
            self.assertEqual(times, sorted(times), name)
        stamps = [incident.created_at, incident.acknowledged_at, incident.resolved_at, incident.closed_at]
        known = [stamp for stamp in stamps if stamp is not None]
        self.assertEqual(known, sorted(known))
        self.assertGreaterEqual(min(incident.ack_seconds or 0, incident.resolve_seconds or 0), 0)
        self.assertGreaterEqual(incident.updated_at, incident.created_at)

    def test_it_stamps_nothing_before_what_was_told(self) -> None:
        with time_machine.travel(NOON - HOUR, tick=False):
            for status in ("acknowledged", "on_hold", "in_progress", "resolved", "closed"):
                transition(self.incident, status, by=self.admin, note="Because")
            comment(self.incident, "An hour earlier", by=self.admin)
            attach(self.incident, inspect([upload(picture(), "a.jpg")]), by=self.admin)
            link(self.incident, make_incident(by=self.admin), LinkKind.RELATED_TO, by=self.admin)
            redact(self.incident.events.get(seq=2), by=self.admin)
            delete(self.incident, by=self.admin)

        self.assert_in_order()
        stored = Incident.objects.get(pk=self.incident.pk)
        self.assertEqual((stored.resolved_at, stored.deleted_at, stored.updated_at), (NOON, NOON, NOON))
        self.assertEqual(run(), ("2 timelines verified, all intact.\n", ""))

    def test_it_goes_on_from_a_comment(self) -> None:
        with time_machine.travel(NOON + HOUR, tick=False):
            comment(self.incident, "At one", by=self.admin)
        with time_machine.travel(NOON + HOUR / 2, tick=False):
            transition(self.incident, "acknowledged", by=self.admin)

        self.assert_in_order()
        self.assertEqual(Incident.objects.get().acknowledged_at, NOON + HOUR)

    def test_it_marks_no_breach_that_was_none(self) -> None:
        with time_machine.travel(NOON - HOUR, tick=False):
            self.assertFalse(mark_breach(self.incident.pk, NOON - HOUR))
            stored = transition(self.incident, "resolved", by=self.admin)

        self.assertEqual((stored.ack_breached, stored.resolve_breached), (False, False))
        self.assertEqual((stored.ack_seconds, stored.resolve_seconds), (0, 0))

    def test_it_keeps_batches_of_machines_in_order(self) -> None:
        with time_machine.travel(NOON - HOUR, tick=False):
            for incident in lock_many([self.incident.pk]).values():
                entry = IncidentChange(incident, ChangeContext.now(None, "alert", NOON - HOUR))
                entry.add_event("alert_added")
                save_all([entry])

        self.assert_in_order()
        self.assertIsNone(history.verify(Incident.objects.get()))

    def test_it_keeps_the_time_of_what_we_are_told_late(self) -> None:
        with time_machine.travel(NOON + HOUR, tick=False):
            event = comment(self.incident, "From the chat", by=None, at=NOON - HOUR)

        self.assertEqual((event.occurred_at, event.received_at), (NOON - HOUR, NOON + HOUR))

    def test_it_goes_on_from_incidents_that_do_not_know_their_last_event(self) -> None:
        Incident.objects.update(last_occurred_at=None, last_received_at=None)
        with time_machine.travel(NOON - HOUR, tick=False):
            transition(self.incident, "acknowledged", by=self.admin)

        self.assert_in_order()
