"""The guides of vendors against what the code reads."""

from pathlib import Path

from django.conf import settings
from django.test import SimpleTestCase

from intake.readers import examples, payload_readers


def guide_of(kind: str) -> Path:
    return settings.BASE_DIR / "integrations" / kind / "guide.md"


class GuideTests(SimpleTestCase):
    def test_it_has_a_guide_and_examples_for_every_vendor(self) -> None:
        for kind, reader in payload_readers().items():
            with self.subTest(kind):
                self.assertTrue(guide_of(kind).is_file())
                self.assertTrue(examples(reader))

    def test_it_says_in_every_guide_where_to_send(self) -> None:
        for kind in payload_readers():
            with self.subTest(kind):
                self.assertRegex(guide_of(kind).read_text(encoding="utf-8"), r"/intake/|/v2/|/api/v2/alerts")
