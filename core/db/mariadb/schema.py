"""Resume interrupted migrations, skipping what was done.

MySQL and MariaDB commit each DDL statement. A migration that broke off restarts (see the command `migrate`) and finds
its first steps done; only for one that was begun before is that no error.
"""

from typing import Any

import structlog
from django.db import Error
from django.db.backends.mysql.schema import DatabaseSchemaEditor

from core.db.faults import code_of

log = structlog.get_logger(__name__)

# a table, column, key or check that exists already
MADE_CODES = frozenset({1022, 1050, 1060, 1061, 1068, 1826, 3822})
# a table, column, key or constraint that is gone already, or renamed
GONE_CODES = frozenset({1051, 1054, 1072, 1091, 1146, 1176, 3821, 3940})
NOT_MADE = 1005  # MariaDB, of an existing foreign key: "errno: 121"
STATEMENTS = ("CREATE", "ALTER", "DROP", "RENAME")


class SchemaEditor(DatabaseSchemaEditor):
    """Django's, skipping what is done where the connection `resumes_migration`."""

    def execute(self, sql: Any, params: Any = ()) -> None:
        """Run a statement, unless the database says that it was done before."""
        try:
            super().execute(sql, params)
        except Error as error:
            statement = str(sql)
            if not getattr(self.connection, "resumes_migration", False) or not is_done(error, statement):
                raise
            log.info("migration_step_done_before", statement=statement[:200], said=str(error))

    def _delete_composed_index(self, *args: Any) -> None:
        try:
            super()._delete_composed_index(*args)  # type: ignore[misc]  # the stubs know no private methods
        except ValueError:  # none, or several
            if not getattr(self.connection, "resumes_migration", False):
                raise


def is_done(error: Exception, statement: str) -> bool:
    """Return whether the database refuses the statement because it was done."""
    if not statement.lstrip().upper().startswith(STATEMENTS):
        return False
    code = code_of(error)
    return code in MADE_CODES or code in GONE_CODES or (code == NOT_MADE and "121" in str(error))
