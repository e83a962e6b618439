import datetime as dt

from django.test import Client, override_settings

from incidents.models import EventKind
from incidents.services import acknowledge
from incidents.tests.factories import make_incident
from notifications.channels.smsgateway.tests.test_client import Gateway
from notifications.channels.twilio.tests.cases import HOST, OTHER_PHONE, PHONE, TwilioCase
from notifications.channels.twilio.tests.fake import TOKEN, Behaviour, sign
from notifications.models import ContactMethod, Delivery, Notification
from notifications.services.methods import add_method, send_test, verify
from notifications.services.receipts import chase_receipts
from notifications.tests.factories import at, make_method, make_page, make_rule, now
from notifications.vocabulary import MethodState, Outcome, State
from tests.reported import reported_failure
from users.tests.factories import make_admin

WEBHOOKS = [f"/integrations/twilio/{name}" for name in ("voice", "sms", "status")]


class SignatureTests(TwilioCase):
    def test_it_lets_only_twilio_in(self):
        form = {"From": PHONE, "Body": "A", "AccountSid": "AC1"}
        client = Client(enforce_csrf_checks=True)
        for path in WEBHOOKS:
            good = sign(TOKEN, f"https://{HOST}{path}", form)
            for name, signature, status in (
                ("none", "", 403),
                ("of another address", sign(TOKEN, f"https://other.example{path}", form), 403),
                ("of another form", sign(TOKEN, f"https://{HOST}{path}", {**form, "Body": "R"}), 403),
                ("good", good, 204 if path.endswith("status") else 200),
                ("sent again", good, 204 if path.endswith("status") else 200),
            ):
                with self.subTest(path=path, signature=name):
                    headers = {"X-Twilio-Signature": signature}
                    response = client.post(path, form, headers=headers, secure=True, SERVER_NAME=HOST)
                    self.assertEqual(response.status_code, status)
            self.assertEqual(client.get(path, secure=True, SERVER_NAME=HOST).status_code, 405)

    def test_it_checks_the_public_address_behind_a_proxy(self):
        path, form = WEBHOOKS[2], {"MessageSid": "SM1", "MessageStatus": "sent"}
        headers = {"X-Twilio-Signature": sign(TOKEN, f"https://{HOST}{path}", form)}

        response = Client().post(path, form, headers=headers, secure=True, SERVER_NAME="127.0.0.1")

        self.assertEqual(response.status_code, 400)  # its host is not in ALLOWED_HOSTS
        with override_settings(ALLOWED_HOSTS=["127.0.0.1"]):
            response = Client().post(path, form, headers=headers, secure=True, SERVER_NAME="127.0.0.1")
        self.assertEqual(response.status_code, 204)

    @override_settings(TWILIO_AUTH_TOKEN="")
    def test_it_lets_nobody_in_without_a_token(self):
        headers = {"X-Twilio-Signature": sign("", f"https://{HOST}{WEBHOOKS[1]}", {})}

        response = Client().post(WEBHOOKS[1], headers=headers, secure=True, SERVER_NAME=HOST)

        self.assertEqual((response.status_code, response.json()["code"]), (403, "not_set_up"))


class StatusTests(TwilioCase):
    def setUp(self) -> None:
        super().setUp()
        self.method = self.phone()
        self.mail = make_method(self.ana, "email", "ana@example.org")
        make_rule(self.ana, (self.method, 0), (self.mail, 10))

    def next_method(self) -> Delivery:
        return Delivery.objects.get(channel="email", incident=self.incident)

    def test_it_counts_an_sms_as_delivered_only_by_its_receipt(self):
        delivery = self.page()
        self.assertEqual(delivery.state, State.ACCEPTED)

        self.assertEqual(self.twilio.report(self.twilio.messages[0]), [204] * 3)

        delivery.refresh_from_db()
        self.assertEqual((delivery.state, delivery.answered_at), (State.DELIVERED, None))
        self.assertTrue(delivery.delivered_at)

    def test_it_takes_statuses_in_any_order(self):
        delivery = self.page()

        self.twilio.report(self.twilio.messages[0], "delivered", "sent", "queued", "delivered")

        delivery.refresh_from_db()
        self.assertEqual(delivery.state, State.DELIVERED)

    def test_it_ignores_statuses_of_messages_it_did_not_send(self):
        self.assertEqual(
            self.twilio.send(f"https://{HOST}/integrations/twilio/status", MessageSid="SM1", MessageStatus="failed"),
            (204, ""),
        )

    @reported_failure(22)
    def test_it_goes_on_at_once_when_a_phone_is_off(self):
        delivery = self.page()
        self.twilio.behaviour(PHONE).status_error = 30003

        self.twilio.report(self.twilio.messages[0], "sent", "undelivered")

        delivery.refresh_from_db()
        self.method.refresh_from_db()
        self.assertEqual(self.method.state, MethodState.OK)
        self.assertGreater(delivery.next_attempt_at, now())  # and is tried again
        self.assertLessEqual(self.next_method().next_attempt_at, now())

    @reported_failure(22)
    def test_it_disables_a_landline_and_tells_its_owner_by_another_way(self):
        for code, report in ((21614, False), (30006, True)):
            with self.subTest(code):
                ContactMethod.objects.filter(pk=self.method.pk).update(state=MethodState.OK, reason="")
                incident = make_incident()
                self.twilio.numbers[PHONE] = Behaviour(error=0 if report else code, status_error=code)
                with at(now() + dt.timedelta(minutes=code)):
                    self.page(incident=incident)
                    if report:
                        self.twilio.report(self.twilio.messages[-1], "undelivered")

                self.method.refresh_from_db()
                self.assertEqual(self.method.state, MethodState.DISABLED)
                self.assertIn(str(code), self.method.reason)
                notices = Delivery.objects.filter(user=self.ana, kind="notice")
                self.assertEqual({row.channel for row in notices}, {"email"})
                page = Delivery.objects.get(incident=incident, channel="email")
                self.assertIsNotNone(page.next_attempt_at)
        self.assertTrue(Notification.objects.filter(user=self.ana, title__contains="no longer reached").exists())

    @reported_failure(22)
    def test_it_uses_another_provider_when_no_receipt_comes(self):
        gateway = Gateway()
        self.addCleanup(gateway.close)
        settings = {
            "SMS_PROVIDERS": ["twilio", "gateway"],
            "SMS_GATEWAY_URL": f"{gateway.url}/?to={{to}}&text={{text}}",
        }
        with override_settings(**settings):
            delivery = self.page()
            with at(now() + dt.timedelta(seconds=59)):
                chase_receipts(now() + dt.timedelta(seconds=59))
                self.deliver("sms")
            self.assertEqual(len(gateway.got), 0)
            later = now() + dt.timedelta(seconds=61)
            with at(later):
                chase_receipts(later)
                self.deliver("sms")

        delivery.refresh_from_db()
        self.assertEqual(len(self.twilio.messages), 1)
        self.assertEqual(len(gateway.got), 1)
        self.assertIn("sent%20again", gateway.got[0][1])
        attempts = list(delivery.attempts.order_by("number").values_list("provider", "outcome"))
        self.assertEqual(attempts, [("twilio", Outcome.NO_RECEIPT), ("gateway", Outcome.ACCEPTED)])
        self.assertLessEqual(self.next_method().next_attempt_at, later)

    def test_it_lets_a_later_attempt_decide(self):
        delivery = self.page()
        Delivery.objects.filter(pk=delivery.pk).update(attempt_count=2)  # another provider has it
        self.twilio.behaviour(PHONE).status_error = 30008

        self.twilio.report(self.twilio.messages[0], "undelivered")

        delivery.refresh_from_db()
        self.assertEqual((delivery.state, delivery.next_attempt_at), (State.ACCEPTED, None))

    @override_settings(PHONE_DAILY_PER_NUMBER=1)
    def test_it_sends_no_more_than_a_cap_allows(self):
        self.page()
        with at(now() + dt.timedelta(minutes=2)):
            delivery = self.page(incident=make_incident())

        self.assertEqual(len(self.twilio.messages), 1)
        self.assertEqual(delivery.state, State.FAILED)
        self.assertIn("PHONE_DAILY_PER_NUMBER", delivery.reason)


class CallTests(TwilioCase):
    def setUp(self) -> None:
        super().setUp()
        self.method = self.phone(kind="voice")

    def ring(self, *keys: str, answers: bool = True) -> list[str]:
        """Ring for the last call; return what was said."""
        self.twilio.numbers[PHONE] = Behaviour(answers=answers, keys=keys)
        heard = self.twilio.ring(self.twilio.calls[-1])
        return heard.said if heard else []

    @reported_failure(23)
    def test_it_acknowledges_by_a_key(self):
        delivery = self.page("voice")

        said = self.ring("1")

        delivery.refresh_from_db()
        event = self.incident.events.get(kind=EventKind.ACKNOWLEDGED)
        self.assertIn("Disk full on db-3. You are on call: Primary", said[0])
        self.assertEqual(said[1], "Acknowledged. It is yours. Goodbye.")
        self.assertEqual((self.status(), event.actor_label), ("acknowledged", "Ana in Phone"))
        self.assertEqual(delivery.state, State.ANSWERED)
        self.assertIsNone(delivery.next_attempt_at)
        attempt = delivery.attempts.get()
        self.assertEqual((attempt.outcome, attempt.detail), (Outcome.ACCEPTED, "Twilio: in-progress"))

    @reported_failure(23)
    def test_it_takes_voicemail_for_nobody(self):
        mail = make_method(self.ana, "email", "ana@example.org")
        make_rule(self.ana, (self.method, 0), (mail, 10))
        delivery = self.page("voice")

        said = self.ring()

        delivery.refresh_from_db()
        self.method.refresh_from_db()
        self.assertEqual(len([text for text in said if "Disk full" in text]), 3)
        self.assertEqual(said[-1], "No key was pressed. Goodbye.")
        self.assertEqual((self.status(), delivery.delivered_at, delivery.answered_at), ("open", None, None))
        self.assertIn("without a key press", delivery.attempts.get().detail)
        self.assertLessEqual(Delivery.objects.get(channel="email").next_attempt_at, now())
        self.assertEqual(self.method.state, MethodState.OK)

    @reported_failure(23)
    def test_it_calls_twice_and_then_gives_up(self):
        delivery = self.page("voice")
        self.ring()
        with at(now() + dt.timedelta(seconds=30)):
            self.deliver("voice")

        self.ring(answers=False)

        delivery.refresh_from_db()
        self.method.refresh_from_db()
        self.assertEqual(len(self.twilio.calls), 2)
        self.assertEqual((delivery.state, delivery.reason), (State.FAILED, "Twilio: nobody answered"))
        self.assertEqual(self.method.state, MethodState.OK)  # the number is not at fault

    def test_it_says_it_again_and_knows_its_keys(self):
        self.page("voice")

        said = self.ring("2", "7", "3")

        self.assertEqual(len([text for text in said if "Disk full" in text]), 3)
        self.assertTrue(said[2].startswith("That key does nothing here."))
        self.assertEqual((said[3], self.status()), ("Resolved. Goodbye.", "resolved"))

    def test_it_ends_however_often_somebody_asks_again(self):
        self.page("voice")

        said = self.ring(*("2" * 19))

        self.assertEqual(said[-1], "No key was pressed. Goodbye.")
        self.assertEqual(self.status(), "open")

    def test_it_says_that_somebody_was_faster(self):
        self.page("voice")
        acknowledge(self.incident, by=make_admin(name="Cem"))

        said = self.ring("1")

        self.assertEqual(len(said), 1)
        self.assertIn("needs no answer any more", said[0])

    def test_it_says_who_was_faster_than_the_key(self):
        self.page("voice")
        call = self.twilio.calls[0]
        acknowledge(self.incident, by=make_admin(name="Cem"))

        _status, document = self.twilio.send(call["Url"], CallSid=call.sid, Digits="1")

        self.assertIn("was acknowledged already by Cem", document)

    def test_it_speaks_the_readers_language(self):
        self.ana.language = "de"
        self.ana.save()
        self.page("voice")

        said = self.ring("1")

        self.assertIn("Drücken Sie 1", said[0])
        self.assertIn("Bestätigt", said[1])

    def test_it_hides_a_restricted_incident_from_whoever_may_not_see_it(self):
        self.incident = make_incident(title="Secret", is_restricted=True)
        self.page("voice")

        self.assertNotIn("Secret", " ".join(self.ring("1")))
        self.assertEqual(self.status(), "open")

    def test_it_refuses_a_call_that_is_too_old(self):
        _status, document = self.twilio.send(f"https://{HOST}/integrations/twilio/voice?m=nonsense", CallSid="CA1")

        self.assertIn("too old", document)

    def test_it_acknowledges_all_that_a_call_is_about(self):
        incidents = [make_incident(title=f"Host {number} is down") for number in range(20)]
        for incident in incidents:
            make_page(self.ana, incident)
        self.deliver("voice")

        said = self.ring("1")

        for incident in incidents:
            incident.refresh_from_db()
        self.assertEqual({incident.status for incident in incidents}, {"acknowledged"})
        self.assertIn("20 incidents need you", said[0])

    def test_it_takes_a_test_call_for_delivered_when_it_was_answered(self):
        send_test(self.method)
        self.deliver("voice")

        said = self.ring()

        self.assertIn("Test message", said[0])
        self.assertEqual(Delivery.objects.get(kind="test").state, State.DELIVERED)


class CodeTests(TwilioCase):
    def test_it_verifies_a_number_by_the_code_it_hears_or_reads(self):
        for kind in ("sms", "voice"):
            with self.subTest(kind):
                method = add_method(self.ana, kind, "+41 79 123 45 68").method
                self.deliver(kind)
                if kind == "sms":
                    text = self.twilio.messages[0]["Body"]
                else:
                    text = self.twilio.ring(self.twilio.calls[0]).said[0].replace(", ", "")

                self.assertEqual((method.address, method.state), (OTHER_PHONE, MethodState.UNVERIFIED))
                self.assertEqual(verify(method, text[:6]).state, MethodState.OK)
                self.assertNotIn("Reply", text)
