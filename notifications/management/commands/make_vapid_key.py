"""`manage.py make_vapid_key`."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from notifications.channels.push import vapid


class Command(BaseCommand):
    """Print the settings of browser push."""

    help = "Make the key that push services know this server by, as two lines for .env. A new key ends subscriptions."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("contact", help="Whom push services may write to: you@example.org or https://example.org.")

    def handle(self, *args: Any, **options: Any) -> None:
        contact = options["contact"]
        subject = contact if contact.startswith(("https://", "mailto:")) else f"mailto:{contact}"
        if not vapid.is_contact(subject):
            raise CommandError("Expected an email address, or an address of a page that begins with https.")
        self.stdout.write(f"VAPID_PRIVATE_KEY={vapid.new_private_key()}\nVAPID_SUBJECT={subject}")
