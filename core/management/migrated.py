from pathlib import Path

from django.core.management.base import CommandError
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor


def require_migrated() -> None:
    """Raise CommandError for an unreachable or unmigrated database."""
    try:
        is_migrated = _has_file() and _is_migrated()
    except DatabaseError as error:
        raise CommandError(f"The database {_name()} cannot be reached: {error}") from error
    if not is_migrated:
        raise CommandError(
            f"The database {_name()} is not migrated. Is DATABASE_URL the same as the server's? "
            "If so, run `manage.py migrate` first."
        )


def _is_migrated() -> bool:
    executor = MigrationExecutor(connection)
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())


def _has_file() -> bool:
    # SQLite would create one on connecting.
    return connection.vendor != "sqlite" or connection.is_in_memory_db() or Path(_name()).exists()


def _name() -> str:
    of = connection.settings_dict
    if connection.vendor == "sqlite":
        return str(of["NAME"])
    return f"{of['NAME']} at {of['HOST'] or 'localhost'}"
