import base64
from unittest import skipUnless

from django.test import SimpleTestCase, override_settings

from notifications.channels.port import Address, Failed, Message, Receipt, Stage
from notifications.channels.twilio import client
from notifications.channels.twilio.spoken import unseal
from notifications.channels.twilio.tests.fake import ACCOUNT, NUMBER, TOKEN, Behaviour, FakeTwilio, serving
from notifications.channels.twilio.tests.schema import ABSENT, FILE
from tests.reported import reported_failure

TO = Address("+41791234567")
PAGE = Message(
    key="k1", kind="page", title="Disk full", reference="INC-1042", severity="critical", reply_code="4271", incident=5
)


class FakeCase(SimpleTestCase):
    """A fake that answers requests; nothing is sent back to the application."""

    def setUp(self) -> None:
        self.fake = FakeTwilio(post=lambda *sent: (200, ""))
        address = self.enterContext(serving(self.fake))
        self.enterContext(
            override_settings(
                TWILIO_API_URL=address,
                TWILIO_ACCOUNT_SID=ACCOUNT,
                TWILIO_AUTH_TOKEN=TOKEN,
                TWILIO_FROM=NUMBER,
                TWILIO_MESSAGING_SERVICE_SID="",
                PUBLIC_URL="https://incidents.example.org",
            )
        )

    def failure(self, number: str = TO.value, message: Message = PAGE) -> Failed:
        with self.assertRaises(Failed) as caught:
            client.send_sms(message, Address(number))
        return caught.exception


class SMSTests(FakeCase):
    def test_it_sends_an_sms(self):
        receipt = client.send_sms(PAGE, TO)

        message = self.fake.messages[0]
        self.assertEqual(receipt, Receipt(Stage.ACCEPTED, "twilio", message.sid, "Twilio: queued"))
        self.assertEqual(
            {name: values[0] for name, values in message.form.items()},
            {
                "To": TO.value,
                "From": NUMBER,
                "Body": "[critical] INC-1042 Disk full. Reply 4271 A to acknowledge, 4271 R to resolve",
                "StatusCallback": "https://incidents.example.org/integrations/twilio/status",
            },
        )
        self.assertEqual(self.fake.refused, [])

    @override_settings(TWILIO_MESSAGING_SERVICE_SID="MG" + "a" * 32)
    def test_it_sends_by_a_messaging_service(self):
        client.send_sms(PAGE, TO)

        self.assertEqual(self.fake.messages[0]["MessagingServiceSid"], "MG" + "a" * 32)
        self.assertEqual(self.fake.refused, [])

    @reported_failure(22)
    def test_it_knows_which_errors_pass_last_and_disable(self):
        for code, (is_permanent, disables) in {
            30034: (True, False),
            21614: (True, True),
            21610: (True, True),
            30003: (False, False),
            20429: (False, False),
            21408: (True, False),
            59999: (True, False),  # unknown, refused with 400
        }.items():
            with self.subTest(code):
                self.fake.numbers[TO.value] = Behaviour(error=code)
                failure = self.failure()
                self.assertEqual((failure.is_permanent, failure.disables), (is_permanent, disables))
                self.assertIn(str(code), failure.detail)

    def test_it_repeats_nothing_that_twilio_says(self):
        self.fake.numbers[TO.value] = Behaviour(error=21211)

        self.assertNotIn(TO.value, self.failure().detail)

    def test_it_waits_as_long_as_twilio_asks(self):
        self.fake.throttled = 1

        failure = self.failure()

        self.assertEqual((failure.is_permanent, failure.retry_after), (False, 3.0))

    def test_it_fails_for_now_when_twilio_breaks(self):
        self.fake.broken = 1

        failure = self.failure()

        self.assertEqual((failure.is_permanent, failure.may_have_arrived), (False, True))

    @override_settings(TWILIO_API_URL="http://127.0.0.1:9")
    def test_it_fails_for_now_when_twilio_is_away(self):
        failure = self.failure()

        self.assertEqual((failure.is_permanent, failure.may_have_arrived), (False, False))

    @override_settings(TWILIO_AUTH_TOKEN="wrong")
    def test_it_says_that_the_credentials_are_wrong(self):
        failure = self.failure()

        self.assertTrue(failure.is_permanent)
        self.assertIn("TWILIO_AUTH_TOKEN", failure.detail)


class CallTests(FakeCase):
    def test_it_calls_with_words_that_the_address_hides(self):
        receipt = client.call(PAGE, TO)

        call = self.fake.calls[0]
        base, _, sealed = call["Url"].partition("?m=")
        spoken = unseal(sealed)
        self.assertEqual(receipt.provider_id, call.sid)
        self.assertEqual(base, "https://incidents.example.org/integrations/twilio/voice")
        self.assertEqual((spoken.key, spoken.title, spoken.count), ("k1", "Disk full", 1))
        self.assertNotIn("Disk", call["Url"])
        self.assertEqual(self.fake.refused, [])

    def test_it_reads_no_words_but_its_own(self):
        self.assertIsNone(unseal("gAAAA"))
        self.assertIsNone(unseal("ü\ud800"))


class SetupTests(SimpleTestCase):
    @reported_failure(23)
    def test_it_says_that_twilio_cannot_call_back(self):
        settings = {"TWILIO_ACCOUNT_SID": ACCOUNT, "TWILIO_AUTH_TOKEN": TOKEN, "TWILIO_FROM": NUMBER}
        for public, is_reachable in {
            "http://127.0.0.1:8000": False,
            "http://localhost:8000": False,
            "http://10.0.0.5": False,
            "http://incidents.local": False,
            "https://incidents.example.org": True,
        }.items():
            with self.subTest(public), override_settings(**settings, PUBLIC_URL=public):
                self.assertEqual(client.why_no_calls() == "", is_reachable)
                self.assertEqual(client.why_no_sms(), "")  # without receipts and replies

    def test_it_names_what_is_to_be_set(self):
        with override_settings(TWILIO_ACCOUNT_SID="", TWILIO_AUTH_TOKEN=""):
            self.assertEqual(client.why_no_sms(), "Set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN.")
        with override_settings(TWILIO_ACCOUNT_SID=ACCOUNT, TWILIO_AUTH_TOKEN=TOKEN, TWILIO_FROM="ACME"):
            self.assertIn("TWILIO_FROM", client.why_no_calls())


@skipUnless(FILE.is_file(), ABSENT)
class StrictnessTests(FakeCase):
    def test_it_refuses_what_the_openapi_does_not_allow(self):
        good = "To=%2B41791234567&From=%2B12025550199"
        authorised = {
            "authorization": f"Basic {base64.b64encode(f'{ACCOUNT}:{TOKEN}'.encode()).decode()}",
            "content-type": "application/x-www-form-urlencoded",
        }
        path = f"/2010-04-01/Accounts/{ACCOUNT}"
        for resource, body, status in (
            ("Messages", f"{good}&Body=x", 201),
            ("Messages", f"{good}&Body=x&Text=x", 400),
            ("Messages", f"{good}&Body=x&StatusCallback=status", 400),
            ("Messages", f"{good}&Body=x&MessagingServiceSid=MG1", 400),
            ("Messages", f"{good}&Body=", 400),
            ("Messages", "Body=x", 400),
            ("Calls", f"{good}&Url=https%3A%2F%2Fa.example%2F&Timeout=30", 201),
            ("Calls", f"{good}&Url=https%3A%2F%2Fa.example%2F&Timeout=soon", 400),
            ("Calls", f"{good}&Url=https%3A%2F%2Fa.example%2F&Method=PUT", 400),
            ("Calls", f"{good}&Url=https%3A%2F%2Fa.example%2F&Url=https%3A%2F%2Fb.example%2F", 400),
            ("Calls", f"{good}&StatusCallbackEvent=ended&Twiml=x", 400),
            ("Calls", "To=%2B41791234567&Twiml=x", 400),
        ):
            with self.subTest(resource=resource, body=body):
                self.assertEqual(self.fake.take(f"{path}/{resource}.json", authorised, body)[0], status)
        self.assertEqual(self.fake.take(f"{path}/Messages.json", {**authorised, "authorization": ""}, good)[0], 401)
