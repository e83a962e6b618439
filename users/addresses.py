"""E-mail addresses in the one form in which they are stored, looked up and counted."""

from typing import TYPE_CHECKING, Any

from django.db import models

from core.text.normalizing import normalized


def canonical(email: str) -> str:
    """Return an address as it is stored: composed (NFC), in lower case, stripped. `ß` is not `ss`, `ú` is not `u`."""
    return normalized("NFC", normalized("NFC", email).strip().lower())


if TYPE_CHECKING:
    Email = models.EmailField[str, str]
else:
    Email = models.EmailField


class AddressField(Email):
    """An address compared by its characters: MySQL's own collations sign `júlia` in as `julia`."""

    def db_parameters(self, connection: Any) -> Any:
        parameters = super().db_parameters(connection)
        if connection.vendor == "mysql":
            parameters["collation"] = "utf8mb4_bin"
        return parameters
