from django.test import SimpleTestCase

from notifications.channels.sms.replies import Reply, parse

TEXTS = {
    "4271 A": Reply("acknowledge", "4271"),
    "4271a": Reply("acknowledge", "4271"),
    "a 4271": Reply("acknowledge", "4271"),
    " Ack 4271 thanks": Reply("acknowledge", "4271"),
    "ACK": Reply("acknowledge"),
    "a": Reply("acknowledge"),
    "4271 R": Reply("resolve", "4271"),
    "Resolved.": Reply("resolve"),
    "4271 take": Reply("take", "4271"),
    "4271 N Restarted the pump: 3 of 4 are up": Reply("note", "4271", "Restarted the pump: 3 of 4 are up"),
    "4271 n": Reply("", "4271"),
    "4271": Reply("", "4271"),
    "a colleague looks at it": Reply(""),
    "4271 a colleague looks at it": Reply("", "4271"),
    "123 a": Reply(""),
    "": Reply(""),
    "???": Reply(""),
    "?": Reply("help"),
    "Help": Reply("help"),
    "STOP": Reply("stop"),
    "stop.": Reply("stop"),
    "stop calling me": Reply(""),
    "on my way": Reply(""),
}


class ReplyTests(SimpleTestCase):
    def test_it_reads_words_and_codes(self):
        for text, reply in TEXTS.items():
            with self.subTest(text):
                self.assertEqual(parse(text), reply)
