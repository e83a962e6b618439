"""Keep the texts that announcements begin with."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from core.actor import acting
from core.db.transactions import unit_of_work
from core.errors import DomainError
from incidents.actors import By, person
from status_page.models import UpdateTemplate
from status_page.permissions import require_admin
from status_page.services.checking import MESSAGE, TITLE, known, require_valid, translations_of
from status_page.services.page import other_languages
from status_page.vocabulary import STATES, Kind

FIELDS = ("name", "kind", "state", "title", "message", "translations")


@unit_of_work
def add_template(*, by: By, values: Mapping[str, Any]) -> UpdateTemplate:
    """Add a template. Raises DomainError."""
    require_admin(by)
    return _write(UpdateTemplate(), values, by)


@unit_of_work
def edit_template(template: UpdateTemplate, *, by: By, changes: Mapping[str, Any]) -> UpdateTemplate:
    """Change a template. Raises DomainError."""
    require_admin(by)
    return _write(UpdateTemplate.objects.select_for_update().get(pk=template.pk), changes, by)


@unit_of_work
def remove_template(template: UpdateTemplate, *, by: By) -> None:
    require_admin(by)
    with acting(person(by)):
        template.delete()


def _write(template: UpdateTemplate, values: Mapping[str, Any], by: By) -> UpdateTemplate:
    changes = known(values, FIELDS)
    if "translations" in changes:
        changes["translations"] = translations_of(changes["translations"], {**TITLE, **MESSAGE}, other_languages())
    is_new = template.pk is None
    for name, value in changes.items():
        setattr(template, name, value)
    require_valid(template, ["name", *changes] if is_new else list(changes))
    if template.state and template.state not in STATES[Kind(template.kind)]:
        raise DomainError(_("This kind of announcement has no such state."), field="state")
    with acting(person(by)):
        template.save() if is_new else template.save(update_fields=list(changes))
    return template
