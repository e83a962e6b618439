from auditlog.models import LogEntry
from django.test import TestCase

from incidents.services import redact
from incidents.tests.factories import make_incident
from status_page.models import PublicUpdate
from status_page.services import publishing
from status_page.services.page import the_page
from status_page.tests.factories import make_public_incident
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
