"""Names that tell things apart."""

from django.core.exceptions import ValidationError
from django.db.models import Model


def refuse_twins(row: Model, *fields: str) -> None:
    """Raise Django's ValidationError where another row has the same value of a field but for its case.

    MySQL's collations find these equal and SQLite does not: what one of them takes, both must. For models of which
    there are few rows, and in their `clean()`.
    """
    others = type(row)._base_manager.exclude(pk=row.pk)
    errors = {
        name: row.unique_error_message(type(row), (name,))
        for name in fields
        if str(getattr(row, name)).casefold() in map(str.casefold, others.values_list(name, flat=True))
    }
    if errors:
        raise ValidationError(errors)
