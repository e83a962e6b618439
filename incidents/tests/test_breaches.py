from unittest import mock

from django.db import OperationalError
from django.test import TestCase

from core.severity import Severity
from incidents import jobs
from incidents.models import Incident, IncidentEvent, Status
from incidents.services import breaches, delete, transition
from incidents.services.breaches import mark_breach
from incidents.tests.factories import MONDAY, folded, kinds_of, make_incident, make_policy, minutes


class MarkBreachesTests(TestCase):
    def setUp(self) -> None:
        make_policy(severity=Severity.HIGH, ack_minutes=30, resolve_minutes=60)

    def make(self) -> Incident:
        return make_incident(at=MONDAY, severity=Severity.HIGH)

    def test_it_marks_each_target_once(self) -> None:
        incident = self.make()

        marked = [jobs.mark_breaches(MONDAY + minutes(minute)) for minute in (29, 30, 31, 31, 59, 61, 61, 600)]

        # At the due time itself it is not late yet, and is looked at again.
        self.assertEqual(marked, [0, 0, 1, 0, 0, 1, 0, 0])
        self.assertEqual(kinds_of(incident), ["created", "ack_breached", "resolve_breached"])
        stored = Incident.objects.get(pk=incident.pk)
        self.assertTrue(stored.ack_breached and stored.resolve_breached)
        self.assertIsNone(stored.next_breach_at)
        self.assertTrue(folded(stored)["ack_breached"])

    def test_it_marks_the_others_when_one_cannot_be(self) -> None:
        broken, sound = self.make(), self.make()

        def mark_but_one(pk: int, now: object) -> bool:
            if pk == broken.pk:
                raise RuntimeError("its policy cannot be read")
            return mark_breach(pk, now)

        with mock.patch.object(breaches, "mark_breach", mark_but_one), self.assertLogs("incidents.jobs", "ERROR"):
            marked = jobs.mark_breaches(MONDAY + minutes(31))

        self.assertEqual(marked, 1)
        self.assertIn("ack_breached", kinds_of(sound))

    def test_it_waits_for_a_database_that_is_away(self) -> None:
        [self.make() for _ in range(2)]
        gone = OperationalError(2013, "Lost connection to MySQL server during query")

        with mock.patch.object(breaches, "mark_breach", side_effect=gone) as tried:
            self.assertRaises(OperationalError, jobs.mark_breaches, MONDAY + minutes(31))

        self.assertEqual((tried.call_count, jobs.mark_breaches(MONDAY + minutes(31))), (1, 2))

    def test_it_marks_both_at_once(self) -> None:
        incident = self.make()

        self.assertEqual(jobs.mark_breaches(MONDAY + minutes(90)), 1)

        self.assertEqual(kinds_of(incident), ["created", "ack_breached", "resolve_breached"])
        event = IncidentEvent.objects.get(incident=incident, kind="ack_breached")
        self.assertEqual((event.origin, event.actor), ("job", None))

    def test_it_marks_the_resolve_target_of_what_was_acknowledged(self) -> None:
        incident = transition(self.make(), Status.ACKNOWLEDGED, by=None, at=MONDAY + minutes(5))

        jobs.mark_breaches(MONDAY + minutes(90))

        self.assertEqual(kinds_of(incident), ["created", "acknowledged", "resolve_breached"])

    def test_it_leaves_alone_what_is_on_hold_resolved_or_deleted(self) -> None:
        held = transition(self.make(), Status.ACKNOWLEDGED, by=None, at=MONDAY + minutes(5))
        held = transition(held, Status.ON_HOLD, by=None, note="Parts", at=MONDAY + minutes(10))
        resolved = transition(self.make(), Status.RESOLVED, by=None, at=MONDAY + minutes(5))
        deleted = self.make()
        delete(deleted, by=None)

        self.assertEqual(jobs.mark_breaches(MONDAY + minutes(90)), 0)

        for incident in (held, resolved, deleted):
            self.assertFalse(set(kinds_of(incident)) & {"ack_breached", "resolve_breached"})

    def test_it_marks_after_the_hold_what_the_hold_did_not_save(self) -> None:
        incident = self.make()
        for target, minute in (("acknowledged", 5), ("on_hold", 10), ("in_progress", 100)):
            incident = transition(incident, target, by=None, note="Parts", at=MONDAY + minutes(minute))

        self.assertEqual(jobs.mark_breaches(MONDAY + minutes(149)), 0)
        self.assertEqual(jobs.mark_breaches(MONDAY + minutes(151)), 1)

    def test_it_marks_again_after_a_reopening(self) -> None:
        incident = self.make()
        jobs.mark_breaches(MONDAY + minutes(90))
        for target, minute in (("resolved", 100), ("open", 110)):
            incident = transition(incident, target, by=None, note="Again", at=MONDAY + minutes(minute))

        self.assertEqual(jobs.mark_breaches(MONDAY + minutes(139)), 0)
        self.assertEqual(jobs.mark_breaches(MONDAY + minutes(141)), 1)

        self.assertEqual(kinds_of(incident).count("ack_breached"), 2)

    def test_it_looks_again_before_it_marks(self) -> None:
        incident = self.make()
        transition(incident, Status.RESOLVED, by=None, at=MONDAY + minutes(5))

        self.assertFalse(mark_breach(incident.pk, MONDAY + minutes(90)))
        self.assertFalse(mark_breach(incident.pk + 1000, MONDAY + minutes(90)))
