import datetime as dt
from collections.abc import Callable
from functools import partial
from typing import Any
from unittest import mock

from django.db import transaction
from django.test import TestCase
from django.utils import timezone

from incidents import digest
from incidents.models import EventKind, Incident, IncidentEvent
from incidents.services import comment, history, redact, transition
from incidents.tests.factories import make_incident
from users.tests.factories import make_admin

Tamper = Callable[[], Any]


class VerifyTests(TestCase):
    def setUp(self) -> None:
        self.incident = make_incident(description="Since noon")
        for message in ("One", "Two", "Three"):
            comment(self.incident, message, by=None)
        transition(self.incident, "acknowledged", by=None)

    def event(self, seq: int) -> Any:
        return IncidentEvent.objects.filter(incident=self.incident, seq=seq)

    def seq_of_fault_after(self, tamper: Tamper) -> int | None:
        """The first bad event that is named after tampering, which is then undone."""
        with transaction.atomic():
            tamper()
            fault = history.verify(self.incident)
            transaction.set_rollback(True)
        return fault.seq if fault else None

    def test_it_finds_nothing_in_a_whole_chain(self) -> None:
        self.assertIsNone(history.verify(self.incident))

    def test_it_finds_an_edit_of_any_sealed_column(self) -> None:
        edits: dict[str, Any] = {
            "kind": "resolved",
            "actor": make_admin(),
            "actor_name": "Mallory",
            "origin": "admin",
            "visibility": "internal",
            "occurred_at": timezone.now() - dt.timedelta(days=1),
            "received_at": timezone.now() - dt.timedelta(days=1),
            "body": "one",
            "data": {"changes": {}},
            "schema": 9,
            "digest": "0" * 64,
        }
        for name, value in edits.items():
            for seq in (1, 3, 5):
                with self.subTest(name, seq=seq):
                    found = self.seq_of_fault_after(partial(self.event(seq).update, **{name: value}))

                    self.assertEqual(found, seq)

    def test_it_finds_removals(self) -> None:
        for seq in (1, 2, 4):
            with self.subTest(seq=seq):
                self.assertEqual(self.seq_of_fault_after(self.event(seq).delete), seq)

    def test_it_finds_removals_that_were_closed_up(self) -> None:
        def remove() -> None:
            self.event(2).delete()
            for seq in (3, 4, 5):
                self.event(seq).update(seq=seq - 1)
            Incident.objects.filter(pk=self.incident.pk).update(event_count=4)

        self.assertEqual(self.seq_of_fault_after(remove), 2)

    def test_it_finds_a_cut_tail(self) -> None:
        self.assertEqual(self.seq_of_fault_after(lambda: self.event(5).delete()), 5)

        def cut() -> None:
            self.event(5).delete()
            Incident.objects.filter(pk=self.incident.pk).update(event_count=4)

        self.assertEqual(self.seq_of_fault_after(cut), 4)

        def cut_and_agree() -> None:
            self.event(5).delete()
            last = self.event(4).get().digest
            Incident.objects.filter(pk=self.incident.pk).update(event_count=4, head_digest=last)

        self.assertEqual(self.seq_of_fault_after(cut_and_agree), 4)

    def test_it_believes_timelines_of_the_first_schema_and_what_was_added_since(self) -> None:
        with mock.patch("incidents.digest.SCHEMA", 1):
            incident = make_incident()
            comment(incident, "As it was", by=None)
        comment(incident, "As it is", by=None)

        self.assertEqual(list(incident.events.values_list("schema", flat=True)), [1, 1, digest.SCHEMA])
        self.assertIsNone(history.verify(incident))

    def test_it_finds_the_first_schema_after_the_second(self) -> None:
        with mock.patch("incidents.digest.SCHEMA", 1):
            comment(self.incident, "Sealed by whoever reads the digests of texts", by=None)

        fault = history.verify(self.incident)
        self.assertEqual(fault and fault.seq, 6)

    def test_it_finds_the_whole_timeline_gone(self) -> None:
        def wipe() -> None:
            IncidentEvent.objects.filter(incident=self.incident).delete()
            Incident.objects.filter(pk=self.incident.pk).update(event_count=0, head_digest="")

        self.assertEqual(self.seq_of_fault_after(wipe), 1)

    def test_it_finds_a_changed_order(self) -> None:
        def swap() -> None:
            self.event(2).update(seq=99)
            self.event(3).update(seq=2)
            self.event(99).update(seq=3)

        self.assertEqual(self.seq_of_fault_after(swap), 2)

    def test_it_finds_insertions(self) -> None:
        def append(seq: int) -> None:
            template = self.event(4).get()
            template.pk, template.seq, template.body = None, seq, "Forged"
            template.save(force_insert=True)

        def insert() -> None:
            for seq in (5, 4, 3):
                self.event(seq).update(seq=seq + 1)
            append(3)

        self.assertEqual(self.seq_of_fault_after(lambda: append(6)), 6)
        self.assertEqual(self.seq_of_fault_after(lambda: append(9)), 6)
        self.assertEqual(self.seq_of_fault_after(insert), 3)

    def test_it_finds_a_timeline_of_another_incident(self) -> None:
        other = make_incident()

        def move() -> None:
            self.event(1).update(seq=50)
            IncidentEvent.objects.filter(incident=other).update(incident=self.incident)

        self.assertEqual(self.seq_of_fault_after(move), 1)

    def test_it_finds_a_changed_head(self) -> None:
        def behead() -> None:
            Incident.objects.filter(pk=self.incident.pk).update(head_digest="0" * 64)

        self.assertEqual(self.seq_of_fault_after(behead), 5)

    def test_it_says_where_and_what(self) -> None:
        self.event(2).update(body="Zwei")

        fault = history.verify(self.incident)

        self.assertEqual(str(fault), f"{self.incident.reference} event 2: was edited or inserted")

    def test_it_raises_no_false_alarm_when_somebody_writes_meanwhile(self) -> None:
        events_read = history._redactions

        def and_then_comment(events: list[IncidentEvent]) -> Any:
            if len(events) == 5:
                comment(self.incident, "Meanwhile", by=None)
            return events_read(events)

        stale = Incident.objects.get(pk=self.incident.pk)
        with mock.patch.object(history, "_redactions", side_effect=and_then_comment):
            self.assertEqual(list(history.verify_all(Incident.objects.filter(pk=stale.pk))), [None])
            self.assertIsNone(history.verify(stale))


class RedactionTests(TestCase):
    def setUp(self) -> None:
        self.incident = make_incident()
        self.leak = comment(self.incident, "The password is hunter2", by=None)
        comment(self.incident, "Thanks", by=None)

    def event(self, seq: int) -> Any:
        return IncidentEvent.objects.filter(incident=self.incident, seq=seq)

    def fault_seq(self) -> int | None:
        fault = history.verify(self.incident)
        return fault.seq if fault else None

    def test_it_keeps_the_chain(self) -> None:
        redact(self.leak, by=None)
        comment(self.incident, "Removed", by=None)

        self.assertIsNone(history.verify(self.incident))

    def test_it_keeps_the_chain_when_done_again(self) -> None:
        redact(self.leak, by=None)
        redact(self.leak, by=None)

        self.assertIsNone(history.verify(self.incident))

    def test_it_finds_an_edit_of_what_was_left(self) -> None:
        redact(self.leak, by=None)
        for edit in ({"body": "Nothing was here"}, {"data": {"a": 1}}, {"kind": "resolved"}, {"redacted_at": None}):
            with self.subTest(edit=edit), transaction.atomic():
                self.event(2).update(**edit)

                self.assertEqual(self.fault_seq(), 2)
                transaction.set_rollback(True)

    def test_it_finds_a_removal_that_is_not_on_record(self) -> None:
        self.event(2).update(redacted_at=timezone.now())
        self.assertEqual(self.fault_seq(), 2)

        self.event(2).update(body="[removed]")
        self.assertEqual(self.fault_seq(), 2)

    def test_it_finds_a_forged_record_of_a_removal(self) -> None:
        redact(self.leak, by=None)
        genuine = self.event(4).get()
        for data in ({}, {"seq": [2]}, {"seq": 2, "taken_out": None}, {**genuine.data, "seq": 3}, {"seq": "x"}):
            with self.subTest(data=data), transaction.atomic():
                self.event(4).update(data=data)

                self.assertIsNotNone(self.fault_seq())
                transaction.set_rollback(True)
        self.event(4).delete()
        self.assertEqual(self.fault_seq(), 2)

    def test_it_finds_a_removal_forged_to_hide_an_edit(self) -> None:
        redact(self.leak, by=None)
        forged = self.event(4).get()
        edited = self.event(3).get()
        edited.body, edited.redacted_at = "Not at all", timezone.now()
        edited.save(update_fields=["body", "redacted_at"])
        forged.pk, forged.seq, forged.kind = None, 5, EventKind.REDACTED
        forged.data = {**forged.data, "seq": 3}
        forged.save(force_insert=True)

        self.assertIn(self.fault_seq(), (3, 5))
