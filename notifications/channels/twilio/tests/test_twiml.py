from dataclasses import replace

from django.test import SimpleTestCase

from notifications.channels.port import Message
from notifications.channels.twilio import twiml
from notifications.channels.twilio.spoken import seal, unseal
from notifications.channels.twilio.tests import player

PAGE = Message(
    key="k",
    kind="page",
    title="INC-1042 Critical: Disk <full> & db-3",
    reference="INC-1042",
    severity="critical",
    lines=("You are on call: Primary",),
)


def heard(document: bytes, *keys: str) -> player.Heard:
    return player.play("https://a.example/", lambda address, form: document.decode(), list(keys))


class TwiMLTests(SimpleTestCase):
    def ask(self, message: Message, **changes: object) -> bytes:
        spoken = unseal(seal(replace(message, **changes)))
        return twiml.ask(spoken, action="https://a.example/?a=1&b=2", following="https://a.example/next")

    def test_it_says_what_happened_and_asks_for_one_key(self):
        response = player.parse(self.ask(PAGE).decode())
        gather = response.find("Gather")

        self.assertEqual([verb.tag for verb in response], ["Gather", "Redirect"])
        self.assertEqual((gather.get("numDigits"), gather.get("action")), ("1", "https://a.example/?a=1&b=2"))
        self.assertEqual(
            gather.findtext("Say"),
            "This is the incident response system. critical incident, INC 1 0 4 2. Disk <full> & db-3. "
            "You are on call: Primary. Press 1 to acknowledge, 2 to hear this again, 3 to resolve. "
            "Without a key, the next person is called.",
        )

    def test_it_speaks_the_readers_language(self):
        say = player.parse(self.ask(PAGE, language="de").decode()).find("Gather/Say")

        self.assertEqual((say.get("language"), say.get("voice")), ("de-DE", "Polly.Vicki"))
        self.assertIn("Schweregrad kritisch", say.text)

    def test_it_says_how_many_incidents_there_are(self):
        text = player.parse(self.ask(PAGE, title="20 incidents need you: 2 critical", count=20).decode()).findtext(
            "Gather/Say"
        )

        self.assertNotIn("INC", text)
        self.assertIn("20 incidents need you: 2 critical. Key 1 acknowledges all of them.", text)

    def test_it_spells_codes_twice(self):
        code = unseal(seal(Message(key="k", kind="code", title="123456 is your code")))

        said = heard(twiml.tell_code(code)).said

        self.assertEqual(said, ["1, 2, 3, 4, 5, 6 is your code."] * 2)

    def test_it_says_no_sign_that_breaks_xml(self):
        hostile = "a\x00b\x0b\ud800\ufffe<Hangup/>" + "x" * 5000

        said = heard(twiml.tell("en", hostile)).said[0]

        self.assertTrue(said.startswith("ab"))
        self.assertIn("<Hangup/>", said)

    def test_it_answers_an_sms_or_says_nothing(self):
        self.assertEqual(player.parse(twiml.reply("a < b").decode()).findtext("Message"), "a < b")
        self.assertEqual(len(player.parse(twiml.reply("").decode())), 0)
