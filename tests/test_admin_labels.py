"""The admin names every kind of thing in the reader's language."""

from django.contrib import admin
from django.db.models import Model
from django.test import SimpleTestCase
from django.utils import translation

from tests.languages.catalogues import allowed_copies


def _names(model: type[Model]) -> tuple[str, str]:
    return str(model._meta.verbose_name), str(model._meta.verbose_name_plural)


class AdminLabelTests(SimpleTestCase):
    def test_it_names_each_model_in_german(self) -> None:
        copies = allowed_copies("de")

        for model in admin.site._registry:
            with self.subTest(model=model._meta.label):
                with translation.override("en"):
                    english = _names(model)
                with translation.override("de"):
                    german = _names(model)
                same = [word for word, said in zip(english, german, strict=True) if word == said]
                self.assertEqual([word for word in same if word not in copies], [])

    def test_it_says_buttons_as_the_console_does(self) -> None:
        with translation.override("de"):
            said = translation.gettext("Save and continue editing")

        self.assertEqual(said, "Speichern und weiter bearbeiten")
