"""Columns of our own."""

from typing import Any

from django.db import models
from django.db.models.lookups import BuiltinLookup, Exact


class FlagField(models.BooleanField):  # type: ignore[type-arg]  # it takes none at run time
    """A boolean column that an index can find: compared as `column = 1`.

    Django writes a bare `WHERE column` or `WHERE NOT column`, which neither SQLite nor MySQL looks up in an index.
    """

    def deconstruct(self) -> Any:
        """To migrations, and so to the database, it is a plain boolean."""
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.BooleanField", args, kwargs


@FlagField.register_lookup
class FlagExact(Exact):
    """`column = 1` in full."""

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        return BuiltinLookup.as_sql(self, compiler, connection)


class ExactCharField(models.CharField):  # type: ignore[type-arg]  # it takes none at run time
    """Text that is compared by its characters, whatever the database: MySQL's own collations take `API` for `api`."""

    def db_parameters(self, connection: Any) -> Any:
        """With a binary collation where the database's own is not one."""
        parameters = super().db_parameters(connection)
        if connection.vendor == "mysql":
            parameters["collation"] = "utf8mb4_bin"
        return parameters
