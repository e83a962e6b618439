"""The guides of vendors against what the code reads."""

from pathlib import Path

from django.conf import settings
from django.test import SimpleTestCase

from intake.readers import adapters, examples
from intake.vocabulary import Kind

INDEX = settings.BASE_DIR / "docs" / "integrations.md"


def guide_of(kind: str) -> Path:
    return settings.BASE_DIR / "integrations" / kind / "guide.md"


class GuideTests(SimpleTestCase):
    def test_it_has_a_guide_a_reader_and_examples_for_every_kind(self) -> None:
        for kind in set(Kind.values) - {Kind.LOGS}:
            with self.subTest(kind):
                self.assertTrue(guide_of(kind).is_file())
                self.assertTrue(examples(adapters()[kind]))

    def test_it_has_a_kind_for_every_reader(self) -> None:
        self.assertEqual(adapters().keys() - set(Kind.values), set())

    def test_it_lists_every_guide(self) -> None:
        index = INDEX.read_text(encoding="utf-8")
        pages = (settings.BASE_DIR / "integrations").rglob("*.md")

        unlisted = [page.name for page in pages if f"(../{page.relative_to(settings.BASE_DIR)})" not in index]

        self.assertEqual(unlisted, [])

    def test_it_says_in_every_guide_where_to_send(self) -> None:
        for kind in adapters():
            with self.subTest(kind):
                self.assertRegex(guide_of(kind).read_text(encoding="utf-8"), r"/intake/|/v2/|/api/v2/alerts")
