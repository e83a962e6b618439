"""The text that Apprise sends."""

from django.test import SimpleTestCase

from notifications.channels.apprise.layout import layout, notify_type, quiet
from notifications.channels.chat.tests.messages import EXTREMES, page


class LayoutTests(SimpleTestCase):
    def test_it_keeps_within_the_service_and_keeps_the_link(self) -> None:
        for message in EXTREMES:
            for most in (380, 2000, 32_768):
                with self.subTest(message.title[:20], most=most):
                    title, body = layout(message, most)

                    self.assertLessEqual(len(body.encode()), most)
                    self.assertLessEqual(len(title), 200)
                    self.assertTrue(body.endswith(message.url))

    def test_it_rouses_no_whole_room(self) -> None:
        for text in ("@everyone", "@here!", "@channel", "@ALL", "@room", "<@123>"):
            with self.subTest(text):
                self.assertNotIn(text, quiet(text))
        self.assertEqual(quiet("ada@example.org, @allison"), "ada@example.org, @allison")

    def test_it_says_how_bad_it_is(self) -> None:
        self.assertEqual(notify_type(page()), "failure")
        self.assertEqual(notify_type(page(severity="low")), "info")
        self.assertEqual(notify_type(page(status="resolved")), "success")
