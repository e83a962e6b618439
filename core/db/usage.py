"""Find what uses a row, and offer to disable it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from auditlog.registry import auditlog
from django.core.exceptions import ValidationError
from django.db.models import PROTECT, SET_NULL, Model, QuerySet
from django.utils.translation import gettext

MOST_COUNTED = 1000
SWITCHES = ("is_enabled", "is_active")


@dataclass(frozen=True)
class Usage:
    """How many rows of a model use a row, and by which field."""

    model: type[Model]
    field: str
    may_be_emptied: bool
    count: int

    def __str__(self) -> str:
        options = self.model._meta
        if self.count == 1:
            return f"1 {options.verbose_name}"
        if self.count > MOST_COUNTED:
            return gettext("more than %(number)s %(things)s") % {
                "number": f"{MOST_COUNTED:,}",
                "things": options.verbose_name_plural,
            }
        return f"{self.count:,} {options.verbose_name_plural}"


def usage_of(row: Model) -> list[Usage]:
    """Return the row's uses, counted up to a limit."""
    counted = (
        Usage(model, field, may_be_emptied, rows_naming(row, model, field)[: MOST_COUNTED + 1].count())
        for model, field, may_be_emptied in _relations(type(row))
    )
    return [usage for usage in counted if usage.count]


def rows_naming(row: Model, model: type[Model], field: str) -> QuerySet[Any, Any]:
    return model._base_manager.filter(**{field: row}).order_by().values("pk")


def switch_of(model: type[Model]) -> str | None:
    """Return the field that disables a row, if any."""
    return next((field.name for field in model._meta.concrete_fields if field.name in SWITCHES), None)


def off_state_of(model: type[Model]) -> str:
    """Return the word for a disabled row."""
    return gettext("retired") if switch_of(model) == "is_active" else gettext("disabled")


def instead_of_deleting(row: Model) -> tuple[str, str]:
    """Return the alternative to deleting, or why none; "" without a switch."""
    switch = switch_of(type(row))
    if switch is None:
        return "", ""
    if not getattr(row, switch):
        return "", gettext("It is already %(state)s.") % {"state": off_state_of(type(row))}
    setattr(row, switch, False)
    try:
        refusal = refusal_of(row)
    finally:
        setattr(row, switch, True)
    return ("", refusal) if refusal else (gettext("Retire it") if switch == "is_active" else gettext("Disable it"), "")


def refusal_of(row: Model) -> str:
    """Return why the row is invalid, or ""."""
    try:
        row.clean()
    except ValidationError as error:
        return " ".join(error.messages)
    return ""


def _relations(model: type[Model]) -> Iterator[tuple[type[Model], str, bool]]:
    for relation in model._meta.get_fields(include_hidden=True):
        related: Any = relation.related_model
        if not relation.auto_created or relation.concrete or related._meta.auto_created:
            continue
        rule = getattr(relation, "on_delete", None)
        if relation.many_to_many or rule is PROTECT or (rule is SET_NULL and auditlog.contains(related)):
            yield related, relation.field.name, rule is SET_NULL  # type: ignore[union-attr]
