"""The layout of Telegram's messages."""

from django.test import SimpleTestCase

from notifications.channels.chat.tests.messages import EXTREMES, page
from notifications.channels.telegram.layout import layout
from notifications.channels.telegram.tests.fake import judge_text


class LayoutTests(SimpleTestCase):
    def test_it_lays_out_what_telegram_takes(self) -> None:
        for message in EXTREMES:
            with self.subTest(message.title[:20]):
                self.assertEqual(judge_text(layout(message)), "")

    def test_its_judge_refuses_what_telegram_refuses(self) -> None:
        for text in ("", "x" * 4097, "😀" * 2049, "<b>x", "<script>x</script>", "x</b>", "<b onclick='x'>y</b>"):
            with self.subTest(text[:20]):
                self.assertTrue(judge_text({"text": text}))

    def test_it_escapes_and_keeps_the_link(self) -> None:
        found = layout(page(title="<b>", body="a & b"))

        self.assertIn("<b>INC-1042: &lt;b&gt;</b>\n⬢ Critical · Open\na &amp; b\n", found["text"])
        self.assertTrue(found["text"].endswith('">Open</a>'))

    def test_it_offers_buttons_with_short_data(self) -> None:
        keyboard = layout(page())["reply_markup"]["inline_keyboard"]

        self.assertEqual(keyboard[0][0], {"text": "Acknowledge", "callback_data": "acknowledge:1042"})
        self.assertEqual([len(row) for row in keyboard], [2, 2])
        self.assertIn("url", layout(page(count=3))["reply_markup"]["inline_keyboard"][0][0])
        self.assertNotIn("reply_markup", layout(page(count=3, answer_url="")))
        self.assertEqual(
            layout(page(status="closed", buttons=(), edits="1:2"))["reply_markup"], {"inline_keyboard": []}
        )
