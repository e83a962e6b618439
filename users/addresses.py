"""E-mail addresses: the one form in which they are kept, looked up and counted."""

from typing import TYPE_CHECKING, Any

from django.db import models

from core.text.normalizing import normalized


def canonical(email: str) -> str:
    """An address as it is kept: composed (NFC), in lower case, without space around it.

    Two addresses are the same when these are, byte by byte, on every database; `ß` is not `ss`, `ú` is not `u`.
    """
    return normalized("NFC", normalized("NFC", email).strip().lower())


if TYPE_CHECKING:
    Email = models.EmailField[str, str]
else:
    Email = models.EmailField


class AddressField(Email):
    """An address in its one form, compared by its characters: MySQL's own collations sign `júlia` in as `julia`."""

    def db_parameters(self, connection: Any) -> Any:
        """With a binary collation where the database's own is not one."""
        parameters = super().db_parameters(connection)
        if connection.vendor == "mysql":
            parameters["collation"] = "utf8mb4_bin"
        return parameters
