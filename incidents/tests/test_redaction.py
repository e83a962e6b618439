from auditlog.models import LogEntry
from django.core.files.storage import default_storage
from django.test import TestCase

from core.errors import Conflict, PermissionRefused
from incidents.models import Attachment, EventKind, Incident, IncidentEvent, Visibility
from incidents.services import attaching, comment, history, redact, update
from incidents.services.redaction import REDACTED
from incidents.tests.factories import folded, make_incident
from incidents.tests.files import OwnStore, upload
from users.tests.factories import client_of, make_admin, make_reporter, make_responder

SECRET = "hunter2 is the password"


class RedactTests(TestCase):
    def test_it_takes_a_comment_out_and_says_who_did(self) -> None:
        incident, admin = make_incident(), make_admin(name="Alice")
        leak = comment(incident, SECRET, by=None, visibility=Visibility.INTERNAL)

        redact(leak, by=admin, reason="A password")

        leak.refresh_from_db()
        self.assertEqual((leak.body, leak.kind, leak.seq), (REDACTED, "comment", 2))
        self.assertIsNotNone(leak.redacted_at)
        record = incident.events.get(kind=EventKind.REDACTED)
        self.assertEqual((record.actor_name, record.visibility), ("Alice", Visibility.INTERNAL))
        self.assertEqual((record.data["seq"], record.data["reason"]), (2, "A password"))

    def test_it_takes_the_text_of_the_opening_out_of_the_incident_too(self) -> None:
        incident = make_incident(title=SECRET, description=f"Really, {SECRET}", location="Bern")

        redact(incident.events.get(), by=None)

        stored = Incident.objects.get(pk=incident.pk)
        self.assertEqual((stored.title, stored.description, stored.location), (REDACTED,) * 3)
        self.assertEqual(stored.version, incident.version + 1)
        self.assert_nowhere(SECRET, stored)

    def test_it_keeps_what_was_written_since(self) -> None:
        incident = make_incident(description=SECRET)
        update(incident, by=None, fields={"description": "Nothing secret"})

        redact(incident.events.get(seq=1), by=None)

        stored = Incident.objects.get(pk=incident.pk)
        self.assertEqual(stored.description, "Nothing secret")
        self.assert_nowhere(SECRET, stored)

    def test_it_takes_the_text_out_wherever_else_the_timeline_names_it(self) -> None:
        """The change away from a secret names it, and so does a change back to it."""
        incident = make_incident(description=SECRET)
        for text in ("Nothing secret", SECRET, "Nothing again"):
            update(incident, by=None, fields={"description": text})

        redact(incident.events.get(seq=3), by=None)

        stored = Incident.objects.get(pk=incident.pk)
        self.assertEqual(stored.description, "Nothing again")
        self.assert_nowhere(SECRET, stored)
        self.assertEqual(incident.events.get(seq=2).data["changes"]["description"], [REDACTED, "Nothing secret"])

    def test_it_agrees_with_the_incident_after_a_text_came_back(self) -> None:
        incident = make_incident(title=SECRET)
        for text in ("Fine", SECRET):
            update(incident, by=None, fields={"title": text})

        redact(incident.events.get(seq=1), by=None)

        stored = Incident.objects.get(pk=incident.pk)
        self.assertEqual((stored.title, folded(stored)["title"]), (REDACTED, REDACTED))
        self.assert_nowhere(SECRET, stored)

    def test_it_takes_the_text_out_of_the_audit_log(self) -> None:
        incident = make_incident(title=SECRET, location=SECRET)
        update(incident, by=None, fields={"location": "Bern", "is_restricted": True})
        LogEntry.objects.log_create(
            incident,
            force_log=True,
            action=LogEntry.Action.UPDATE,
            changes={"title": ["x", SECRET], "status": ["a", "b"]},
        )

        redact(incident.events.get(seq=1), by=None)

        entries = LogEntry.objects.get_for_object(incident)
        told = [(entry.object_repr, str(entry.changes)) for entry in entries]
        self.assertTrue(told)
        self.assertNotIn(SECRET, str(told))
        self.assertIn("status", str(told))

    def test_it_takes_the_text_out_of_the_answers_that_are_remembered(self) -> None:
        client, reported = client_of(make_reporter()), {"title": SECRET, "description": f'Zürich: "{SECRET}"\n'}
        key = {"headers": {"Idempotency-Key": "once"}}
        first = client.post("/api/v1/incidents/", reported, **key).json()
        timeline = f"/api/v1/incidents/{first['id']}/timeline/"
        client.post(timeline, {"message": SECRET}, **key)

        for event in IncidentEvent.objects.filter(incident=first["id"]):
            redact(event, by=None)

        again = client.post("/api/v1/incidents/", reported, **key)
        self.assertEqual(again.json(), {**first, "title": REDACTED, "description": REDACTED})
        self.assertEqual(client.post(timeline, {"message": SECRET}, **key).json()["message"], REDACTED)
        self.assertEqual(Incident.objects.count(), 1)

    def test_it_is_for_administrators(self) -> None:
        leak = comment(make_incident(), SECRET, by=None)
        for by in (make_reporter(), make_responder()):
            with self.subTest(by=by), self.assertRaises(PermissionRefused):
                redact(leak, by=by)

    def test_it_keeps_records_of_removals(self) -> None:
        incident = make_incident()
        redact(comment(incident, SECRET, by=None), by=None)

        with self.assertRaises(Conflict):
            redact(incident.events.get(kind=EventKind.REDACTED), by=None)

    def assert_nowhere(self, text: str, incident: Incident) -> None:
        events = IncidentEvent.objects.filter(incident=incident)
        self.assertNotIn(text, str(list(events.values("body", "data"))))
        self.assertNotIn(text, str(vars(incident)))
        self.assertIsNone(history.verify(incident))


class FileNameTests(OwnStore, TestCase):
    """A file's name may be what leaked."""

    def attach(self, incident: Incident) -> Attachment:
        (attachment,) = attaching.attach(incident, attaching.inspect([upload(b"text", "photo.txt")]), by=None)
        return attachment

    def test_it_goes_from_the_file_with_the_event(self) -> None:
        attachment = self.attach(make_incident())
        incident = Incident.objects.get(pk=attachment.incident_id)

        redact(incident.events.get(kind=EventKind.ATTACHMENT_ADDED), by=None)

        attachment.refresh_from_db()
        self.assertEqual(attachment.name, f"file-{attachment.pk}")
        self.assertTrue(default_storage.exists(attachment.original_key))
        self.assertEqual(Incident.objects.get(pk=incident.pk).version, incident.version + 1)
        self.assertNotIn("photo", str(list(incident.events.values("data"))))
        self.assertIsNone(history.verify(Incident.objects.get(pk=incident.pk)))

    def test_it_goes_from_the_event_of_the_removal_too(self) -> None:
        incident = make_incident()
        attaching.remove(self.attach(incident), by=None)
        other = self.attach(incident)

        redact(incident.events.filter(kind=EventKind.ATTACHMENT_ADDED).order_by("seq")[0], by=None)

        names = [event.data["name"] for event in incident.events.filter(kind__startswith="attachment").order_by("seq")]
        self.assertEqual(names, [REDACTED, REDACTED, "photo.txt"])
        self.assertEqual(Attachment.objects.get(pk=other.pk).name, "photo.txt")
        self.assertEqual(incident.events.filter(kind=EventKind.REDACTED).count(), 2)
