"""docs/integrations/ against what the code reads."""

from django.conf import settings
from django.test import SimpleTestCase

from alerts.adapters import EXAMPLES, adapters
from alerts.vocabulary import Kind

PAGES = settings.BASE_DIR / "docs" / "integrations"


class IntegrationPageTests(SimpleTestCase):
    def test_it_has_a_page_an_adapter_and_examples_for_every_kind(self) -> None:
        for kind in Kind.values:
            with self.subTest(kind):
                self.assertTrue((PAGES / f"{kind}.md").is_file())
                if kind != Kind.LOGS:
                    self.assertIn(kind, adapters())
                    self.assertTrue((EXAMPLES / f"{kind}.json").is_file())

    def test_it_has_a_kind_for_every_adapter(self) -> None:
        self.assertEqual(adapters().keys() - set(Kind.values), set())

    def test_it_lists_every_page(self) -> None:
        index = (PAGES / "README.md").read_text(encoding="utf-8")

        unlisted = [
            page.name for page in PAGES.glob("*.md") if page.name != "README.md" and f"({page.name})" not in index
        ]

        self.assertEqual(unlisted, [])

    def test_it_says_on_every_page_where_to_send(self) -> None:
        for kind in adapters():
            with self.subTest(kind):
                page = (PAGES / f"{kind}.md").read_text(encoding="utf-8")

                self.assertRegex(page, r"/intake/|/v2/|/api/v2/alerts")
