"""What a review's fields may hold."""

from collections.abc import Collection, Mapping
from typing import Any

from django.db.models import Model
from django.utils.translation import gettext as _

from core.errors import DomainError
from core.text.names import one_line

MAX_THEMES = 20
MAX_THEME = 60  # characters
TRANSLATED = ("title", "text")


def require_known(changes: Mapping[str, Any], known: Collection[str]) -> None:
    """Refuse fields that are not among these."""
    if unknown := sorted(set(changes) - set(known)):
        raise DomainError(
            _("There is no field %(unknown)s to change.") % {"unknown": unknown[0]},
            field=unknown[0],
            code="unknown_field",
        )


def text_for(model: type[Model], name: str, value: Any, *, is_required: bool = False) -> str:
    """Return a text as it is stored. Raises DomainError."""
    if not isinstance(value, str):
        raise DomainError(_("Give a text."), field=name)
    column: Any = model._meta.get_field(name)
    text = one_line(value) if column.get_internal_type() == "CharField" else value.replace("\r\n", "\n").strip()
    if "\0" in text:
        raise DomainError(_("Must not contain a null character."), field=name)
    if is_required and not text:
        raise DomainError(_("Write a text."), field=name, code="required")
    if len(text) > column.max_length:
        raise DomainError(
            _("Has at most %(max_length)s characters.") % {"max_length": f"{column.max_length:,}"},
            field=name,
            code="max_length",
        )
    return text


def themes_of(value: Any) -> list[str]:
    """Return themes, each once. Raises DomainError."""
    if not isinstance(value, list) or not all(isinstance(theme, str) for theme in value):
        raise DomainError(_("Give a list of words or phrases."), field="themes")
    themes = list(dict.fromkeys(filter(None, map(one_line, value))))
    if len(themes) > MAX_THEMES or any(len(theme) > MAX_THEME for theme in themes):
        raise DomainError(
            _("A review has at most %(themes)s themes of at most %(theme)s characters.")
            % {"themes": MAX_THEMES, "theme": MAX_THEME},
            field="themes",
        )
    return themes


def translations_of(value: Any, languages: Collection[str], *, model: type[Model]) -> dict[str, dict[str, str]]:
    """Return {language: {title, text}} without empty ones. Raises DomainError for other languages and fields."""
    if not isinstance(value, dict):
        raise DomainError(_("Give an object of languages."), field="public_translations")
    found = {}
    for code, texts in value.items():
        if code not in languages:
            offered = ", ".join(languages) or "none"
            raise DomainError(
                _("%(code)s is no further language of the status page: %(offered)s.")
                % {"code": code, "offered": offered},
                field="public_translations",
            )
        if not isinstance(texts, dict) or set(texts) - set(TRANSLATED):
            raise DomainError(_("A translation has a title and a text."), field="public_translations")
        said = {name: text_for(model, f"public_{name}", text) for name, text in texts.items()}
        if any(said.values()):
            found[code] = {name: text for name, text in said.items() if text}
    return found
