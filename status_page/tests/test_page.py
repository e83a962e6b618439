import io

from auditlog.models import LogEntry
from django.test import TestCase
from PIL import Image

from core.errors import Conflict, DomainError, PermissionRefused, UnsupportedMedia
from core.server.jobs import register_waker, remove_waker
from status_page.services import page
from status_page.tests.factories import make_page, make_picture
from users.tests.factories import make_admin, make_responder


class PageTests(TestCase):
    def test_it_makes_the_page_when_it_is_first_needed(self):
        self.assertEqual(page.the_page().languages, ["en"])
        self.assertEqual(page.the_page(), page.the_page())

    def test_it_counts_a_change_and_wakes_the_job_after_the_commit(self):
        woken, before = [], page.the_page().revision
        register_waker(woken.append)
        self.addCleanup(remove_waker, woken.append)

        with self.captureOnCommitCallbacks(execute=True):
            changed = make_page(name="Acme", translations={"de": {"about": "Hallo", "name": " "}})

        self.assertEqual((changed.name, changed.translations), ("Acme", {"de": {"about": "Hallo"}}))
        self.assertEqual(changed.revision, before + 1)
        self.assertIn("write_status_page", set().union(*woken))

    def test_it_refuses_wrong_values(self):
        admin = make_admin()
        for wrong in (
            {"languages": []},
            {"languages": ["en", "en"]},
            {"languages": ["xx"]},
            {"languages": "en"},
            {"time_zone": "Mars"},
            {"name": ""},
            {"name": "x" * 101},
            {"support_url": "javascript:alert(1)"},
            {"translations": {"de": {"name": "x"}}},
            {"access_digest": "x"},
        ):
            with self.subTest(wrong), self.assertRaises(DomainError):
                page.edit_page(by=admin, changes=wrong)

    def test_it_is_for_administrators(self):
        for change in (lambda by: page.edit_page(by=by, changes={}), lambda by: page.new_access_key(by=by)):
            with self.assertRaises(PermissionRefused):
                change(make_responder())

    def test_it_becomes_private_only_with_a_key(self):
        admin = make_admin()
        with self.assertRaises(Conflict):
            page.edit_page(by=admin, changes={"is_private": True})

        key = page.new_access_key(by=admin)
        private = page.edit_page(by=admin, changes={"is_private": True})

        self.assertEqual(private.access_digest, page.digest_of(key))
        self.assertFalse(any(private.access_digest in str(entry.changes) for entry in LogEntry.objects.all()))


class LogoTests(TestCase):
    def test_it_keeps_a_small_png(self):
        for kind in ("PNG", "JPEG", "WEBP"):
            with self.subTest(kind):
                kept = page.set_logo(by=make_admin(), data=make_picture(kind=kind))

                with Image.open(io.BytesIO(kept.logo)) as picture:
                    self.assertEqual((picture.format, picture.size), ("PNG", (480, 160)))
                self.assertLessEqual(len(kept.logo), page.LOGO_BYTES)

    def test_it_refuses_what_is_no_picture(self):
        for wrong in (b"<svg></svg>", b"%PDF-1.7"):
            with self.subTest(wrong), self.assertRaises(UnsupportedMedia):
                page.set_logo(by=make_admin(), data=wrong)
        with self.assertRaises(DomainError):
            page.set_logo(by=make_admin(), data=make_picture()[:90])

    def test_it_removes_it(self):
        page.set_logo(by=make_admin(), data=make_picture())

        self.assertEqual(bytes(page.set_logo(by=make_admin(), data=None).logo), b"")
