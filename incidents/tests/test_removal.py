from unittest import mock

from auditlog.models import LogEntry
from django.db import connection
from django.test import TestCase

from core.errors import Conflict, NotFound, PermissionRefused, StaleVersion
from core.severity import Severity
from incidents import search
from incidents.models import Attachment, Incident, LinkKind, Tally
from incidents.services import comment, delete, history, link, purge, restore, tallies
from incidents.tests.factories import MONDAY, kinds_of, make_incident, make_policy, make_service, minutes, report
from users.models import User
from users.tests.factories import make_admin, make_reporter, make_responder


def counted() -> int:
    """All that the kept counts hold of one dimension."""
    return sum(Tally.objects.filter(dimension="status").values_list("count", flat=True))


class DeleteTests(TestCase):
    def test_it_hides_the_incident_from_everybody(self) -> None:
        reporter, admin = make_reporter(), make_admin()
        incident = make_incident(by=reporter)
        tallies.update_batch()

        delete(incident, by=admin)
        tallies.update_batch()

        for person in (reporter, admin, make_responder()):
            self.assertNotIn(incident, Incident.objects.visible_to(person))
        self.assertEqual(counted(), 0)
        self.assertEqual(kinds_of(incident), ["created", "deleted"])
        self.assertEqual(incident.events.get(seq=2).visibility, "internal")
        self.assertIsNone(history.verify(incident))

    def test_it_stops_the_clocks(self) -> None:
        incident = make_incident(at=MONDAY)

        delete(incident, by=None)

        self.assertNotIn(incident, Incident.objects.breach_due(MONDAY + minutes(10**6)))

    def test_it_refuses_a_stale_version(self) -> None:
        with self.assertRaises(StaleVersion):
            delete(make_incident(), by=None, expected_versions={7})

    def test_it_finds_nothing_the_second_time(self) -> None:
        incident = make_incident()
        delete(incident, by=None)

        with self.assertRaises(NotFound):
            delete(incident, by=None)


class PermissionTests(TestCase):
    def test_it_is_for_administrators(self) -> None:
        kept, deleted = make_incident(), make_incident()
        delete(deleted, by=make_admin())
        people: list[User] = [make_reporter(), make_responder()]
        for by in people:
            for remove, incident in ((delete, kept), (restore, deleted), (purge, deleted)):
                with self.subTest(by=by, remove=remove), self.assertRaises(PermissionRefused):
                    remove(incident, by=by)


class RestoreTests(TestCase):
    def test_it_brings_the_incident_back_as_it_was(self) -> None:
        make_policy(severity=Severity.MEDIUM, ack_minutes=60, resolve_minutes=240)
        incident = make_incident(at=MONDAY)
        delete(incident, by=None)
        tallies.update_batch()

        restored = restore(incident, by=make_admin())
        tallies.update_batch()

        self.assertEqual((restored.deleted_at, restored.next_breach_at), (None, MONDAY + minutes(60)))
        self.assertIn(incident, Incident.objects.visible_to(make_responder()))
        self.assertEqual(kinds_of(incident), ["created", "deleted", "restored"])
        self.assertEqual(counted(), 1)

    def test_it_refuses_what_is_there_and_finds_no_more_what_was_purged(self) -> None:
        incident = make_incident()
        with self.assertRaises(Conflict):
            restore(incident, by=None)
        delete(incident, by=None)
        purge(Incident.objects.get(pk=incident.pk), by=None)

        for act in (restore, purge):
            with self.subTest(act=act), self.assertRaises(NotFound):
                act(incident, by=None)


class PurgeTests(TestCase):
    def test_it_refuses_what_was_not_deleted(self) -> None:
        with self.assertRaises(Conflict):
            purge(make_incident(), by=None)

    def test_it_erases_the_incident_with_all_that_belongs_to_it(self) -> None:
        incident = report(by=make_reporter(), title="Zanzibar", services=[make_service()])
        comment(incident, "Gone soon", by=None)
        link(incident, make_incident(), LinkKind.RELATED_TO, by=None)
        Attachment.objects.create(
            incident=incident, name="a.png", media_type="image/png", size=1, sha256="0" * 64, original_key="a/b"
        )
        delete(incident, by=None)

        purge(incident, by=None)

        self.assertFalse(Incident.objects.filter(pk=incident.pk).exists())
        self.assertFalse(Attachment.objects.exists())
        self.assertEqual(Incident.objects.count(), 1)
        with connection.cursor() as cursor:
            cursor.execute("SELECT COUNT(*) FROM incidents_search")
            self.assertEqual(cursor.fetchone(), (1,))

    def test_it_discards_the_files_once_the_rows_are_gone(self) -> None:
        incident = make_incident()
        Attachment.objects.create(
            incident=incident,
            name="a.png",
            media_type="image/png",
            size=1,
            sha256="0" * 64,
            original_key="a/original",
            served_key="a/served",
        )
        delete(incident, by=None)

        with mock.patch("incidents.attachments.discard") as discard:
            with self.captureOnCommitCallbacks() as callbacks:
                purge(incident, by=None)
            discard.assert_not_called()
            for callback in callbacks:
                callback()

        discard.assert_called_once_with(["a/original", "a/served"])

    def test_it_takes_the_incident_out_of_the_counts(self) -> None:
        """Deleted and purged before the job that keeps the counts came by."""
        incident = make_incident()
        make_incident()
        tallies.update_batch()

        delete(incident, by=None)
        purge(incident, by=None)
        tallies.update_batch()

        self.assertEqual(counted(), 1)
        self.assertEqual(+tallies.current(), tallies.current())

    def test_it_leaves_the_audit_log(self) -> None:
        incident, admin = make_incident(), make_admin()
        delete(incident, by=admin)

        purge(incident, by=admin)

        entry = LogEntry.objects.filter(object_id=incident.pk, action=LogEntry.Action.DELETE).get()
        self.assertEqual(entry.actor, admin)

    def test_it_is_found_by_no_search(self) -> None:
        incident = make_incident(title="Zanzibar")
        delete(incident, by=None)
        purge(incident, by=None)

        self.assertFalse(search.filter_matching(Incident.objects.all(), "zanzibar", reads_internal=True).exists())
