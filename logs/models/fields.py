"""Columns of our own."""

from typing import Any

from django.db import models


class ExactCharField(models.CharField):  # type: ignore[type-arg]  # it takes none at run time
    """Text that is compared by its characters, whatever the database: MySQL's own collations take `API` for `api`."""

    def db_parameters(self, connection: Any) -> Any:
        """With a binary collation where the database's own is not one."""
        parameters = super().db_parameters(connection)
        if connection.vendor == "mysql":
            parameters["collation"] = "utf8mb4_bin"
        return parameters
