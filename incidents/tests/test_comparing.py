"""`manage.py verify_history` on rows that were edited behind the timeline's back."""

import datetime as dt
import uuid
from collections.abc import Callable
from pathlib import Path
from unittest import mock

from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.db.models import F
from django.test import TestCase
from django.utils import timezone

from incidents.models import Attachment, Category, Incident, IncidentLink, LinkKind, Subscription
from incidents.services import (
    comment,
    delete,
    link,
    purge,
    redact,
    restore,
    subscribe,
    tallies,
    transition,
    unlink,
    update,
)
from incidents.services.attaching import attach, inspect, remove
from incidents.services.recording import SEALED
from incidents.tests.factories import make_category, make_incident, make_policy, make_service, make_team
from incidents.tests.files import picture, upload
from incidents.tests.test_verify_history import run
from users.tests.factories import make_admin, make_reporter, make_responder


class ComparingCase(TestCase):
    """An incident that much happened to, and another one."""

    @classmethod
    def setUpTestData(cls) -> None:
        cls.admin, cls.reporter, cls.responder = make_admin(), make_reporter(), make_responder()
        make_policy(severity=3, ack_minutes=10, resolve_minutes=60)
        cls.category, cls.service = make_category("network"), make_service("payments")
        cls.incident = make_incident(
            by=cls.reporter,
            title="Sealed",
            severity=3,
            category=cls.category,
            services=[cls.service],
            location="Hall A",
        )
        cls.other = make_incident(by=cls.admin, title="Other")
        fields = {"team": make_team("Network", cls.responder), "assignee": cls.responder, "priority": 4}
        update(cls.incident, by=cls.admin, fields=fields)
        subscribe(cls.incident, cls.responder, by=cls.admin)
        cls.file = attach(cls.incident, inspect([upload(picture(), "a.jpg")]), by=cls.reporter)[0]
        for status in ("acknowledged", "on_hold", "in_progress", "resolved", "closed", "open"):
            transition(cls.incident, status, by=cls.admin, note="Because")
        link(cls.incident, cls.other, LinkKind.RELATED_TO, by=cls.admin)

    def fault_after(self, tamper: Callable[[], object], *flags: str) -> str:
        """What the command says after the tampering, which is then undone."""
        with transaction.atomic():
            tamper()
            said, failure = run(*flags)
            transaction.set_rollback(True)
        self.assertEqual(bool(failure), "INC-" in said, said + failure)
        return said

    def row(self, **values: object) -> Callable[[], object]:
        return lambda: Incident.objects.filter(pk=self.incident.pk).update(**values)


class ColumnTests(ComparingCase):
    def test_it_finds_nothing_where_nothing_was_done(self) -> None:
        self.assertEqual(run(), ("2 timelines verified, all intact.\n", ""))

    def test_it_names_the_column_that_differs(self) -> None:
        hour_ago = timezone.now() - dt.timedelta(hours=1)
        moments = ("occurred_at", "created_at", "acknowledged_at", "resolved_at", "closed_at", "deleted_at")
        edits = {
            **dict.fromkeys((*moments, "ack_due_at", "resolve_due_at", "paused_at"), hour_ago),
            **{"title": "Edited", "description": "Edited", "status": "closed", "severity": 1, "priority": 1},
            **{"category": None, "location": "hall a", "team": None, "assignee": self.admin, "reporter": self.admin},
            **{"is_restricted": True, "reopen_count": 0, "ack_breached": True, "resolve_breached": True},
            "origin_system": "import",
        }
        for name, value in edits.items():
            with self.subTest(name):
                said = self.fault_after(self.row(**{name: value}))

                self.assertIn(f"{self.incident.reference} {name}: is not what the timeline says\n", said)
                self.assertNotIn(self.other.reference, said)

    def test_it_finds_edits_of_what_the_timeline_does_not_tell(self) -> None:
        edits = {
            **{"version": 99, "updated_at": timezone.now(), "is_priority_given": False, "external_id": "x"},
            **{"external_key": "x", "ack_seconds": 1, "resolve_seconds": 1, "paused_seconds": 99, "sla": {}},
            **{"clock_started_at": timezone.now(), "row_digest": None},
        }
        for name, value in edits.items():
            with self.subTest(name):
                self.assertIn(
                    f"{self.incident.reference} row: was edited\n", self.fault_after(self.row(**{name: value}))
                )

    def test_it_asks_for_every_column_that_is_not_a_job_s(self) -> None:
        columns = {field.attname for field in Incident._meta.concrete_fields}
        self.assertEqual(
            columns - set(SEALED),
            {"id", "row_digest", "is_open", "next_breach_at", "tallied_as", "is_tallied"},
        )

    def test_it_finds_edits_of_what_follows_from_other_columns(self) -> None:
        tallies.update_batch()
        self.assertEqual(run()[1], "")
        for values in ({"next_breach_at": None}, {"next_breach_at": timezone.now()}, {"tallied_as": ""}):
            with self.subTest(values):
                said = self.fault_after(self.row(**values))
                self.assertIn(f"{self.incident.reference} {next(iter(values))}: is not what", said)

    def test_it_finds_services_that_were_changed(self) -> None:
        said = self.fault_after(lambda: self.incident.services.clear())

        self.assertIn(f"{self.incident.reference} services: is not", said)

    def test_it_takes_names_that_were_changed_since_for_what_they_are(self) -> None:
        self.category.slug, self.service.slug = "lan", "billing"
        self.category.save(update_fields=["slug"])
        self.service.save(update_fields=["slug"])

        self.assertEqual(run()[1], "")
        other = Category.objects.create(name="Something else", slug="network")
        self.assertEqual(run()[1], "")
        self.assertIn(f"{self.incident.reference} row: was edited", self.fault_after(self.row(category=other)))

    def test_it_believes_what_was_deleted_restored_and_redacted(self) -> None:
        event = update(self.other, by=self.admin, fields={"title": "hunter2", "location": "hunter2"}).events.last()
        redact(event, by=self.admin)
        redact(self.incident.events.get(kind="attachment_added"), by=self.admin)
        delete(self.incident, by=self.admin)
        self.assertEqual(run()[1], "")
        restore(self.incident, by=self.admin)

        self.assertEqual(run()[1], "")

    def test_it_names_the_first_wrong_row_of_each(self) -> None:
        def edit_both() -> None:
            Incident.objects.update(title="Edited", location="Elsewhere")

        said = self.fault_after(edit_both)

        self.assertEqual(said.count("\n"), 2)
        for incident in (self.incident, self.other):
            self.assertIn(f"{incident.reference} title: is not what the timeline says\n", said)


class OtherRowsTests(ComparingCase):
    def test_it_finds_edits_of_files_rows(self) -> None:
        rows = Attachment.objects.filter(pk=self.file.pk)
        edits = {
            **{"name": "b.jpg", "media_type": "text/plain", "size": 1, "sha256": "0" * 64},
            **{"uploaded_by": self.admin, "created_at": timezone.now()},
        }
        for name, value in edits.items():
            with self.subTest(name):
                said = self.fault_after(lambda name=name, value=value: rows.update(**{name: value}))
                self.assertIn(
                    f"{self.incident.reference} file {self.file.pk}: has not the {name.replace('_', ' ')} that", said
                )
        self.assertIn("has no row any more", self.fault_after(rows.delete))
        moved = self.fault_after(lambda: rows.update(incident=self.other))
        self.assertIn(f"{self.incident.reference} file {self.file.pk}: has no row any more", moved)
        self.assertIn(f"{self.other.reference} file {self.file.pk}: is not on the timeline", moved)

    def test_it_finds_edits_of_how_a_file_is_served(self) -> None:
        rows = Attachment.objects.filter(pk=self.file.pk)
        thumbnail = {"thumbnail_key": self.file.served_key, "thumbnail_digest": ""}
        edits: dict[str, list[dict[str, object]]] = {
            "names no stored file": [{"original_key": ""}, {"served_key": ""}],
            "has lost the picture's size": [{"width": None}, {"height": 0}],
            "is not served as what it is": [{"served_media_type": "text/html"}, {"served_media_type": ""}],
            "has lost the digest of a file": [{"served_digest": ""}, thumbnail],
        }
        for said, tampers in edits.items():
            for values in tampers:
                with self.subTest(values):
                    found = self.fault_after(lambda values=values: rows.update(**values))
                    self.assertIn(f"{self.incident.reference} file {self.file.pk}: {said}", found)

    def test_it_believes_a_file_that_was_removed(self) -> None:
        remove(self.file, by=self.admin)

        self.assertEqual(run()[1], "")

    def test_it_reads_the_stored_files_where_that_is_asked_for(self) -> None:
        path = Path(default_storage.path(self.file.original_key))
        self.assertEqual(run("--files")[1], "")

        def replace() -> None:
            path.write_bytes(b"something else")

        kept = path.read_bytes()
        try:
            said = self.fault_after(replace, "--files")
            self.assertIn(f"{self.incident.reference} file {self.file.pk}: the original of", said)
            self.assertEqual(run()[1], "")
        finally:
            path.write_bytes(kept)

    def test_it_finds_followers_and_links_that_nobody_made(self) -> None:
        stranger = make_reporter()
        tampers = {
            f"follower {stranger.pk}: is not on": lambda: Subscription.objects.create(
                incident=self.incident, user=stranger
            ),
            f"follower {self.reporter.pk}: has no row": lambda: Subscription.objects.filter(
                user=self.reporter
            ).delete(),
            f"link caused_by {self.other.reference}: is not": lambda: IncidentLink.objects.create(
                incident=self.incident, target=self.other, kind=LinkKind.CAUSED_BY
            ),
            f"link related_to {self.other.reference}: has no row": IncidentLink.objects.all().delete,
        }
        for expected, tamper in tampers.items():
            with self.subTest(expected):
                self.assertIn(f"{self.incident.reference} {expected}", self.fault_after(tamper))

    def test_it_believes_a_link_that_was_taken_back_or_whose_other_end_is_gone(self) -> None:
        unlink(self.incident, IncidentLink.objects.get().pk, by=self.admin)
        self.assertEqual(run()[1], "")
        link(self.incident, self.other, LinkKind.CAUSED_BY, by=self.admin)
        delete(self.other, by=self.admin)
        purge(self.other, by=self.admin)

        self.assertEqual(run()[1], "")


class IdentityTests(ComparingCase):
    def swap(self) -> None:
        """Two incidents exchange their whole histories, with what seals them."""
        first, second = (Incident.objects.get(pk=pk) for pk in (self.incident.pk, self.other.pk))
        told = {pk: list(row.events.values_list("pk", flat=True)) for pk, row in ((1, first), (2, second))}
        kept = {name: getattr(first, name) for name in ("uid", "event_count", "head_digest", "row_digest")}
        Incident.objects.filter(pk=first.pk).update(uid=uuid.uuid4())
        theirs = {name: getattr(second, name) for name in kept}
        Incident.objects.filter(pk=second.pk).update(**kept)
        Incident.objects.filter(pk=first.pk).update(**theirs)
        events = first.events.model.objects
        events.filter(pk__in=told[1]).update(seq=1000 + F("seq"))
        events.filter(pk__in=told[2]).update(incident=first)
        events.filter(pk__in=told[1]).update(incident=second, seq=F("seq") - 1000)

    def test_it_names_both_that_swapped_their_histories(self) -> None:
        said = self.fault_after(self.swap)

        self.assertIn(f"{self.incident.reference} ", said)
        self.assertIn(f"{self.other.reference} ", said)

    def test_it_names_both_that_are_alike_in_everything_else(self) -> None:
        def swap_all() -> None:
            kept = [Incident.objects.filter(pk=row.pk).values().get() for row in (self.incident, self.other)]
            self.swap()
            for row, values in zip((self.other, self.incident), kept, strict=True):
                alike = {k: v for k, v in values.items() if k not in ("id", "uid", "is_open", "external_key")}
                Incident.objects.filter(pk=row.pk).update(**alike)

        said = self.fault_after(swap_all)

        self.assertIn(f"{self.incident.reference} event 1: ", said)
        self.assertIn(f"{self.other.reference} event 1: ", said)

    def test_it_names_one_that_has_another_number(self) -> None:
        fresh = make_incident()

        def renumber() -> None:
            with connection.constraint_checks_disabled(), connection.cursor() as cursor:
                cursor.execute("UPDATE incidents_incident SET id = 7777 WHERE id = %s", [fresh.pk])
                for table in ("incidents_incidentevent", "incidents_subscription"):
                    cursor.execute(f"UPDATE {table} SET incident_id = 7777 WHERE incident_id = %s", [fresh.pk])

        self.assertIn("INC-7777 event 1: was edited or inserted", self.fault_after(renumber))


class SealTests(TestCase):
    """Timelines from before numbers and rows were sealed."""

    def setUp(self) -> None:
        with mock.patch("incidents.digest.SCHEMA", 2):
            self.old, self.edited = make_incident(), make_incident()
            for incident in (self.old, self.edited):
                comment(incident, "Long ago", by=None)
        Incident.objects.update(row_digest=None)

    def test_it_says_what_cannot_be_checked(self) -> None:
        said, failure = run()

        self.assertIn("2 incidents predate row sealing", said)
        self.assertEqual(failure, "")

    def test_it_seals_what_is_whole(self) -> None:
        Incident.objects.filter(pk=self.edited.pk).update(title="Edited")

        said, failure = run("--seal")

        self.assertIn("1 incidents sealed.", said)
        self.assertIn(f"{self.edited.reference} title: is not what the timeline says", said)
        self.assertEqual(failure, "1 of 2 timelines have been altered.")
        self.assertEqual(run(self.old.reference), ("1 timelines verified, all intact.\n", ""))
        Incident.objects.filter(pk=self.old.pk).update(version=9)
        self.assertIn("row: was edited", run(self.old.reference)[0])

    def test_it_binds_the_number_of_what_was_sealed(self) -> None:
        run("--seal")
        with connection.constraint_checks_disabled(), connection.cursor() as cursor:
            cursor.execute("UPDATE incidents_incident SET id = 7777 WHERE id = %s", [self.old.pk])
            for table in ("incidents_incidentevent", "incidents_subscription"):
                cursor.execute(f"UPDATE {table} SET incident_id = 7777 WHERE incident_id = %s", [self.old.pk])

        self.assertIn("INC-7777 row: was edited", run()[0])

    def test_it_seals_what_is_written_to_since(self) -> None:
        comment(self.old, "Now", by=None)

        self.assertEqual(run(self.old.reference), ("1 timelines verified, all intact.\n", ""))
