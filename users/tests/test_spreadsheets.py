from django.test import SimpleTestCase

from users.spreadsheets import defused, restored


class DefusingTests(SimpleTestCase):
    def test_it_defuses_what_a_spreadsheet_would_run(self) -> None:
        for text in ("=1", "+1", "-1", "@x", "\tx", "\rx", "\nx", "  =1", "\uff1d1"):
            with self.subTest(text):
                self.assertEqual(defused(text), f"'{text}")
                self.assertEqual(restored(defused(text)), text)

    def test_it_leaves_everything_else_alone(self) -> None:
        for value in ("plain", "1 = 1", "'quoted", "two\nlines", "", 5, None):
            with self.subTest(value):
                self.assertEqual(defused(value), value)
                self.assertEqual(restored(value), value)
