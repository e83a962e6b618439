from django.test import SimpleTestCase, override_settings
from django.utils.translation import gettext_lazy, override

from core.text import languages


@override_settings(DEFAULT_LANGUAGE="fr")
class LanguageTests(SimpleTestCase):
    def test_it_speaks_the_nearest_language_there_is(self):
        for stored, spoken in (("de", "de"), ("de-AT", "de"), ("pt_BR", "fr"), ("", "fr"), ("tlh", "fr"), ("EN", "en")):
            with self.subTest(stored):
                self.assertEqual(languages.spoken(stored), spoken)

    def test_it_follows_a_browsers_wishes_in_their_order(self):
        for header, spoken in (
            ("ja", "ja"),
            ("it, de-CH;q=0.8, en;q=0.9", "en"),
            ("it;q=1, pt", "fr"),
            ("*", "fr"),
            ("", "fr"),
            ("nonsense;;q=x", "fr"),
        ):
            with self.subTest(header):
                self.assertEqual(languages.accepted(header), spoken)

    def test_it_writes_a_text_when_it_is_read(self):
        text = languages.later(lambda: f"[{gettext_lazy('Yes')}]")

        with override("de"):
            self.assertEqual(str(text), "[Ja]")
        with override("ja"):
            self.assertEqual(f"{text}", "[はい]")
