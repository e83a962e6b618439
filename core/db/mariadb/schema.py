"""Resume interrupted migrations: MySQL commits each DDL statement."""

from typing import Any

import structlog
from django.db import Error
from django.db.backends.mysql.schema import DatabaseSchemaEditor

from core.db.faults import code_of

log = structlog.get_logger(__name__)

# exists already
MADE_CODES = frozenset({1022, 1050, 1060, 1061, 1068, 1826, 3822})
# is gone already
GONE_CODES = frozenset({1051, 1054, 1072, 1091, 1146, 1176, 3821, 3940})
NOT_MADE = 1005  # foreign key exists (MariaDB)
STATEMENTS = ("CREATE", "ALTER", "DROP", "RENAME")


class SchemaEditor(DatabaseSchemaEditor):
    """Django's, skipping what is done when `resumes_migration`."""

    def execute(self, sql: Any, params: Any = ()) -> None:
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
        except ValueError:
            if not getattr(self.connection, "resumes_migration", False):
                raise


def is_done(error: Exception, statement: str) -> bool:
    if not statement.lstrip().upper().startswith(STATEMENTS):
        return False
    code = code_of(error)
    return code in MADE_CODES or code in GONE_CODES or (code == NOT_MADE and "121" in str(error))
