"""Classify database errors: whose fault, and retry or not."""

from django.db import (
    DatabaseError,
    DataError,
    IntegrityError,
    InterfaceError,
    InternalError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
)

# MySQL: deadlock (1213), lock wait timeout (1205); both rolled back
RETRIED_CODES = frozenset({1205, 1213})
# connections lost or never made
LOST_CODES = frozenset({1053, 1080, 1152, 1158, 1159, 1160, 1161, 1927, 2002, 2003, 2006, 2013, 2014, 2027, 2055, 4031})
PACKET_TOO_LARGE = 1153
# bad content: too long or many, unknown characters or patterns, invalid JSON
CONTENT_CODES = frozenset(
    {PACKET_TOO_LARGE, 1118, 1139, 1264, 1300, 1301, 1366, 1390, 1406, 1416, 3140, 3141, 3144, 4038}
)
CONTENT_WORDS = ("too many SQL variables", "blob too big", "tree is too large", "parser stack overflow")
TOO_LARGE_CODES = frozenset({PACKET_TOO_LARGE, 1118, 1301, 1406})  # row, CONCAT, column
TOO_LARGE_WORDS = ("blob too big",)
CORRUPT_WORDS = ("malformed", "not a database")  # in generic errors
# Missing tables, columns, rights: operators mend these.
SCHEMA_CODES = frozenset({1044, 1045, 1049, 1054, 1142, 1143, 1146, 1227})


class CommitUnknown(OperationalError):
    """A COMMIT's outcome is unknown: keep whatever belongs to the rows.

    Any other error means that nothing was committed.
    """


def is_transient(error: BaseException) -> bool:
    """Return whether a retry may succeed now."""
    return isinstance(error, OperationalError) and code_of(error) in RETRIED_CODES


def is_lost(error: BaseException) -> bool:
    """Return whether the connection broke, committing nothing."""
    if isinstance(error, CommitUnknown):
        return False
    return isinstance(error, InterfaceError) or (isinstance(error, OperationalError) and code_of(error) in LOST_CODES)


def is_database_unavailable(error: BaseException) -> bool:
    """Return whether the database, not a row, is to blame."""
    if isinstance(error, (DataError, IntegrityError, NotSupportedError)):
        return False
    if isinstance(error, ProgrammingError):
        return code_of(error) in SCHEMA_CODES
    if not isinstance(error, (OperationalError, InterfaceError, InternalError)):
        return isinstance(error, DatabaseError) and any(words in str(error) for words in CORRUPT_WORDS)
    if (code := code_of(error)) is not None:
        return code not in CONTENT_CODES
    return not any(words in str(error) for words in CONTENT_WORDS)


def is_too_large(error: BaseException) -> bool:
    if not isinstance(error, (OperationalError, DataError)):
        return False
    return code_of(error) in TOO_LARGE_CODES or any(words in str(error) for words in TOO_LARGE_WORDS)


def code_of(error: BaseException) -> int | None:
    code = error.args[0] if error.args else None
    return code if isinstance(code, int) else None
