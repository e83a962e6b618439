"""Texts in the page's main language, and a field set for each other language."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from django import forms
from django.conf.locale import LANG_INFO
from django.forms import BoundField

Translations = dict[str, dict[str, str]]


@dataclass(frozen=True)
class FieldSet:
    """The fields of another language."""

    code: str
    name: str
    fields: list[BoundField]


class TextsForm(forms.Form):
    """A form whose `texts` are asked for in each of the page's languages, the main one first."""

    texts: ClassVar[tuple[str, ...]] = ("title", "message")

    def __init__(self, *args: Any, languages: Sequence[str], **kwargs: Any) -> None:
        self.languages = list(languages)
        super().__init__(*args, **kwargs)

    def _name_languages(self) -> None:
        main, *others = self.languages
        for name in self.texts:
            self.fields[name].widget.attrs["lang"] = main
            for code in others:
                self.fields[in_language(name, code)] = _translated(self.fields[name], code)

    @property
    def main_language(self) -> str:
        return language_name(self.languages[0])

    @property
    def field_sets(self) -> list[FieldSet]:
        """Return the fields of the other languages."""
        return [
            FieldSet(code, language_name(code), [self[in_language(name, code)] for name in self.texts])
            for code in self.languages[1:]
        ]

    def translations(self) -> Translations:
        """Return what was filled in, as services take it."""
        given = {
            code: {name: self.cleaned_data.get(in_language(name, code), "") for name in self.texts}
            for code in self.languages[1:]
        }
        return {code: {name: text for name, text in texts.items() if text} for code, texts in given.items()}

    def missing(self) -> list[str]:
        """Return the names of the languages that lack a text which the main one has."""
        translations = self.translations()
        wanted = {name for name in self.texts if self.cleaned_data.get(name)}
        return [language_name(code) for code in self.languages[1:] if wanted - set(translations.get(code, {}))]


def in_language(name: str, code: str) -> str:
    """Return the name of a field's translation."""
    return f"{name}_{code}"


def language_name(code: str) -> str:
    """Return a language's own name."""
    return str(LANG_INFO.get(code, {}).get("name_local", code))


def initial_texts(translations: Mapping[str, Any], names: Sequence[str]) -> dict[str, str]:
    """Return stored translations as a form begins with them."""
    return dict(_initial_texts(translations, names))


def _initial_texts(translations: Mapping[str, Any], names: Sequence[str]) -> Iterator[tuple[str, str]]:
    for code, texts in translations.items():
        for name in names:
            yield in_language(name, code), texts.get(name, "")


def _translated(field: forms.Field, code: str) -> forms.Field:
    other = copy.deepcopy(field)
    other.required, other.help_text = False, ""
    other.widget.is_required = False
    other.widget.attrs.update({"lang": code, "placeholder": " "})
    return other
