"""A database of an earlier checkout in the present tables."""

import io
import tempfile
from pathlib import Path
from unittest import mock

from auditlog.models import LogEntry
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import TransactionTestCase, override_settings
from django.utils import timezone

from alerts.models import Heartbeat
from core.server.checks import MigrationCheck
from core.server.condition import CARRY_OVER, Unhealthy
from incident_response.carry_over import copying
from incident_response.tests.earlier import FILE, HISTORY_KEY, PASSWORD, SOURCE_KEY, TOKEN, EarlierMysql, EarlierSqlite
from incidents.models import FeedCursor, Incident, IncidentEvent
from intake.models import IntakeEvent, Source
from responders.models import Team
from users.models import User

COUNTS = {"users_user": 2, "incidents_incident": 4, "incidents_incidentevent": 10, "auditlog_logentry": 3}


@override_settings(HISTORY_KEY=HISTORY_KEY)
class CarryOverTests(TransactionTestCase):
    def setUp(self) -> None:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        default_storage.save(FILE[0], ContentFile(FILE[1]))
        self.addCleanup(default_storage.delete, FILE[0])
        self.addCleanup(MigrationRecorder(connection).record_unapplied, *CARRY_OVER)
        self.earlier = EarlierSqlite(self.folder)
        self.addCleanup(self.earlier.drop)

    def on_the_same_kind_of_database(self) -> None:
        if connection.vendor == "mysql":
            self.earlier = EarlierMysql(self.folder)
            self.addCleanup(self.earlier.drop)

    def carry(self) -> str:
        out = io.StringIO()
        try:
            call_command("carry_over", source=self.earlier.url, stdout=out, stderr=out)
        finally:
            self.said = out.getvalue()
        return self.said

    def test_it_carries_every_row_and_goes_on_numbering(self):
        self.on_the_same_kind_of_database()
        self.earlier.next_incident(41)
        before = [self.earlier.run(f"SELECT * FROM {table}") for table in COUNTS]

        said = self.carry()

        for table, count in COUNTS.items():
            self.assertIn(f"{count:>12,}  {table}\n", said)
        self.assertIn("4 timelines verified, all intact.", said)
        self.assertTrue(said.endswith("Carried over and verified.\n"))
        self.assertNotIn(CARRY_OVER, MigrationRecorder(connection).applied_migrations())
        now = timezone.now()
        self.assertEqual(Incident.objects.create(occurred_at=now, clock_started_at=now).pk, 41)
        self.assertEqual([self.earlier.run(f"SELECT * FROM {table}") for table in COUNTS], before)

    @override_settings(PASSWORD_HASHERS=["users.hashing.BoundedPBKDF2PasswordHasher"])
    def test_it_lets_people_and_senders_in_as_before(self):
        self.carry()

        signed_in = self.client.post("/api/v1/auth/token/", {"email": "ada@example.com", "password": PASSWORD})
        listed = self.client.get("/api/v1/incidents/?q=größe", headers={"Authorization": f"Token {TOKEN}"})
        body = bytes(IntakeEvent.objects.get(pk=1).body)
        taken = self.client.post(f"/intake/{SOURCE_KEY}/", body, content_type="application/json")

        self.assertEqual(signed_in.status_code, 200)
        self.assertEqual([row["id"] for row in listed.json()["results"]], [1])
        self.assertLess(taken.status_code, 300)

    def test_it_finds_columns_under_their_earlier_names(self):
        self.carry()

        [pinged_at] = Heartbeat.objects.values_list("last_ping_at", flat=True)
        self.assertEqual(pinged_at.isoformat(), "2026-11-30T05:59:22.518961+00:00")

    def test_it_gives_what_is_new_the_values_that_migrations_gave(self):
        self.carry()

        self.assertEqual(set(Incident.objects.values_list("row_digest", "last_received_at")), {(None, None)})
        self.assertEqual(set(Team.objects.values_list("is_active", "is_default")), {(True, False)})
        self.assertEqual(Source.objects.values_list("allow_other_endpoints", "status_map").last(), (False, {}))
        self.assertTrue(User.objects.filter(email="b\u00f3b@example.com").exists())
        subjects = [entry.content_type.model_class() for entry in LogEntry.objects.order_by("id")]
        self.assertEqual(subjects, [User, Incident, Source])

    def test_it_carries_bodies_longer_than_a_statement_may_be(self):
        body = bytes(range(256)) * 40_000
        self.earlier.run("UPDATE alerts_intakeevent SET body = ? WHERE id = 2", [body])

        self.carry()

        self.assertEqual(bytes(IntakeEvent.objects.get(pk=2).body), body)

    def test_it_hands_on_the_queue_as_workers_read_it(self):
        self.earlier.run("UPDATE alerts_intakeevent SET format = 'draft', state = 'waiting' WHERE id = 2")

        self.carry()

        event = IntakeEvent.objects.get(pk=2)
        self.assertEqual((event.format, event.byte_count), ("internal", len(event.body)))

    def test_it_announces_no_history(self):
        self.earlier.run("UPDATE incidents_incidentevent SET feed_seq = id")
        self.earlier.run("DELETE FROM incidents_feedcursor")
        self.earlier.run("INSERT INTO incidents_feedcursor (name, position) VALUES ('head', 99)")

        self.carry()

        places = dict(FeedCursor.objects.values_list("name", "position"))
        self.assertEqual((places["escalation"], places["notifications"]), (99, 99))

    def test_it_carries_and_names_what_was_altered_before(self):
        self.earlier.run("UPDATE incidents_incidentevent SET body = 'never said' WHERE id = 6")

        with self.assertRaisesRegex(CommandError, "Carried over unchanged.*1 of 4 timelines"):
            self.carry()

        self.assertIn("INC-1 event 3: was edited", self.said)
        self.assertEqual(IncidentEvent.objects.get(pk=6).body, "never said")

    def test_it_names_files_that_are_not_there(self):
        default_storage.delete(FILE[0])

        with self.assertRaisesRegex(CommandError, "except for 1 files"):
            self.carry()

        self.assertIn("attachment 1 of INC-2", self.said)

    def test_it_refuses_tables_and_columns_that_it_does_not_know(self):
        self.earlier.run("CREATE TABLE notes_note (id integer)")
        self.earlier.run("ALTER TABLE responders_team ADD COLUMN colour varchar(9)")
        self.earlier.run("ALTER TABLE responders_team DROP COLUMN description")

        with self.assertRaises(CommandError) as refused:
            self.carry()

        self.assertIn("table notes_note", str(refused.exception))
        self.assertIn("responders_team has a column colour", str(refused.exception))
        self.assertIn("responders_team has no column description", str(refused.exception))

    def test_it_says_which_value_no_row_can_hold(self):
        self.earlier.run("UPDATE incidents_incident SET uid = 'zz' WHERE id = 1")

        with self.assertRaisesMessage(CommandError, "incidents_incident has 'zz' in uid"):
            self.carry()

    def test_it_says_which_permission_is_of_nothing(self):
        self.earlier.run("DELETE FROM django_content_type WHERE id = 2")

        with self.assertRaisesMessage(CommandError, "auth_permission has 2 in content_type_id"):
            self.carry()

    def test_it_refuses_one_that_is_older_than_it_knows(self):
        self.earlier.run("DELETE FROM django_migrations WHERE app = 'alerts'")

        with self.assertRaisesRegex(CommandError, "lacks alerts.0006_source_awaited_since"):
            self.carry()

    def test_it_refuses_to_fill_a_database_that_holds_people(self):
        User.objects.create_user("eve@example.com", name="Eve")

        with self.assertRaisesRegex(CommandError, "holds people or incidents"):
            self.carry()

        self.assertEqual(User.objects.get().name, "Eve")

    def test_it_refuses_while_a_server_is_at_the_earlier_one(self):
        now = timezone.now().replace(tzinfo=None).isoformat(" ")
        self.earlier.run(f"UPDATE incident_response_jobrun SET started_at = '{now}'")

        with self.assertRaisesRegex(CommandError, "at the earlier database just now"):
            self.carry()

    def test_it_begins_anew_after_a_run_that_died(self):
        with (
            mock.patch.object(copying, "compare", side_effect=[*[None] * 15, KeyboardInterrupt]),
            self.assertRaises(KeyboardInterrupt),
        ):
            self.carry()
        self.assertTrue(User.objects.exists())
        with self.assertRaisesRegex(Unhealthy, "carry_over"):
            MigrationCheck()()

        said = self.carry()

        self.assertIn("Carried over and verified.", said)

    def test_it_notices_what_did_not_arrive_as_it_was(self):
        write = copying.write

        def lossy(table: copying.Table, rows: object) -> None:
            write(table, [row for row in rows if table.name != "incidents_subscription"])

        with (
            mock.patch.object(copying, "write", lossy),
            self.assertRaisesRegex(CommandError, "incidents_subscription has 0 rows; 3 were read"),
        ):
            self.carry()

    def test_it_cannot_write_to_the_earlier_database(self):
        self.on_the_same_kind_of_database()

        with copying.opened(self.earlier.url) as earlier, self.assertRaises(DatabaseError) as refused:
            earlier.cursor().execute("DELETE FROM users_user")

        self.assertRegex(str(refused.exception).lower(), "read.?only")
