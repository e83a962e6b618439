"""`manage.py write_status_page`: for cron, where no worker runs."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from core.errors import DomainError
from status_page.services.writing import write_page


class Command(BaseCommand):
    help = "Write the files of the status page now; the worker does so by itself."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            count = write_page(timezone.now(), is_forced=True)
        except DomainError as error:
            raise CommandError(error.message) from error
        if options["verbosity"]:
            self.stdout.write(f"{count} files changed.")
