"""Check what is to be written: values of rows, translations, components."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Model
from django.utils.translation import gettext as _

from core.errors import DomainError
from status_page.models import Component

Translations = dict[str, dict[str, str]]
Limits = Mapping[str, int]

PAGE_TEXTS: Limits = {"name": 100, "about": 2000}
GROUP_TEXTS: Limits = {"name": 100}
COMPONENT_TEXTS: Limits = {"name": 100, "description": 500}
TITLE: Limits = {"title": 200}
MESSAGE: Limits = {"message": 10_000}
REVIEW: Limits = {"review": 100_000}
MOST_COMPONENTS = 1_000


def require_valid(row: Model, names: Collection[str]) -> None:
    """Raise DomainError for the first value of these fields that the row's model refuses."""
    others = {field.name for field in row._meta.fields} - set(names)
    try:
        row.clean_fields(exclude=others)
        row.clean()
    except ValidationError as error:
        field, messages = next(iter(error.message_dict.items()))
        raise DomainError(messages[0], field=None if field == "__all__" else field) from error


def known(changes: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    """Return the changes. Raises DomainError for a field that is not among the names."""
    for name in changes:
        if name not in names:
            raise DomainError(
                _("There is no field %(name)s; there are: %(names)s.") % {"name": name, "names": ", ".join(names)},
                field=name,
                code="unknown_field",
            )
    return dict(changes)


def text_of(value: object, limit: int, field: str, *, may_be_empty: bool = False) -> str:
    """Return a text without outer blanks. Raises DomainError if it is none, is empty, or too long."""
    if not isinstance(value, str):
        raise DomainError(_("Must be a text."), field=field)
    text = value.strip()
    if not text and not may_be_empty:
        raise DomainError(_("This must not be empty."), field=field, code="blank")
    if len(text) > limit:
        raise DomainError(
            _("At most %(limit)s characters; these are %(length)s.") % {"limit": limit, "length": len(text)},
            field=field,
            code="max_length",
        )
    if "\0" in text or any("\ud800" <= mark <= "\udfff" for mark in text):
        raise DomainError(_("The text contains an invalid character."), field=field)
    return text


def title_of(value: object, field: str = "title") -> str:
    """Return a title: a text on one line."""
    return " ".join(text_of(value, TITLE["title"], field).split())


def translations_of(given: object, limits: Limits, languages: Collection[str]) -> Translations:
    """Return translations {code: {field: text}} without empty texts; `languages` are those other than the main one.

    Raises DomainError for another language or field.
    """
    if given is None:
        return {}
    found: Translations = {}
    for code, texts in _items(given):
        if code not in languages:
            raise DomainError(
                _("%(language)s is not another language of the page.") % {"language": code},
                field="translations",
                code="unknown_language",
            )
        kept = {name: _translated(name, text, limits) for name, text in _items(texts)}
        if kept := {name: text for name, text in kept.items() if text}:
            found[code] = kept
    return found


def components_of(chosen: Iterable[Component | int], *, kept: Collection[int] = ()) -> list[Component]:
    """Return the components by id, each once. Raises DomainError for ones not on the page, unless `kept`."""
    ids = sorted({one.pk if isinstance(one, Component) else one for one in chosen})
    if len(ids) > MOST_COMPONENTS:
        raise DomainError(_("At most %(limit)s components.") % {"limit": MOST_COMPONENTS}, field="components")
    found = [one for one in Component.objects.filter(pk__in=ids).order_by("pk") if one.is_active or one.pk in kept]
    if len(found) < len(ids):
        missing = sorted(set(ids) - {one.pk for one in found})
        raise DomainError(
            _("There is no component %(ids)s on the page.") % {"ids": ", ".join(map(str, missing))},
            field="components",
            code="does_not_exist",
        )
    return found


def _items(given: object) -> Iterable[tuple[str, Any]]:
    if not isinstance(given, Mapping):
        raise DomainError(_('Translations are {"language": {"field": "text"}}.'), field="translations")
    return [(str(key), value) for key, value in given.items()]


def _translated(name: str, text: object, limits: Limits) -> str:
    if name not in limits:
        raise DomainError(
            _("%(name)s cannot be translated here; only: %(names)s.") % {"name": name, "names": ", ".join(limits)},
            field="translations",
            code="unknown_field",
        )
    plain = text_of(text, limits[name], "translations", may_be_empty=True)
    return plain if name in ("message", "about", "review") else " ".join(plain.split())
