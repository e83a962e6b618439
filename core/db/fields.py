from typing import Any

from django.db import models
from django.db.models.lookups import BuiltinLookup, Exact


class FlagField(models.BooleanField):  # type: ignore[type-arg]  # it takes none at run time
    """A boolean compared as `column = 1`: indexes ignore Django's bare `WHERE column`."""

    def deconstruct(self) -> Any:
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.BooleanField", args, kwargs


@FlagField.register_lookup
class FlagExact(Exact):
    def as_sql(self, compiler: Any, connection: Any) -> Any:
        return BuiltinLookup.as_sql(self, compiler, connection)


class ExactCharField(models.CharField):  # type: ignore[type-arg]  # it takes none at run time
    """Text compared by characters: MySQL's own collations equate `API` and `api`."""

    def db_parameters(self, connection: Any) -> Any:
        parameters = super().db_parameters(connection)
        if connection.vendor == "mysql":
            parameters["collation"] = "utf8mb4_bin"
        return parameters
