"""Cases of escalation by itself: nothing is delivered, unless a test registers who does."""

from unittest import mock

from django.test import TestCase

REGISTRIES = ("_page_handlers", "_cancel_handlers", "_reach", "_details", "_undelivered", "_findings", "_pauses")


class PagingCase(TestCase):
    """Without those who deliver pages."""

    def setUp(self) -> None:
        super().setUp()
        for name in REGISTRIES:
            patch = mock.patch(f"paging.pages.{name}", new=[])
            patch.start()
            self.addCleanup(patch.stop)
