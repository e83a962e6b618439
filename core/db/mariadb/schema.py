"""Migrations that can be resumed: what an interrupted one has done already is passed over.

MySQL and MariaDB commit each DDL statement by itself. A migration that broke off is run from its start again (see the
command `migrate`), and finds its first steps done: a table that exists, a column that is gone. Of a migration that was
begun before, and of no other, that is taken for what it is.
"""

from typing import Any

import structlog
from django.db import Error
from django.db.backends.mysql.schema import DatabaseSchemaEditor

from core.db.faults import code_of

log = structlog.get_logger(__name__)

# A table, column, key, primary key, foreign key or check that exists already.
MADE_CODES = frozenset({1022, 1050, 1060, 1061, 1068, 1826, 3822})
# A table, column, key or constraint that is gone already, or has its new name.
GONE_CODES = frozenset({1051, 1054, 1072, 1091, 1146, 1176, 3821, 3940})
NOT_MADE = 1005  # MariaDB, of a foreign key whose name is there: "errno: 121"
STATEMENTS = ("CREATE", "ALTER", "DROP", "RENAME")


class SchemaEditor(DatabaseSchemaEditor):
    """Django's, which passes over what is done where the connection `resumes_migration`."""

    def execute(self, sql: Any, params: Any = ()) -> None:
        """Run a statement. Raises what the database says, unless it says that this was done before."""
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
        except ValueError:  # there is none, or there are several
            if not getattr(self.connection, "resumes_migration", False):
                raise


def is_done(error: Exception, statement: str) -> bool:
    """Whether the database refuses the statement for what it does having been done."""
    if not statement.lstrip().upper().startswith(STATEMENTS):
        return False
    code = code_of(error)
    return code in MADE_CODES or code in GONE_CODES or (code == NOT_MADE and "121" in str(error))
