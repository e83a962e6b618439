from email import message_from_bytes

from django.test import SimpleTestCase

from notifications.channels.email.composing import Sender, compose
from notifications.channels.email.inbound.automatic import why_automatic
from notifications.channels.email.inbound.tests.mails import mail
from notifications.channels.email.tests.test_composing import NOW, PAGE
from tests.reported import reported_failure

OWN = frozenset({"incidents@example.org", "in@example.org"})


def why(raw: bytes, envelope_sender: str | None = None) -> str:
    return why_automatic(message_from_bytes(raw), OWN, envelope_sender)


class AutomaticTests(SimpleTestCase):
    @reported_failure(24)
    def test_it_tells_what_no_human_wrote(self):
        table = [
            {"Auto_Submitted": "auto-replied"},
            {"Auto_Submitted": "auto-generated; owner-email=x@example.com"},
            {"Precedence": "bulk"},
            {"Precedence": "auto_reply"},
            {"List_Id": "<dev.example.org>"},
            {"X_Autoreply": "yes"},
            {"Return_Path": "<>"},
            {"X_Incident_Response": "notification"},
            {"sender": "MAILER-DAEMON@example.com"},
            {"sender": "incidents@example.org"},
            {"sender": "In@Example.ORG"},
        ]
        for headers in table:
            with self.subTest(headers):
                self.assertTrue(why(mail(**headers)))

    def test_it_knows_mails_that_cannot_be_returned_by_their_envelope(self):
        self.assertTrue(why(mail(), ""))
        self.assertTrue(why(mail(), "MAILER-DAEMON"))
        self.assertEqual(why(mail(), "ana@example.com"), "")

    @reported_failure(24)
    def test_it_knows_mails_of_ours_that_come_back(self):
        ours = compose(PAGE, "ana@example.com", Sender("incidents@example.org"), NOW).message.as_bytes()

        self.assertIn("our own", why(ours))

    def test_it_takes_people_for_people(self):
        for headers in (
            {},
            {"Auto_Submitted": "no"},
            {"Precedence": "first-class"},
            {"Return_Path": "<ana@example.com>"},
        ):
            with self.subTest(headers):
                self.assertEqual(why(mail(**headers)), "")
