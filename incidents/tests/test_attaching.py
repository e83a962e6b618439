"""Files join incidents and leave them: rows, events and storage hold together whatever fails."""

import datetime as dt
import io
from typing import Any
from unittest import mock

import time_machine
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.db import OperationalError, transaction
from django.test import TestCase, TransactionTestCase, override_settings
from django.utils import timezone

from core.db.transactions import CommitUnknown
from core.errors import DomainError, NotFound, PermissionRefused, StorageUnavailable
from incidents import jobs, services
from incidents.attachments import pictures, storing
from incidents.models import Attachment, EventKind, Incident
from incidents.services import attaching, thumbnails, verify
from incidents.tests.factories import make_incident, make_team, report
from incidents.tests.files import ABSENT, FULL, PDF, OwnStore, picture, stored_files, upload
from users.tests.factories import make_admin, make_reporter, make_responder

PDF_TYPE = "application/pdf"


def texts(count: int) -> list[Any]:
    return [upload(f"line {number}".encode(), f"{number}.log") for number in range(count)]


def attach_picture(incident: Incident, **options: Any) -> Attachment:
    files = attaching.inspect([upload(picture(**options), "photo.jpg")])
    (attachment,) = attaching.attach(incident, files, by=incident.reporter)
    return attachment


class AttachTests(OwnStore, TestCase):
    """Attaching."""

    def test_it_stores_files_rows_and_one_event_each(self) -> None:
        incident = make_incident()
        content = picture("PNG")
        files = attaching.inspect([upload(content, "screen.png"), upload(PDF, "report.pdf")])

        screen, report = attaching.attach(incident, files, by=incident.reporter)

        with default_storage.open(screen.original_key) as original:
            self.assertEqual(original.read(), content)
        self.assertEqual((screen.name, screen.size, screen.width, screen.height), ("screen.png", len(content), 60, 40))
        self.assertEqual((report.served_key, report.served_media_type, report.thumbnail_due_at), ("", PDF_TYPE, None))
        self.assertEqual(len(stored_files(default_storage)), 3)
        events = incident.events.filter(kind=EventKind.ATTACHMENT_ADDED).order_by("seq")
        facts = {"id": screen.pk, "name": "screen.png", "media_type": "image/png", "size": len(content)}
        self.assertEqual(events[0].data, {**facts, "sha256": screen.sha256})
        self.assertEqual([event.data["id"] for event in events], [screen.pk, report.pk])
        self.assertEqual(services.verify(incident), None)

    def test_it_moves_the_version_on_because_files_are_shown_with_the_incident(self) -> None:
        incident = make_incident()

        attaching.attach(incident, attaching.inspect(texts(2)), by=incident.reporter)

        self.assertEqual(Incident.objects.get(pk=incident.pk).version, incident.version + 1)

    def test_it_writes_nothing_for_no_files(self) -> None:
        incident = make_incident()

        attaching.attach(incident, [], by=incident.reporter)

        self.assertEqual(Incident.objects.get(pk=incident.pk).event_count, incident.event_count)

    def test_it_names_nothing_after_the_user_in_the_storage(self) -> None:
        attachment = attach_picture(make_incident())

        day = f"attachments/{timezone.now():%Y/%m/%d}"
        for key in storing.keys_of(attachment):
            self.assertRegex(key, rf"^{day}/[0-9a-f]{{32}}$")

    def test_it_leaves_an_uploads_temporary_file_for_a_second_try(self) -> None:
        incident = make_incident()
        file = TemporaryUploadedFile("big.log", "text/plain", 4, None)
        file.write(b"line")
        checked = attaching.inspect([file])

        first = attaching.attach(incident, checked, by=incident.reporter)
        second = attaching.attach(incident, checked, by=incident.reporter)

        self.assertEqual(first[0].sha256, second[0].sha256)
        with default_storage.open(second[0].original_key) as stored:
            self.assertEqual(stored.read(), b"line")

    def test_it_opens_an_incident_with_files(self) -> None:
        incident = report(files=attaching.inspect(texts(20)), by=make_reporter(), title="Disk full")

        stored = Incident.objects.get(pk=incident.pk)
        self.assertEqual(stored.attachments.count(), 20)
        self.assertEqual((stored.event_count, stored.version, incident.version), (21, 1, 1))
        self.assertIsNone(verify(stored))

    def test_it_judges_all_files_before_it_opens_anything(self) -> None:
        files = [*texts(4), upload(b"MZ\x90\0", "setup.exe")]

        with self.assertRaisesMessage(DomainError, "setup.exe"):
            report(files=attaching.inspect(files), by=make_reporter(), title="Disk full")

        self.assertEqual((Incident.objects.count(), stored_files(default_storage)), (0, []))

    def test_it_stores_nothing_when_the_report_is_refused(self) -> None:
        with self.assertRaises(PermissionRefused):
            report(files=attaching.inspect(texts(2)), by=make_reporter(), title="x", team=make_team())

        self.assertEqual(stored_files(default_storage), [])

    def test_it_attaches_nothing_to_a_deleted_incident(self) -> None:
        incident = make_incident()
        services.delete(incident, by=make_admin())

        with self.assertRaises(NotFound):
            attaching.attach(incident, attaching.inspect(texts(2)), by=None)

        self.assertEqual(stored_files(default_storage), [])

    def test_it_attaches_nothing_to_what_was_restricted_since_it_was_read(self) -> None:
        incident = make_incident(by=make_admin())
        Incident.objects.filter(pk=incident.pk).update(is_restricted=True)

        with self.assertRaises(NotFound):
            attaching.attach(incident, attaching.inspect(texts(1)), by=make_responder())

        self.assertEqual((incident.attachments.count(), stored_files(default_storage)), (0, []))


class OutageTests(TestCase):
    """A store that is full or away."""

    @override_settings(STORAGES=FULL)
    def test_it_stores_none_of_five_files_when_the_third_fails(self) -> None:
        incident = make_incident()

        with self.assertRaises(StorageUnavailable), self.assertLogs("incidents.attachments.storing", "ERROR"):
            attaching.attach(incident, attaching.inspect(texts(5)), by=incident.reporter)

        self.assertEqual(stored_files(default_storage), [])
        self.assertEqual(Attachment.objects.count(), 0)
        self.assertEqual(Incident.objects.get(pk=incident.pk).event_count, incident.event_count)

    @override_settings(STORAGES=FULL)
    def test_it_opens_no_incident_when_its_files_cannot_be_stored(self) -> None:
        with self.assertRaises(StorageUnavailable), self.assertLogs("incidents.attachments.storing", "ERROR"):
            report(files=attaching.inspect(texts(5)), by=make_reporter(), title="Disk full")

        self.assertEqual((Incident.objects.count(), stored_files(default_storage)), (0, []))

    @override_settings(STORAGES=ABSENT)
    def test_it_says_so_when_the_store_cannot_be_reached(self) -> None:
        incident = make_incident()

        with self.assertRaises(StorageUnavailable), self.assertLogs("incidents.attachments.storing", "ERROR"):
            attaching.attach(incident, attaching.inspect(texts(1)), by=incident.reporter)

    @override_settings(S3_BUCKET="evidence")
    def test_it_knows_the_errors_of_s3(self) -> None:
        try:
            from botocore.exceptions import ClientError, EndpointConnectionError
        except ImportError:
            self.skipTest("the extra s3 is not installed")
        refused = ClientError({"Error": {"Code": "503"}}, "PutObject")

        for error in (refused, EndpointConnectionError(endpoint_url="https://s3.example.com")):
            with (
                self.subTest(error),
                self.assertLogs("incidents.attachments.storing", "ERROR"),
                self.assertRaises(StorageUnavailable),
                storing.report_outages("write"),
            ):
                raise error

    def test_it_has_a_working_s3_configuration(self) -> None:
        try:
            from storages.backends.s3 import S3Storage
        except ImportError:
            self.skipTest("the extra s3 is not installed")
        options = {"bucket_name": "evidence", "default_acl": "private", "file_overwrite": False}

        storage = S3Storage(**options)

        self.assertEqual((storage.bucket_name, storage.querystring_auth), ("evidence", True))


class RollbackTests(OwnStore, TransactionTestCase):
    """The transaction around decides over rows and files alike."""

    def test_it_keeps_files_once_committed(self) -> None:
        attach_picture(make_incident())

        self.assertEqual(len(stored_files(default_storage)), 2)

    def test_it_removes_files_when_an_outer_transaction_fails_later(self) -> None:
        incident = make_incident()

        with self.assertRaises(LookupError), transaction.atomic():
            attach_picture(incident)
            raise LookupError

        self.assertEqual((Attachment.objects.count(), stored_files(default_storage)), (0, []))

    def test_it_removes_only_the_files_of_the_inner_transaction_that_failed(self) -> None:
        incident = make_incident()

        with transaction.atomic():
            kept = attach_picture(incident)
            with self.assertRaises(LookupError), transaction.atomic():
                attach_picture(incident)
                raise LookupError

        self.assertCountEqual(stored_files(default_storage), storing.keys_of(kept))

    def test_it_removes_files_before_a_second_try_writes_them_anew(self) -> None:
        incident, tries = make_incident(), []

        @attaching.unit_of_work
        def deadlocks_once() -> None:
            attach_picture(incident)
            tries.append(1)
            if len(tries) == 1:
                raise OperationalError(1213, "Deadlock found when trying to get lock")

        deadlocks_once()

        (attachment,) = Attachment.objects.all()
        self.assertCountEqual(stored_files(default_storage), storing.keys_of(attachment))

    def test_it_leaves_files_to_the_sweep_where_the_commit_is_in_doubt(self) -> None:
        incident = make_incident()

        with self.assertRaises(OperationalError), transaction.atomic():
            attach_picture(incident)
            raise CommitUnknown("nobody could be asked")

        self.assertEqual(len(stored_files(default_storage)), 2)


class RemovalTests(OwnStore, TestCase):
    """Taking files away."""

    def test_it_lets_those_remove_who_may(self) -> None:
        reporter, member, outsider, admin = make_reporter(), make_responder(), make_responder(), make_admin()
        team = make_team("Database", member)
        cases = {"reporter": reporter, "member": member, "admin": admin}
        for case, person in cases.items():
            with self.subTest(case):
                attachment = attach_picture(make_incident(by=reporter))
                services.assign_team(attachment.incident, team, by=admin)

                with self.captureOnCommitCallbacks(execute=True):
                    attaching.remove(attachment, by=person)

                self.assertEqual(stored_files(default_storage), [])
        attachment = attach_picture(make_incident(by=reporter))
        services.assign_team(attachment.incident, team, by=admin)
        for person in (outsider, make_reporter()):
            with self.subTest(person.name), self.assertRaises(PermissionRefused):
                attaching.remove(attachment, by=person)

    def test_it_keeps_a_reporters_files_once_the_incident_is_resolved(self) -> None:
        attachment = attach_picture(make_incident())
        services.resolve(attachment.incident, by=make_admin())

        with self.assertRaises(PermissionRefused):
            attaching.remove(attachment, by=attachment.uploaded_by)

        self.assertTrue(Attachment.objects.exists())

    def test_it_writes_the_removal_down_and_refuses_a_second_one(self) -> None:
        attachment = attach_picture(make_incident())
        number = attachment.pk

        attaching.remove(attachment, by=attachment.uploaded_by)

        event = attachment.incident.events.order_by("seq").last()
        assert event is not None
        self.assertEqual((event.kind, event.data["id"]), (EventKind.ATTACHMENT_REMOVED, number))
        attachment.pk = number
        with self.assertRaises(NotFound):
            attaching.remove(attachment, by=attachment.uploaded_by)

    def test_it_removes_all_files_of_a_purged_incident(self) -> None:
        admin, attachment = make_admin(), attach_picture(make_incident())
        services.delete(attachment.incident, by=admin)

        with self.captureOnCommitCallbacks(execute=True):
            services.purge(attachment.incident, by=admin)

        self.assertEqual(stored_files(default_storage), [])


class SweepTests(OwnStore, TestCase):
    """What crashes leave behind."""

    def test_it_deletes_old_files_that_no_row_names(self) -> None:
        now = timezone.now()
        with time_machine.travel(now - dt.timedelta(days=3), tick=False):
            kept = attach_picture(make_incident())
            litter = storing.write_file(io.BytesIO(b"x"), timezone.now(), [])
        recent = storing.write_file(io.BytesIO(b"x"), now - dt.timedelta(days=1), [])

        swept = jobs.sweep_files(now)

        self.assertEqual(swept, 1)
        self.assertNotIn(litter, stored_files(default_storage))
        self.assertCountEqual(stored_files(default_storage), [*storing.keys_of(kept), recent])

    def test_it_finds_nothing_in_an_empty_store(self) -> None:
        self.assertEqual(jobs.sweep_files(timezone.now()), 0)


class ThumbnailTests(OwnStore, TestCase):
    """The job that makes small pictures."""

    def test_it_makes_each_thumbnail_once(self) -> None:
        attachment = attach_picture(make_incident(), size=(1000, 500))
        now = timezone.now()

        done = [jobs.make_thumbnails(now), jobs.make_thumbnails(now)]

        attachment.refresh_from_db()
        self.assertEqual((done, attachment.thumbnail_due_at), ([1, 0], None))
        with default_storage.open(attachment.thumbnail_key) as small, pictures.Image.open(small) as image:
            self.assertEqual((image.format, image.size), ("WEBP", (320, 160)))

    def test_it_leaves_a_picture_to_the_process_that_claimed_it(self) -> None:
        attachment, now = attach_picture(make_incident()), timezone.now()
        rival = Attachment.objects.get(pk=attachment.pk)

        claims = [thumbnails._claim(attachment, now), thumbnails._claim(rival, now)]

        self.assertEqual(claims, [True, False])
        self.assertEqual(jobs.make_thumbnails(now), 0)
        self.assertEqual(jobs.make_thumbnails(now + thumbnails.lease.length), 1)

    def test_it_gives_up_after_three_attempts(self) -> None:
        attachment, now = attach_picture(make_incident()), timezone.now()
        default_storage.delete(attachment.served_key)
        default_storage.save(attachment.served_key, ContentFile(b"no picture"))

        with self.assertLogs("incidents.services.thumbnails", "WARNING"):
            done = [jobs.make_thumbnails(now + dt.timedelta(hours=hour)) for hour in range(5)]

        attachment.refresh_from_db()
        self.assertEqual(done, [1, 1, 1, 0, 0])
        self.assertEqual((attachment.thumbnail_attempts, attachment.thumbnail_due_at), (3, None))

    def test_it_gives_up_on_no_picture_for_a_database_that_is_away(self) -> None:
        for _ in range(2):
            attach_picture(make_incident())
        now, gone = timezone.now(), OperationalError(1290, "running with the --read-only option")

        with mock.patch.object(thumbnails, "_finish", side_effect=gone):
            for hour in range(5):
                self.assertRaises(OperationalError, jobs.make_thumbnails, now + dt.timedelta(hours=hour))
        left = set(Attachment.objects.values_list("thumbnail_attempts", flat=True))
        made = jobs.make_thumbnails(now + dt.timedelta(hours=6))

        self.assertEqual((left, made), ({1}, 2))
        self.assertEqual(Attachment.objects.exclude(thumbnail_key="").count(), 2)

    def test_it_gives_up_on_a_picture_that_ended_the_process_three_times(self) -> None:
        attachment, now = attach_picture(make_incident()), timezone.now()
        Attachment.objects.filter(pk=attachment.pk).update(thumbnail_attempts=3)

        with self.assertLogs("incidents.services.thumbnails", "WARNING"):
            jobs.make_thumbnails(now)

        attachment.refresh_from_db()
        self.assertEqual((attachment.thumbnail_key, attachment.thumbnail_due_at), ("", None))

    def test_it_waits_out_an_outage_without_counting_it(self) -> None:
        attachment, now = attach_picture(make_incident()), timezone.now()

        with override_settings(STORAGES=ABSENT), self.assertLogs("incidents.attachments.storing", "ERROR"):
            for hour in range(5):
                jobs.make_thumbnails(now + dt.timedelta(hours=hour))

        attachment.refresh_from_db()
        self.assertEqual(attachment.thumbnail_attempts, 0)
        self.assertIsNotNone(attachment.thumbnail_due_at)

    def test_it_stores_nothing_for_a_picture_that_was_removed_meanwhile(self) -> None:
        attachment, now = attach_picture(make_incident()), timezone.now()
        thumbnails._claim(attachment, now)
        Attachment.objects.filter(pk=attachment.pk).delete()

        thumbnails._make(attachment, now)

        self.assertNotIn("", stored_files(default_storage))
        self.assertCountEqual(stored_files(default_storage), [attachment.original_key, attachment.served_key])
