import datetime as dt

from django.test import TestCase, override_settings

from core.server.condition import Unhealthy
from notifications.channels.email.inbound.processing import process_waiting
from notifications.channels.email.inbound.receiving import receive
from notifications.channels.email.inbound.tests.mails import mail
from notifications.channels.email.monitoring import collect, mail_check
from notifications.models import InboundMail
from notifications.tests.factories import now


class MonitoringTests(TestCase):
    @override_settings(INBOUND_AUTHSERV_ID="")
    def test_it_counts_what_waits_for_a_person(self):
        receive(mail(), now=now())
        process_waiting(now())
        receive(mail(identity="<2@x.example>"), now=now())

        samples = {one.labels["state"]: one.value for metric in collect() for one in metric.samples}
        self.assertEqual(samples, {"waiting": 1, "held": 1, "failed": 0})

    def test_it_is_unhealthy_while_mails_wait_too_long(self):
        receive(mail(), now=now())
        mail_check()
        InboundMail.objects.update(due_at=now() - dt.timedelta(minutes=11))

        with self.assertRaises(Unhealthy):
            mail_check()
