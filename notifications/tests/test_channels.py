"""What holds for every channel."""

import importlib
from pathlib import Path

from django.conf import settings
from django.test import SimpleTestCase

from core.errors import DomainError
from notifications import channels
from notifications.channels.port import all_channels, channel_of
from notifications.channels.push.tests.test_subscription import subscription

FOLDER = Path(channels.__file__).parent


class ChannelContractTests(SimpleTestCase):
    def test_it_registers_every_folder_that_offers_channels(self) -> None:
        offered = {
            channel.kind
            for path in FOLDER.glob("*/channel.py")
            for channel in importlib.import_module(f"notifications.channels.{path.parent.name}.channel").CHANNELS
        }

        self.assertEqual({channel.kind for channel in all_channels()}, offered)

    def test_it_documents_every_channel(self) -> None:
        listed = (settings.BASE_DIR / "docs" / "channels.md").read_text(encoding="utf-8")
        for channel in all_channels():
            with self.subTest(channel.kind):
                self.assertIn(f"| `{channel.kind}` |", listed)
        for path in FOLDER.glob("*/channel.py"):
            with self.subTest(path.parent.name):
                self.assertTrue((path.parent / "guide.md").exists())
                self.assertIn(f"channels/{path.parent.name}/guide.md", listed)

    def test_it_refuses_nonsense_as_an_address(self) -> None:
        for channel in all_channels():
            for text in ("", " ", "\x00", "nonsense\r\nBcc: x@example.org"):
                with self.subTest(channel.kind, text=text), self.assertRaises(DomainError) as caught:
                    channel.validate(text)
                self.assertEqual(caught.exception.field, "address")

    def test_it_masks_what_is_stored(self) -> None:
        for kind, address, secret in (
            ("email", "someone.private@example.org", "someone.private"),
            ("sms", "+41791234567", "7912345"),
            ("voice", "+41791234567", "7912345"),
            ("push", subscription(), "gAAAAABk"),
            ("webhook", "https://hooks.example/s3cret?key=1", "s3cret"),
            ("sns", "arn:aws:sns:eu-central-1:123456789012:incidents", "123456789012"),
            ("apprise", "discord://4174216298/s3cret", "s3cret"),
        ):
            with self.subTest(kind):
                channel = channel_of(kind)

                shown = channel.mask(channel.validate(address))
                self.assertNotIn(secret, shown)
                self.assertTrue(shown)
