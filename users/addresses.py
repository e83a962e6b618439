"""E-mail addresses in their one stored form."""

from typing import TYPE_CHECKING, Any

from django.db import models

from core.text.normalizing import normalized


def canonical(email: str) -> str:
    """Return the stored form: NFC, lower case, stripped; `ß` is not `ss`."""
    return normalized("NFC", normalized("NFC", email).strip().lower())


if TYPE_CHECKING:
    Email = models.EmailField[str, str]
else:
    Email = models.EmailField


class AddressField(Email):
    """Compared by characters: MySQL's own collations take `júlia` for `julia`."""

    def db_parameters(self, connection: Any) -> Any:
        parameters = super().db_parameters(connection)
        if connection.vendor == "mysql":
            parameters["collation"] = "utf8mb4_bin"
        return parameters
