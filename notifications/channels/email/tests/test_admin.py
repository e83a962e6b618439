from typing import Any

from django.test import TestCase, override_settings
from django.urls import reverse

from notifications.channels.email.inbound.processing import process_waiting
from notifications.channels.email.inbound.receiving import receive
from notifications.channels.email.inbound.tests.mails import mail
from notifications.models import InboundMail
from notifications.tests.factories import now
from notifications.vocabulary import InboundState
from users.tests.factories import make_admin, make_reporter, make_responder


@override_settings(INBOUND_AUTHSERV_ID="")
class InboundMailAdminTests(TestCase):
    def setUp(self) -> None:
        self.admin = make_admin()
        self.client.force_login(self.admin)
        receive(mail(text="<script>alert(1)</script>"), now=now())
        process_waiting(now())
        self.row = InboundMail.objects.get()

    def url(self, name: str) -> str:
        return reverse(f"admin:notifications_inboundmail_{name}", args=[] if name == "changelist" else [self.row.pk])

    def after(self, name: str) -> Any:
        self.client.post(self.url(name))
        process_waiting(now())
        self.row.refresh_from_db()
        return self.row

    def test_it_shows_what_became_of_each_mail(self):
        listed, shown = self.client.get(self.url("changelist")), self.client.get(self.url("change"))

        for words in ("ana@example.com", "Checkout is down", "Held", "No active person here"):
            self.assertContains(listed, words)
        self.assertContains(shown, "&lt;script&gt;alert(1)")
        self.assertNotContains(shown, "<script>alert(1)")

    def test_it_opens_an_incident_once_somebody_vouches_for_the_mail(self):
        row = self.after("accept")

        self.assertEqual((row.state, row.accepted_by), (InboundState.OPENED, self.admin))
        self.assertIsNone(row.incident.reporter)
        self.assertContains(self.client.get(self.url("change")), row.incident.reference)

    def test_it_processes_a_mail_again(self):
        with override_settings(INBOUND_FROM="anybody"):
            row = self.after("replay")
        incident = row.incident

        self.assertEqual(row.state, InboundState.OPENED)
        self.assertEqual(self.after("replay").incident, incident)
        self.assertEqual(self.after("accept").incident, incident)

    def test_it_gives_the_mail_as_it_came(self):
        answer = self.client.get(self.url("raw"))

        self.assertEqual(answer.content, bytes(self.row.raw))
        self.assertEqual(answer["Content-Type"], "application/octet-stream")
        self.assertIn("attachment", answer["Content-Disposition"])

    def test_it_is_for_administrators(self):
        for user in (make_reporter(), make_responder()):
            self.client.force_login(user)
            for name in ("changelist", "change", "raw"):
                self.assertIn(self.client.get(self.url(name)).status_code, (302, 403))
            self.assertIn(self.client.post(self.url("accept")).status_code, (302, 403))
        self.row.refresh_from_db()
        self.assertEqual(self.row.state, InboundState.HELD)
