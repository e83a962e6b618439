"""Files are stored before the transaction that names them, and outlive it only if it does."""

from typing import Any
from unittest import mock

from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, InterfaceError, OperationalError, connection
from django.test import TransactionTestCase, override_settings

from core.db.transactions import CommitUnknown, DatabaseBusy
from core.errors import NotFound, StorageUnavailable
from incidents import jobs, services
from incidents.attachments import storing
from incidents.models import Attachment, Incident
from incidents.services import attaching
from incidents.tests.factories import make_incident, report
from incidents.tests.files import FULL, OwnStore, stored_files, upload
from users.tests.factories import client_of, make_admin, make_reporter

LOST = OperationalError(2013, "Lost connection to MySQL server during query")
UNKNOWN = CommitUnknown("nobody could be asked")
CERTAIN = (
    LOST,
    InterfaceError(0, ""),
    OperationalError(1114, "The table is full"),
    OperationalError("database or disk is full"),
    OperationalError(1205, "Lock wait timeout exceeded"),
    IntegrityError(1062, "Duplicate entry"),
    DatabaseBusy(),
    LookupError(),
)


def log_file(name: str = "app.log") -> SimpleUploadedFile:
    return upload(b"line", name)


def checked() -> Any:
    return attaching.inspect([log_file()])


class OutsideTests(OwnStore, TransactionTestCase):
    """No lock is held while a store takes its time."""

    def setUp(self) -> None:
        super().setUp()
        self.inside: list[bool] = []
        real = storing.write_file

        def write(*args: Any) -> str:
            self.inside.append(connection.in_atomic_block)
            return real(*args)

        self.enterContext(mock.patch.object(storing, "write_file", write))

    def test_it_stores_before_the_transaction(self) -> None:
        incident = make_incident()
        client = client_of(make_admin())
        address = f"/api/v1/incidents/{incident.pk}/attachments/"

        attaching.attach(incident, checked(), by=None)
        report(files=checked(), by=make_reporter(), title="With a file")
        for headers in ({}, {"HTTP_IDEMPOTENCY_KEY": "one"}):
            added = client.post(address, {"attachments": log_file()}, format="multipart", **headers)
            form = {"title": "With a file", "attachments": log_file()}
            opened = client.post("/api/v1/incidents/", form, format="multipart", **headers)
            self.assertEqual((added.status_code, opened.status_code), (201, 201))

        self.assertEqual(self.inside, [False] * 6)
        self.assertEqual((Attachment.objects.count(), len(stored_files(default_storage))), (6, 6))

    def test_it_stores_no_more_than_once_where_the_database_asks_to_try_again(self) -> None:
        incident, tries = make_incident(), []
        real = attaching.add_files

        def deadlocks_once(*args: Any) -> Any:
            tries.append(1)
            result = real(*args)
            if len(tries) == 1:
                raise OperationalError(1213, "Deadlock found when trying to get lock")
            return result

        with mock.patch.object(attaching, "add_files", deadlocks_once):
            (attachment,) = attaching.attach(incident, checked(), by=None)

        self.assertEqual((len(tries), self.inside), (2, [False]))
        self.assertEqual(stored_files(default_storage), storing.keys_of(attachment))


class OutcomeTests(OwnStore, TransactionTestCase):
    """What becomes of the files when the transaction fails."""

    def attach_and_fail(self, error: Exception, *, is_committed: bool) -> None:
        """Attach a file; the answer that it was committed, or was not, is lost."""
        incident = make_incident()
        real = attaching._attach

        def failing(*args: Any) -> Any:
            if is_committed:
                real(*args)
                args[1].written.is_committed = False  # nobody heard of it
            raise error

        with mock.patch.object(attaching, "_attach", failing), self.assertRaises(type(error)):
            attaching.attach(incident, checked(), by=None)

    def test_it_keeps_files_whose_row_is_there_whatever_was_heard(self) -> None:
        for error in (UNKNOWN, *CERTAIN):
            with self.subTest(repr(error)):
                self.attach_and_fail(error, is_committed=True)

                attachment = Attachment.objects.latest("pk")
                self.assertIn(attachment.original_key, stored_files(default_storage))

    def test_it_leaves_files_to_the_sweep_while_their_row_may_still_come(self) -> None:
        with self.assertLogs("incidents.attachments.storing", "WARNING"):
            self.attach_and_fail(UNKNOWN, is_committed=False)

        self.assertEqual(len(stored_files(default_storage)), 1)

    def test_it_deletes_files_whose_transaction_certainly_failed(self) -> None:
        for error in CERTAIN:
            with self.subTest(repr(error)):
                self.attach_and_fail(error, is_committed=False)

                self.assertEqual(stored_files(default_storage), [])

    def test_it_leaves_files_where_the_database_cannot_be_asked(self) -> None:
        with (
            mock.patch.object(storing.WrittenFiles, "_referenced_keys", side_effect=LOST),
            self.assertLogs("incidents.attachments.storing", "WARNING"),
        ):
            self.attach_and_fail(LookupError(), is_committed=False)

        self.assertEqual(len(stored_files(default_storage)), 1)

    def test_it_keeps_nothing_of_refused_uploads(self) -> None:
        incident = make_incident()
        services.delete(incident, by=make_admin())

        with self.assertRaises(NotFound):
            attaching.attach(incident, checked(), by=None)
        for _ in range(3):
            with (
                override_settings(STORAGES=FULL),
                self.assertLogs("incidents.attachments.storing", "ERROR"),
                self.assertRaises(StorageUnavailable),
            ):
                attaching.attach(incident, attaching.inspect([log_file(f"{n}.log") for n in range(5)]), by=None)

            self.assertEqual(stored_files(default_storage), [])


class KeyedRequestTests(OwnStore, TransactionTestCase):
    """Writes with an Idempotency-Key, whose files are stored before their transaction."""

    def setUp(self) -> None:
        super().setUp()
        self.reporter = make_reporter()
        self.incident = make_incident(by=self.reporter)
        self.client_ = client_of(self.reporter)

    def send(self, key: str = "one", **fields: Any) -> Any:
        form = {"title": "With a file", "attachments": log_file(), **fields}
        return self.client_.post("/api/v1/incidents/", form, format="multipart", HTTP_IDEMPOTENCY_KEY=key)

    def test_it_leaves_nothing_of_a_write_that_is_refused_or_fails(self) -> None:
        before = Incident.objects.count()
        self.assertEqual(self.send("refused", severity="dreadful").status_code, 400)
        with mock.patch.object(attaching, "add_files", side_effect=LookupError), self.assertRaises(LookupError):
            self.send("fails")
        with mock.patch.object(attaching, "add_files", side_effect=NotFound("It is gone.")):
            self.assertEqual(self.send("gone").status_code, 404)

        self.assertEqual((Incident.objects.count(), stored_files(default_storage)), (before, []))

    def test_it_keeps_the_files_of_a_commit_in_doubt(self) -> None:
        with (
            mock.patch("core.api.idempotency.IdempotentRequest.save", side_effect=UNKNOWN),
            self.assertLogs("incidents.attachments.storing", "WARNING"),
        ):
            try:
                status = self.send().status_code
            except OperationalError:
                status = 503

        self.assertEqual((status, len(stored_files(default_storage))), (503, 1))

    def test_it_stores_the_files_of_a_repeat_once(self) -> None:
        answers = [self.send().status_code for _ in range(3)]

        self.assertEqual(answers, [201] * 3)
        self.assertEqual(len(stored_files(default_storage)), 1)

    def test_it_does_not_store_what_somebody_may_not_attach(self) -> None:
        with mock.patch.object(storing, "write_file") as write:
            response = client_of(make_reporter()).post(
                f"/api/v1/incidents/{self.incident.pk}/attachments/",
                {"attachments": log_file()},
                format="multipart",
                HTTP_IDEMPOTENCY_KEY="one",
            )

        self.assertEqual(response.status_code, 404)
        write.assert_not_called()
        self.assertEqual(jobs.sweep_files(self.incident.created_at), 0)
