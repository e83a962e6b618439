import datetime as dt

from django.test import TestCase
from django.utils import timezone
from django.utils.translation import gettext, override

from core.text import moments
from core.text.languages import later
from core.text.sentences import shown
from notifications.models import Delivery, Notification
from notifications.tests.factories import make_method
from notifications.tests.fakes import fake_channel, only_channels
from notifications.vocabulary import MethodState
from responders.notices import Notice, announce
from responders.services.covering import DEACTIVATED
from users.tests.factories import make_responder

MOMENT = dt.date(2026, 12, 3)


class NoticeTests(TestCase):
    def setUp(self):
        self.enterContext(only_channels(fake_channel("email"), fake_channel("sms")))
        self.ana = make_responder()

    def tell(self, **fields):
        announce(Notice(key="gap-1", kind="gap", title="Nobody is on call", users=[self.ana.pk], **fields))
        return sorted(Delivery.objects.values_list("channel", "recipient", "importance"))

    def own(self):
        return f"{self.ana.name}, Email {self.ana.email[:1]}…"

    def test_it_tells_by_inbox_and_verified_mail(self):
        make_method(self.ana, "email", "a@example.org")
        make_method(self.ana, "sms")

        self.assertEqual(self.tell(), [("email", f"{self.ana.name}, Email a…", "low")])
        self.assertEqual(Notification.objects.get(user=self.ana).title, "Nobody is on call")

    def test_it_mails_to_the_accounts_own_address_only_once_that_is_proven(self):
        self.ana.email_verified_at = None
        self.ana.save(update_fields=["email_verified_at"])
        self.assertEqual(self.tell(), [])
        self.ana.email_verified_at = timezone.now()
        self.ana.save(update_fields=["email_verified_at"])

        self.assertEqual(self.tell(), [("email", self.own(), "low")])

    def test_it_tells_urgent_ones_by_every_verified_method(self):
        make_method(self.ana, "sms", "+41")
        make_method(self.ana, "sms", "+42", state=MethodState.UNVERIFIED)

        self.assertEqual(self.tell(is_urgent=True), [("sms", f"{self.ana.name}, Sms +…", "high")])

    def test_it_tells_by_every_means_whatever_is_not_disabled_and_the_account(self):
        make_method(self.ana, "sms", "1", state=MethodState.UNVERIFIED)
        make_method(self.ana, "sms", "2", state=MethodState.DISABLED)

        told = self.tell(by_every_means=True)

        self.assertEqual(told, [("email", self.own(), "high"), ("sms", f"{self.ana.name}, Sms 1…", "high")])

    def test_it_tells_the_same_once(self):
        make_method(self.ana, "sms")
        self.tell(is_urgent=True)

        self.assertEqual(len(self.tell(is_urgent=True)), 1)
        self.assertEqual(Notification.objects.count(), 1)

    def test_it_tells_nobody_who_is_deactivated(self):
        make_method(self.ana, "sms")
        self.ana.is_active = False
        self.ana.save(update_fields=["is_active"])

        self.assertEqual(self.tell(by_every_means=True), [])

    def test_it_writes_to_each_in_their_language(self):
        ben = make_responder(language="ja")
        told = {self.ana.pk: "en", ben.pk: "ja"}
        title = later(lambda: f"{gettext('Acknowledged')} {moments.shown(MOMENT, 'date')}")

        announce(Notice(key="n", kind="gap", title=title, body=DEACTIVATED.say(name="Cyd"), users=list(told)))

        for row in Notification.objects.all():
            with override(told[row.user_id]):
                self.assertEqual(row.title, f"{gettext('Acknowledged')} {moments.shown(MOMENT, 'date')}")
                self.assertEqual(row.body, shown("Cyd was deactivated."))
