"""`manage.py reindex_search`: rebuild the search index."""

from typing import Any

from django.core.management.base import BaseCommand

from core.management.migrated import require_migrated
from incidents.search import rebuild_index


class Command(BaseCommand):
    """Rebuild the search index."""

    help = "Rebuild the search index from incidents and their timelines. The site may stay up."

    def handle(self, *args: Any, **options: Any) -> None:
        """Rebuild it and print how many incidents were indexed."""
        require_migrated()
        done = max(rebuild_index(), default=0)
        self.stdout.write(f"{done:,} incidents indexed.")
