"""`manage.py import_incidents`."""

import csv
import datetime as dt
from io import StringIO
from pathlib import Path
from typing import Any
from unittest.mock import patch

from django.core import mail
from django.core.management import CommandError, call_command
from django.test import TestCase, TransactionTestCase

from incidents import search
from incidents.management.commands import import_incidents
from incidents.models import Category, Incident, IncidentEvent, SlaPolicy
from incidents.services import feed, importing, tallies, verify
from incidents.snapshot import ENCODERS, encode_field, replay_changes
from incidents.tests.factories import make_category, make_team
from incidents.tests.import_logs import MAPPING, MAPPING_TEXT, LogFiles, at, line
from responders.models import Team

LIFE = (
    line(priority="Mild", group="Group 70", kind="Disk", where="Bern"),
    line(state="Active", updated="1/2/2016 09:00", mods="1", by="Ada", group="Group 9", kind="Disk", where="Bern"),
    line(number="A2", state="Waiting", updated="1/2/2016 10:00", summary="Net slow"),
    line(state="Resolved", updated="1/2/2016 11:00", mods="2", priority="Bad", kind="Net", resolved="1/2/2016 10:30"),
)


class ImportIncidentsTests(LogFiles, TestCase):
    """The command on small logs."""

    def run_import(self, file: Path, **options: Any) -> str:
        out = StringIO()
        call_command("import_incidents", file, **self.options(**options), stdout=out, stderr=StringIO())
        return out.getvalue()

    def test_it_imports_incidents_with_their_original_times(self) -> None:
        said = self.run_import(self.write(*LIFE))

        incident = Incident.objects.get(external_id="A1")
        self.assertIn("Imported 2 incidents with 12 events", said)
        self.assertEqual(
            (incident.title, incident.origin_system, incident.status), ("Disk full", "tracker", "resolved")
        )
        self.assertEqual(
            (incident.created_at, incident.acknowledged_at, incident.resolved_at), (at(8), at(9), at(10, 30))
        )
        self.assertEqual((incident.ack_seconds, incident.resolve_seconds), (3600, 9000))
        self.assertEqual(incident.updated_at, at(11))
        self.assertEqual(incident.category, Category.objects.get(slug="net"))
        events = incident.events.all()
        self.assertEqual({event.origin for event in events}, {"import"})
        self.assertTrue(all(event.received_at > at(12) + dt.timedelta(days=365) for event in events))
        self.assertIn("Ada", [event.actor_name for event in events])

    def test_it_seals_a_timeline_that_folds_into_the_columns(self) -> None:
        self.run_import(self.write(*LIFE))

        for incident in Incident.objects.all():
            state = replay_changes(event.data["changes"] for event in incident.events.all())
            self.assertIsNone(verify(incident))
            self.assertEqual(
                {name: state[name] for name in ENCODERS}, {n: encode_field(n, getattr(incident, n)) for n in ENCODERS}
            )

    def test_it_marks_no_breach_and_tells_nobody(self) -> None:
        SlaPolicy.objects.update(ack_minutes=1, resolve_minutes=1)

        self.run_import(self.write(*LIFE))

        self.assertFalse(Incident.objects.exclude(next_breach_at=None, ack_breached=False, resolve_breached=False))
        self.assertFalse(Incident.objects.exclude(ack_due_at=None, resolve_due_at=None, sla={}))
        self.assertFalse(IncidentEvent.objects.exclude(feed_seq=0))
        self.assertEqual(feed.assign_places(), 0)
        self.assertEqual(mail.outbox, [])

    def test_it_leaves_the_counts_to_the_tallies(self) -> None:
        self.run_import(self.write(*LIFE))

        self.assertEqual(tallies.update_batch(), 2)

    def test_it_adds_nothing_the_second_time(self) -> None:
        file = self.write(*LIFE)
        self.run_import(file)

        said = self.run_import(file)

        self.assertIn("Imported 0 incidents", said)
        self.assertIn("Skipped as already present: 2 incidents", said)
        self.assertEqual((Incident.objects.count(), IncidentEvent.objects.count()), (2, 12))

    def test_it_leaves_an_incident_alone_whose_log_has_grown_and_says_so(self) -> None:
        self.run_import(self.write(*LIFE[:3]))

        said = self.run_import(self.write(*LIFE))

        self.assertIn("Of those, 1 have fewer events", said)
        self.assertEqual(Incident.objects.get(external_id="A1").status, "in_progress")

    def test_it_goes_on_where_it_was_interrupted(self) -> None:
        file = self.write(*LIFE)
        real = importing.import_batch
        calls: list[Any] = []

        def interrupted(*args: Any, **kwargs: Any) -> Any:
            calls.append(args)
            if len(calls) == 2:
                raise KeyboardInterrupt
            return real(*args, **kwargs)

        with (
            patch.object(import_incidents, "BATCH", 1),
            patch.object(import_incidents, "import_batch", interrupted),
            self.assertRaisesMessage(CommandError, "Imported incidents remain"),
        ):
            self.run_import(file)
        left = Incident.objects.count()
        self.run_import(file)

        self.assertEqual((left, Incident.objects.count()), (1, 2))

    def test_it_writes_nothing_on_a_dry_run_and_says_the_same(self) -> None:
        file = self.write(*LIFE, line(number="A3", state="-100"))
        reports = [self.folder / "dry.csv", self.folder / "wet.csv"]

        dry = self.run_import(file, dry_run=True, report=reports[0])
        counts = (
            Incident.objects.count(),
            IncidentEvent.objects.count(),
            Team.objects.count(),
            Category.objects.count(),
        )
        wet = self.run_import(file, report=reports[1])

        self.assertEqual(counts, (0, 0, 0, 0))
        self.assertEqual(dry.replace("Would import", "Imported"), wet)
        self.assertEqual(reports[0].read_text(), reports[1].read_text())

    def test_it_reports_each_refused_row_and_why(self) -> None:
        report = self.folder / "refused.csv"
        wrong = [line(number="=1+1", state="-100"), line(number="A9", updated="31/2/2016 01:00"), "x,y", LIFE[0]]

        said = self.run_import(self.write(*LIFE, *wrong), report=report)

        with report.open(newline="") as stream:
            rows = list(csv.reader(stream))
        self.assertEqual(rows[0], ["line", "incident", "reason"])
        self.assertEqual(sorted(int(row[0]) for row in rows[1:]), [6, 7, 8, 9])
        self.assertIn(["6", "'=1+1", "state: '-100' is not among the mapping's states"], rows)
        self.assertIn(["9", "A1", "repeats line 2"], rows)
        self.assertIn("Rejected rows: 4.", said)

    def test_it_finds_teams_and_categories_that_are_there(self) -> None:
        team, category = make_team("Group 9"), make_category("disk")
        mapping = MAPPING_TEXT.replace("create = true", "create = false")

        self.run_import(
            self.write(line(group="Group 9", kind="Disk"), line(number="A2", group="Group 70")),
            mapping=str(self.write_bytes(mapping.encode(), name="strict.toml")),
            report=self.folder / "refused.csv",
        )

        incident = Incident.objects.get()
        self.assertEqual((incident.team, incident.category), (team, category))
        self.assertIn("there is no team 'Group 70'", (self.folder / "refused.csv").read_text())

    def test_it_gives_each_new_category_a_slug_of_its_own(self) -> None:
        make_category("disk-1")

        self.run_import(self.write(line(kind="Disk 1"), line(number="A2", kind="磁盘")))

        self.assertEqual(Category.objects.values("slug").distinct().count(), 3)

    def test_it_explains_what_it_cannot_start_with(self) -> None:
        file = self.write(*LIFE)
        cases = {
            "is empty": (self.write_bytes(b"", name="empty.csv"), {}),
            "cannot be read": (self.folder / "absent.csv", {}),
            "There is no mapping": (file, {"mapping": "nothing"}),
            "report": (file, {"report": self.folder / "no" / "such" / "folder.csv"}),
        }
        for message, (path, options) in cases.items():
            with self.subTest(message), self.assertRaisesMessage(CommandError, message):
                self.run_import(path, **options)
        self.assertFalse(Incident.objects.exists())


class CommittedImportTests(LogFiles, TransactionTestCase):
    """What shows only in committed rows: full text on MySQL, and two imports of one log at once."""

    def test_it_makes_imported_incidents_findable(self) -> None:
        call_command("import_incidents", self.write(*LIFE), **self.options(), stdout=StringIO(), stderr=StringIO())

        found = search.filter_matching(Incident.objects.all(), "slow", reads_internal=False)

        self.assertEqual([incident.external_id for incident in found], ["A2"])

    def test_it_joins_another_import_that_was_faster(self) -> None:
        out = StringIO()
        real = importing._sift
        raced: list[bool] = []

        def late(*args: Any) -> Any:
            found = real(*args)
            if not raced:
                raced.append(True)
                # The other import commits between our look and our insert; here the same key, put in by hand.
                Incident.objects.create(
                    title="x",
                    occurred_at=at(8),
                    clock_started_at=at(8),
                    external_key=importing.external_key(MAPPING.origin_system, "A2"),
                )
                raise importing.IntegrityError
            return found

        with patch.object(importing, "_sift", late):
            call_command("import_incidents", self.write(*LIFE), **self.options(), stdout=out, stderr=StringIO())

        self.assertEqual(len(raced), 1)
        self.assertIn("Imported 2 incidents", out.getvalue())
        self.assertEqual(Incident.objects.count(), 2)
