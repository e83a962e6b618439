import datetime as dt
import shutil
import tempfile
import threading
from pathlib import Path
from unittest import mock

import orjson
from django.core.management import CommandError, call_command
from django.test import TestCase, override_settings
from django.utils import timezone

from core.errors import Busy, StorageUnavailable
from status_page.jobs import write_status_page
from status_page.models import StatusPage
from status_page.services import publishing, writing
from status_page.services.page import the_page
from status_page.tests.factories import make_component, make_page, make_public_incident
from status_page.vocabulary import State
from users.tests.factories import make_admin, make_responder


class Folder(TestCase):
    def setUp(self):
        self.root = Path(tempfile.mkdtemp(prefix="status-"))
        self.addCleanup(shutil.rmtree, self.root, ignore_errors=True)
        settings = override_settings(STATUS_ROOT=self.root / "page")
        settings.enable()
        self.addCleanup(settings.disable)
        self.root = self.root / "page"
        self.now = timezone.now()

    def manifest(self):
        return orjson.loads((self.root / "manifest.json").read_bytes())

    def names(self):
        return {str(path.relative_to(self.root)) for path in self.root.rglob("*") if path.is_file()}


class WritingTests(Folder):
    def test_it_writes_the_page_from_the_first_run_on(self):
        self.assertGreater(write_status_page(self.now), 10)

        self.assertIn(b"All systems operational", (self.root / "index.html").read_bytes())
        self.assertEqual(StatusPage.objects.get().written_revision, self.manifest()["revision"])

    def test_it_does_nothing_while_nothing_changes(self):
        writing.write_page(self.now)

        self.assertEqual(writing.write_page(self.now + dt.timedelta(seconds=20)), 0)

    def test_it_writes_each_minute_that_it_is_up_to_date(self):
        writing.write_page(self.now)
        before = {name: (self.root / name).stat().st_mtime_ns for name in self.names()}

        count = writing.write_page(self.now + dt.timedelta(seconds=60))

        touched = {name for name in before if (self.root / name).stat().st_mtime_ns != before[name]}
        self.assertEqual(touched, {"index.html", "en/index.html", "status.json", "manifest.json"})
        self.assertEqual(count, 4)

    def test_it_shows_a_change_at_once(self):
        make_page()
        writing.write_page(self.now)
        incident = make_public_incident()

        writing.write_page(self.now)

        self.assertIn(b"Checkout fails", (self.root / "de/index.html").read_bytes())
        self.assertIn(f"de/incidents/{incident.uid}.html", self.names())

    def test_it_removes_what_belongs_no_more(self):
        make_page()
        incident = make_public_incident()
        writing.write_page(self.now)
        (self.root / "robots.txt").write_text("ours")
        publishing.withdraw(incident, by=make_admin())
        make_page(languages=["en"])

        writing.write_page(self.now)

        self.assertEqual(self.names() - {".lock"} - {"robots.txt"}, set(self.manifest()["files"]) | {"manifest.json"})
        self.assertFalse((self.root / "de").exists())
        self.assertFalse((self.root / "incidents").exists())
        self.assertTrue((self.root / "robots.txt").exists())

    def test_it_removes_old_announcements_although_the_manifest_is_lost(self):
        incident = make_public_incident()
        writing.write_page(self.now)
        (self.root / "manifest.json").write_text("{")
        publishing.withdraw(incident, by=make_admin())

        writing.write_page(self.now)

        self.assertFalse((self.root / f"incidents/{incident.uid}.html").exists())

    def test_it_mends_what_somebody_removed(self):
        writing.write_page(self.now)
        (self.root / "index.html").unlink()

        writing.write_page(self.now + dt.timedelta(minutes=1))

        self.assertTrue((self.root / "index.html").exists())

    def test_it_leaves_no_half_file(self):
        writing.write_page(self.now)
        before = (self.root / "index.html").read_bytes()
        make_public_incident()

        full = mock.patch.object(Path, "replace", side_effect=OSError(28, "No space left on device"))
        with full, self.assertRaisesRegex(StorageUnavailable, "No space left"):
            writing.write_page(self.now)

        self.assertEqual((self.root / "index.html").read_bytes(), before)
        self.assertEqual(self.manifest()["revision"], 1)

    def test_it_writes_no_link_that_somebody_put_there(self):
        writing.write_page(self.now)
        elsewhere = self.root.parent / "elsewhere"
        elsewhere.write_bytes((self.root / "index.html").read_bytes())
        (self.root / "index.html").unlink()
        (self.root / "index.html").symlink_to(elsewhere)

        writing.write_page(self.now, is_forced=True)

        self.assertFalse((self.root / "index.html").is_symlink())

    def test_it_says_where_it_cannot_write(self):
        self.root.write_text("a file is in the way")

        with self.assertRaises(StorageUnavailable):
            write_status_page(self.now)
        with self.assertRaises(CommandError):
            call_command("write_status_page")

    def test_it_reads_the_page_only_when_it_is_its_turn(self):
        make_page()
        writing.write_page(self.now)
        impatient = mock.patch.object(writing, "LOCK_SECONDS", 0.05)
        with writing._alone(self.root), impatient, self.assertNumQueries(0), self.assertRaises(Busy):
            writing.write_page(self.now)

    def test_it_goes_back_with_the_database(self):
        make_public_incident()
        writing.write_page(self.now)
        StatusPage.objects.update(revision=1)

        writing.write_page(self.now)

        self.assertEqual(self.manifest()["revision"], 1)

    def test_it_never_puts_an_earlier_state_over_a_later_one(self):
        states = []

        def render(snapshot, now):
            states.append(snapshot.page.revision)
            return {"index.html": str(snapshot.page.revision).encode(), "manifest.json": b"{}"}

        with mock.patch.object(writing, "render", render):
            for _ in range(4):
                make_component(f"C{len(states)}")
                writing.write_page(self.now)

        self.assertEqual(states, sorted(states))
        self.assertEqual((self.root / "index.html").read_text(), str(the_page().revision))

    def test_it_follows_updates_to_the_end(self):
        incident = make_public_incident(components=[make_component()])
        publishing.add_update(incident, by=make_responder(), message="Works.", state=State.RESOLVED)

        writing.write_page(self.now)

        page = (self.root / "index.html").read_text()
        self.assertIn("All systems operational", page)
        self.assertIn("is-over", page)


class LockTests(Folder):
    def test_it_lets_one_write_after_the_other(self):
        self.root.mkdir()
        inside, seen = [], []

        def hold():
            with writing._alone(self.root):
                inside.append(1)
                seen.append(len(inside))
                inside.pop()

        threads = [threading.Thread(target=hold) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        self.assertEqual(seen, [1] * 8)


class KilledWriterTests(Folder):
    def test_it_removes_what_a_killed_writer_left_of_a_withdrawn_announcement(self):
        make_page()
        writing.write_page(self.now)
        row, admin = make_public_incident(), make_admin()
        with (
            mock.patch.object(writing, "remove_files", side_effect=KeyboardInterrupt),
            self.assertRaises(KeyboardInterrupt),
        ):
            writing.write_page(self.now)
        self.assertIn(f"incidents/{row.uid}.html", self.names())

        publishing.withdraw(row, by=admin)
        writing.write_page(self.now)

        self.assertFalse([name for name in self.names() if row.uid in name])
