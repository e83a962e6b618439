"""`manage.py verify_history`."""

from io import StringIO
from unittest.mock import patch

from django.core.management import CommandError, call_command
from django.db import transaction
from django.test import TestCase

from incidents.models import Incident, IncidentEvent
from incidents.services import comment, history
from incidents.tests.factories import make_incident
from users.tests.factories import make_admin


def run(*references: str) -> tuple[str, str]:
    """What the command prints, and how it fails ("" if it does not)."""
    out = StringIO()
    try:
        call_command("verify_history", *references, stdout=out, stderr=StringIO())
    except CommandError as error:
        return out.getvalue(), str(error)
    return out.getvalue(), ""


class VerifyHistoryTests(TestCase):
    """The command on timelines of three events."""

    @classmethod
    def setUpTestData(cls) -> None:
        admin = make_admin()
        cls.incidents = [make_incident(by=admin) for _ in range(3)]
        for incident in cls.incidents:
            comment(incident, by=admin, message="Looking")
            comment(incident, by=admin, message="Found it")

    def events(self, number: int = 1):
        return IncidentEvent.objects.filter(incident=self.incidents[number])

    def test_it_counts_whole_timelines(self) -> None:
        self.assertEqual(run(), ("3 timelines verified, all intact.\n", ""))

    def test_it_names_the_first_row_that_was_touched(self) -> None:
        reference = self.incidents[1].reference
        touches = {
            "edited": (lambda: self.events().filter(seq=2).update(body="Nothing"), "event 2: was edited"),
            "removed": (lambda: self.events().filter(seq=2).delete(), "event 2: is missing"),
            "cut": (lambda: self.events().filter(seq=3).delete(), "event 3: is missing"),
            "backdated": (lambda: self.events().filter(seq=1).update(occurred_at="2001-01-01T00:00Z"), "event 1: was"),
            "emptied": (lambda: self.events().delete(), "event 1: is missing"),
            "copied": (self.copy_the_last, "event 4: was edited or inserted"),
            "headless": (lambda: Incident.objects.update(head_digest=""), "event 3: does not match"),
        }
        for name, (touch, fault) in touches.items():
            with self.subTest(name), transaction.atomic():
                touch()

                said, failure = run(reference)

                self.assertIn(f"{reference} {fault}", said)
                self.assertEqual(failure, "1 of 1 timelines have been altered.")
                transaction.set_rollback(True)

    def test_it_goes_on_past_rows_that_no_application_wrote(self) -> None:
        touches = {
            "event 3: does not match": {"head_digest": "é"},
            "row: was edited": {"row_digest": "é"},
            "row: holds what the application never writes": {"severity": 99},
        }
        for fault, columns in touches.items():
            with self.subTest(fault), transaction.atomic():
                Incident.objects.filter(pk=self.incidents[0].pk).update(**columns)

                said, failure = run()

                self.assertIn(f"{self.incidents[0].reference} {fault}", said)
                self.assertEqual(failure, "1 of 3 timelines have been altered.")
                transaction.set_rollback(True)

    def copy_the_last(self) -> None:
        event = self.events().get(seq=3)
        event.pk, event.seq = None, 4
        event.save(force_insert=True)

    def test_it_finds_a_timeline_whose_count_was_emptied_too(self) -> None:
        self.events().delete()
        Incident.objects.filter(pk=self.incidents[1].pk).update(event_count=0, head_digest="")

        said, _ = run()

        self.assertIn("event 1: is missing", said)

    def test_it_checks_only_the_incidents_that_are_named(self) -> None:
        self.events().filter(seq=2).update(body="Nothing")

        said, failure = run(self.incidents[0].reference, str(self.incidents[2].pk))

        self.assertEqual((said, failure), ("2 timelines verified, all intact.\n", ""))

    def test_it_refuses_references_that_name_nothing(self) -> None:
        self.assertEqual(run("INC-999999")[1], "There is no incident INC-999999.")
        self.assertIn("is not an incident", run("twelve")[1])

    def test_it_checks_many_timelines_with_few_queries(self) -> None:
        with self.assertNumQueries(11):
            run()

    def test_it_walks_through_all_chunks(self) -> None:
        self.events(2).filter(seq=2).update(body="Nothing")

        with patch.object(history, "CHUNK_INCIDENTS", 2), patch.object(history, "CHUNK_EVENTS", 4):
            said, failure = run()

        self.assertIn(f"{self.incidents[2].reference} event 2", said)
        self.assertIn("1 of 3", failure)
