"""What the databases' errors say: whose fault it is, and whether the same work may succeed when tried again."""

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

# MySQL: 1213 deadlock found, 1205 lock wait timeout. Both rolled the work back, and both go away by trying again.
RETRIED_CODES = frozenset({1205, 1213})
# Of a connection that is no more, or never was: shutting down, network errors, killed, refused, gone away, lost, timed
# out, out of step.
LOST_CODES = frozenset({1053, 1080, 1152, 1158, 1159, 1160, 1161, 1927, 2002, 2003, 2006, 2013, 2014, 2027, 2055, 4031})
PACKET_TOO_LARGE = 1153
# What is written is to blame: a statement longer than the server takes, a row too large, a pattern or characters that
# it does not know, numbers and texts that do not fit, too many placeholders, JSON and geometry that are none.
CONTENT_CODES = frozenset(
    {PACKET_TOO_LARGE, 1118, 1139, 1264, 1300, 1301, 1366, 1390, 1406, 1416, 3140, 3141, 3144, 4038}
)
CONTENT_WORDS = ("too many SQL variables", "blob too big", "tree is too large", "parser stack overflow")  # SQLite's
TOO_LARGE_CODES = frozenset({PACKET_TOO_LARGE, 1118, 1301, 1406})  # a row, the result of CONCAT, a column
TOO_LARGE_WORDS = ("blob too big",)  # SQLite's
CORRUPT_WORDS = ("malformed", "not a database")  # SQLite's, in an error of no kind of its own
# Tables, columns and rights that are not there (yet): `migrate` and operators mend that.
SCHEMA_CODES = frozenset({1044, 1045, 1049, 1054, 1142, 1143, 1146, 1227})


class CommitUnknown(OperationalError):
    """The answer to a COMMIT was lost, and nobody could be asked in time what became of it.

    The rows may be there or not: whatever belongs to them stays until somebody has looked. Of every other error of a
    transaction it is known that nothing was committed.
    """


def is_transient(error: BaseException) -> bool:
    """Whether the database itself says that the same work may succeed when tried again at once."""
    return isinstance(error, OperationalError) and code_of(error) in RETRIED_CODES


def is_lost(error: BaseException) -> bool:
    """Whether the connection is to blame, and nothing was committed on it."""
    if isinstance(error, CommitUnknown):
        return False
    return isinstance(error, InterfaceError) or (isinstance(error, OperationalError) and code_of(error) in LOST_CODES)


def is_database_unavailable(error: BaseException) -> bool:
    """Whether the database is to blame, so that a queue waits for it and nothing that waits there is put aside.

    It is gone, busy, locked, read-only, full, out of order or not what we expect of it: everything but what its errors
    say of the rows themselves, which would hold up all that comes after them for ever.
    """
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
    """Whether what is written is larger than the database takes, however often it is tried."""
    if not isinstance(error, (OperationalError, DataError)):
        return False
    return code_of(error) in TOO_LARGE_CODES or any(words in str(error) for words in TOO_LARGE_WORDS)


def code_of(error: BaseException) -> int | None:
    """The number that MySQL gives the error; None where it has none."""
    code = error.args[0] if error.args else None
    return code if isinstance(code, int) else None
