"""`manage.py reindex_search`: write what the search looks in anew."""

from typing import Any

from django.core.management.base import BaseCommand

from incidents.models import Incident, IncidentEvent
from incidents.search.rebuilding import rebuild


class Command(BaseCommand):
    """Write the search document of every incident anew."""

    help = "Write the search document of every incident anew, from its text and its timeline. The site may stay up."

    def handle(self, *args: Any, **options: Any) -> None:
        """Batch by batch, and say how many there were."""
        done = max(rebuild(Incident, IncidentEvent), default=0)
        self.stdout.write(f"{done:,} incidents can be searched.")
