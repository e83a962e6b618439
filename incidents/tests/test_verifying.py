"""Stored files that are no longer what was put there are found, and not served."""

import io
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import TestCase, override_settings

from core.errors import StorageUnavailable
from incidents import jobs
from incidents.attachments import storing
from incidents.models import Attachment
from incidents.services import attaching
from incidents.tests.factories import make_incident
from incidents.tests.files import ABSENT, PDF, OwnStore, body_of, picture, upload
from users.tests.factories import client_of, make_admin


def attach_both() -> tuple[Attachment, Attachment]:
    """A picture with its copy and thumbnail, and a PDF that is served itself."""
    incident = make_incident()
    files = attaching.inspect([upload(picture("PNG"), "photo.png"), upload(PDF, "plan.pdf")])
    photo, plan = attaching.attach(incident, files, by=incident.reporter)
    assert photo.thumbnail_due_at is not None
    jobs.make_thumbnails(photo.thumbnail_due_at)
    photo.refresh_from_db()
    return photo, plan


def replace(key: str, content: bytes) -> None:
    default_storage.delete(key)
    default_storage.save(key, ContentFile(content))


def variants(photo: Attachment, plan: Attachment) -> dict[str, tuple[Attachment, str]]:
    return {
        "original": (photo, photo.original_key),
        "file": (photo, photo.served_key),
        "thumbnail": (photo, photo.thumbnail_key),
        "original of what is served itself": (plan, plan.original_key),
    }


class CheckFilesTests(OwnStore, TestCase):
    """What the check of all files tells."""

    def test_it_finds_nothing_where_nothing_was_touched(self) -> None:
        attach_both()

        self.assertEqual(list(storing.check_files(Attachment.objects.all())), [])

    def test_it_names_each_file_that_differs_or_is_missing(self) -> None:
        for fault in (storing.ALTERED, storing.MISSING):
            photo, plan = attach_both()
            for case, (attachment, key) in variants(photo, plan).items():
                with self.subTest(case, fault=fault), self.assertLogs("incidents.attachments.storing", "ERROR"):
                    with default_storage.open(key) as stored:
                        content = stored.read()
                    if fault == storing.ALTERED:
                        replace(key, content[:-1] + bytes([content[-1] ^ 1]))
                    else:
                        default_storage.delete(key)

                    found = list(storing.check_files([photo, plan]))

                    variant = case.split()[0]
                    self.assertEqual(
                        [(f.file.attachment, f.file.variant, f.fault) for f in found], [(attachment, variant, fault)]
                    )
                    self.assertEqual(
                        str(found[0]), f"the {variant} of attachment {attachment.pk} ({attachment.name}) is {fault}"
                    )
                    replace(key, content)

    def test_it_believes_no_digest_that_was_made_without_the_key(self) -> None:
        photo, _ = attach_both()
        content = picture("PNG", (10, 10))
        replace(photo.served_key, content)
        Attachment.objects.filter(pk=photo.pk).update(served_digest=storing.measure_file(io.BytesIO(content))[1])

        with self.assertLogs("incidents.attachments.storing", "ERROR"):
            found = list(storing.check_files(Attachment.objects.all()))

        self.assertEqual([(fault.file.variant, fault.fault) for fault in found], [("file", storing.ALTERED)])

    def test_it_does_not_take_an_outage_for_a_loss(self) -> None:
        attach_both()

        with (
            override_settings(STORAGES=ABSENT),
            self.assertLogs("incidents.attachments.storing", "ERROR"),
            self.assertRaises(StorageUnavailable),
        ):
            list(storing.check_files(Attachment.objects.all()))


class ServingTests(OwnStore, TestCase):
    """What a reader gets of such a file."""

    def answer(self, attachment: Attachment, variant: str) -> Any:
        return client_of(make_admin()).get(f"/api/v1/attachments/{attachment.pk}/{variant}/")

    def test_it_serves_no_byte_of_a_file_that_was_altered(self) -> None:
        photo, plan = attach_both()
        addresses = [(photo, "original"), (photo, "file"), (photo, "thumbnail"), (plan, "original"), (plan, "file")]
        for key in (photo.original_key, photo.served_key, photo.thumbnail_key, plan.original_key):
            replace(key, picture("PNG", (9, 9)))

        for attachment, variant in addresses:
            with self.subTest(attachment.name, variant=variant):
                with self.assertLogs("incidents.attachments.storing", "ERROR") as logs:
                    response = self.answer(attachment, variant)

                self.assertEqual((response.status_code, response.json()["code"]), (500, "file_altered"))
                self.assertIn("file_altered", logs.output[0])

    def test_it_lets_no_proxy_serve_it_either(self) -> None:
        photo, _ = attach_both()
        replace(photo.served_key, b"something else")

        with override_settings(X_ACCEL_PREFIX="/protected/"), self.assertLogs("incidents.attachments.storing", "ERROR"):
            self.assertEqual(self.answer(photo, "file").status_code, 500)

    def test_it_serves_a_copy_that_was_made_before_there_were_digests_of_copies(self) -> None:
        photo, _ = attach_both()
        Attachment.objects.filter(pk=photo.pk).update(served_digest="", thumbnail_digest="")

        for variant in ("file", "thumbnail"):
            with self.subTest(variant):
                self.assertEqual(self.answer(photo, variant).status_code, 200)

    def test_it_sends_all_of_a_large_file_it_has_read_before(self) -> None:
        content = b"a line of a log\n" * 300_000
        incident = make_incident()
        (log,) = attaching.attach(incident, attaching.inspect([upload(content, "app.log")]), by=incident.reporter)

        self.assertEqual(body_of(self.answer(log, "original")), content)

    def test_it_makes_no_thumbnail_of_a_file_that_was_altered(self) -> None:
        photo, _ = attach_both()
        Attachment.objects.filter(pk=photo.pk).update(thumbnail_due_at=photo.created_at, thumbnail_key="")
        replace(photo.served_key, picture("PNG", (9, 9)))

        with self.assertLogs("incidents.attachments.storing", "ERROR"):
            jobs.make_thumbnails(photo.created_at)

        photo.refresh_from_db()
        self.assertEqual(photo.thumbnail_key, "")
