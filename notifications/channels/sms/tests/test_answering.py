import datetime as dt

from incidents.models import EventKind
from incidents.services import resolve
from incidents.tests.factories import make_incident
from notifications.channels.sms.answering import HELP, NOTHING_OPEN, UNKNOWN_CODE
from notifications.channels.twilio.tests.cases import OTHER_PHONE, TwilioCase
from notifications.models import Notification
from notifications.tests.factories import at, make_page, now
from notifications.vocabulary import MethodState, State
from users.tests.factories import make_admin, make_reporter, make_responder


class ReplyTests(TwilioCase):
    def setUp(self) -> None:
        super().setUp()
        self.method = self.phone()

    def send(self) -> str:
        """Page Ana; return the code."""
        self.page()
        return self.code_of(self.twilio.messages[-1])

    def test_it_acknowledges_in_the_recipients_name(self):
        delivery = self.page()
        code = self.code_of(self.twilio.messages[0])

        answers = self.reply(f"{code} A")

        delivery.refresh_from_db()
        event = self.incident.events.get(kind=EventKind.ACKNOWLEDGED)
        self.assertRegex(code, r"^\d{4}$")
        self.assertEqual(self.status(), "acknowledged")
        self.assertEqual((event.actor, event.actor_label), (self.ana, "Ana in SMS"))
        self.assertEqual(delivery.state, State.ANSWERED)
        self.assertEqual(answers, [f"You acknowledged {self.incident.reference}: Disk full on db-3"])

    def test_it_resolves_takes_and_notes(self):
        code = self.send()

        self.reply(f"{code} N restarted the pump")
        self.reply(f"{code} T")
        self.incident.refresh_from_db()
        self.assertEqual((self.incident.assignee, self.incident.status), (self.ana, "acknowledged"))
        self.reply(f"{code} R")

        self.assertEqual(self.status(), "resolved")
        self.assertTrue(self.incident.events.filter(body="restarted the pump").exists())

    def test_it_refuses_a_code_from_another_number(self):
        code = self.send()
        self.phone(make_responder(name="Ben"), number=OTHER_PHONE)

        self.assertEqual(self.reply(f"{code} A", OTHER_PHONE), [UNKNOWN_CODE])
        self.assertEqual(self.reply(f"{code} A", "+447911123456"), [])  # a stranger gets no answer
        self.assertEqual(self.status(), "open")

    def test_it_refuses_a_second_number_of_the_same_person(self):
        code = self.send()
        self.phone(number=OTHER_PHONE)

        self.assertEqual(self.reply(f"{code} A", OTHER_PHONE), [UNKNOWN_CODE])
        self.assertEqual(self.status(), "open")

    def test_it_refuses_a_number_that_is_not_verified_any_more(self):
        code = self.send()
        self.method.state = MethodState.UNVERIFIED
        self.method.save()

        self.assertEqual(self.reply(f"{code} A"), [])
        self.assertEqual(self.status(), "open")

    def test_it_says_that_it_is_done_when_asked_twice(self):
        code = self.send()
        self.reply(f"{code} A")

        [answer] = self.reply(f"{code} A")

        self.assertRegex(answer, "was acknowledged already by Ana in SMS")
        self.assertEqual(self.incident.events.filter(kind=EventKind.ACKNOWLEDGED).count(), 1)

    def test_it_says_that_it_is_resolved(self):
        code = self.send()
        resolve(self.incident, by=make_admin(name="Cem"))

        [answer] = self.reply(f"{code} A")

        self.assertRegex(answer, "was resolved already by Cem")
        self.assertEqual(self.status(), "resolved")

    def test_it_forgets_codes_after_a_day(self):
        code = self.send()

        with at(now() + dt.timedelta(hours=25)):
            self.assertEqual(self.reply(f"{code} A"), [UNKNOWN_CODE])

        self.assertEqual(self.status(), "open")

    def test_it_needs_no_code_for_a_single_page(self):
        self.send()

        self.reply("ack")

        self.assertEqual(self.status(), "acknowledged")
        self.assertEqual(self.reply("ack"), [NOTHING_OPEN])

    def test_it_asks_which_of_several_pages_is_meant(self):
        code = self.send()
        other = make_incident(title="Checkout is down")
        with at(now() + dt.timedelta(minutes=1)):
            self.page(incident=other)

        [answer] = self.reply("A")

        self.assertTrue(answer.startswith("2 pages wait. Reply with a code first: "), answer)
        self.assertIn(f"{code} for {self.incident.reference}", answer)
        self.assertEqual(self.status(), "open")

    def test_it_acknowledges_all_that_a_bundle_stands_for(self):
        incidents = [make_incident(title=f"Host {number} is down") for number in range(20)]
        for incident in incidents:
            make_page(self.ana, incident)
        self.deliver("sms")

        [answer] = self.reply(f"{self.code_of(self.twilio.messages[0])} A")

        self.assertEqual(len(self.twilio.messages), 1)
        self.assertIn("20 incidents", self.twilio.messages[0]["Body"])
        self.assertEqual(answer, "You acknowledged 20 of 20 incidents.")
        for incident in incidents:
            incident.refresh_from_db()
        self.assertEqual({incident.status for incident in incidents}, {"acknowledged"})

    def test_it_answers_what_it_does_not_understand_with_help(self):
        self.send()

        for text in ("on my way", "help", "", "4711"):
            with self.subTest(text):
                self.assertEqual(self.reply(text), [HELP])
        self.assertEqual(self.status(), "open")

    def test_it_stops_at_the_recipients_wish_and_tells_them_otherwise(self):
        self.assertEqual(self.reply("STOP"), [])

        self.method.refresh_from_db()
        self.assertEqual((self.method.state, self.method.reason), (MethodState.DISABLED, "The person replied STOP."))
        self.assertTrue(Notification.objects.filter(user=self.ana, title__contains="no longer reached").exists())

    def test_it_says_what_the_person_may_not_do(self):
        code = self.send()
        self.ana.role = make_reporter().role
        self.ana.save()

        [answer] = self.reply(f"{code} A")

        self.assertTrue(answer)
        self.assertEqual(self.status(), "open")
