from django.test import TestCase
from django.utils import timezone

from incidents.services import comment, feed, redact
from incidents.services.redaction import REDACTED
from incidents.tests.factories import make_incident
from notifications.jobs import plan_deliveries
from notifications.models import Delivery, Notification
from notifications.services.notices import plan_notices
from notifications.tests.factories import make_method
from notifications.tests.fakes import Script, fake_channel, only_channels
from responders.notices import Notice
from users.tests.factories import make_admin, make_reporter

SECRET = "hunter2 is the password"


class RedactingTests(TestCase):
    def setUp(self) -> None:
        self.enterContext(only_channels(fake_channel("email", Script())))
        self.reporter, self.admin = make_reporter(), make_admin()
        make_method(self.reporter, "email")
        self.incident = make_incident(by=self.reporter, title=SECRET)

    def plan(self) -> None:
        feed.assign_places()
        plan_deliveries(timezone.now())

    def test_it_takes_a_comment_out_of_inboxes(self) -> None:
        other = make_incident(by=self.reporter, title="Disk is full")
        leak = comment(other, SECRET, by=self.admin)
        self.plan()

        redact(leak, by=self.admin)

        [entry] = Notification.objects.filter(user=self.reporter, incident=other)
        self.assertEqual(entry.body, REDACTED)
        self.assertTrue(entry.title.endswith(": Disk is full"))

    def test_it_takes_a_title_out_of_what_was_told(self) -> None:
        comment(self.incident, "On my way", by=self.admin)
        self.plan()
        title = f"Nobody was reached for {self.incident.reference}: {SECRET}"
        users = [self.reporter.pk]
        plan_notices([Notice("alarm-1", "nobody_reached", title, "", users=users, incident=self.incident.pk)])

        redact(self.incident.events.get(kind="created"), by=self.admin)

        told = [*Notification.objects.values_list("title", flat=True), *Delivery.objects.values_list("content")]
        self.assertGreaterEqual(len(told), 4)
        self.assertNotIn("hunter2", str(told))
        self.assertIn(f"{self.incident.reference}: {REDACTED}", str(told))
        self.assertEqual(Notification.objects.get(body="On my way").title[-len(REDACTED) :], REDACTED)
