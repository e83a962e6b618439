from auditlog.models import LogEntry
from django.test import TestCase

from incidents.services import redact
from incidents.tests.factories import make_incident
from status_page.models import PublicIncident, PublicUpdate
from status_page.services import publishing
from status_page.services.page import the_page
from status_page.tests.factories import make_page, make_public_incident
from users.tests.factories import make_admin


class RedactingTests(TestCase):
    def test_it_removes_a_leaked_text_from_page_corrections_and_audit_log(self):
        admin, incident = make_admin(), make_incident()
        row = make_public_incident(by=admin, incident=incident, message="The password is tall-blue-kettle.")
        publishing.correct_update(row.updates.get(), by=admin, message="We are looking into it.")
        before = the_page().revision

        redact(incident.events.get(kind="status_published"), by=admin)

        update = PublicUpdate.objects.get()
        self.assertEqual(update.message, "We are looking into it.")
        self.assertEqual(update.earlier[0]["message"], "[removed]")
        self.assertFalse([entry for entry in LogEntry.objects.all() if "tall-blue-kettle" in str(entry.changes)])
        self.assertGreater(the_page().revision, before)

    def test_it_removes_a_leaked_title_that_was_published(self):
        admin = make_admin()
        incident = make_incident(title="Password tall-blue-kettle leaked")
        make_page()
        make_public_incident(
            by=admin, incident=incident, title=incident.title, translations={"de": {"title": incident.title}}
        )

        redact(incident.events.get(kind="created"), by=admin)

        row = PublicIncident.objects.get()
        self.assertEqual((row.title, row.translations), ("[removed]", {"de": {}}))
        self.assertFalse([event for event in incident.events.all() if "tall-blue-kettle" in str(event.data)])
        kept = LogEntry.objects.filter(content_type__model="publicincident")
        self.assertFalse([entry for entry in kept if "tall-blue-kettle" in f"{entry.changes}{entry.object_repr}"])

    def test_it_removes_what_the_leaked_text_says_in_other_languages(self):
        make_page()
        admin, incident = make_admin(), make_incident()
        row = make_public_incident(
            by=admin,
            incident=incident,
            message="The password is 4711.",
            translations={"de": {"message": "Das Passwort ist 4711."}},
        )
        publishing.correct_update(
            row.updates.get(), by=admin, message="We look.", translations={"de": {"message": "Ah."}}
        )

        redact(incident.events.get(kind="status_published"), by=admin)

        update = PublicUpdate.objects.get()
        self.assertEqual((update.message, update.translations), ("We look.", {"de": {"message": "Ah."}}))
        self.assertNotIn("4711", str(update.earlier))
        self.assertFalse([entry for entry in LogEntry.objects.all() if "4711" in str(entry.changes)])
