from django.core.management.base import CommandError
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor


def require_migrated() -> None:
    """Raise CommandError for an unreachable or unmigrated database."""
    try:
        executor = MigrationExecutor(connection)
    except DatabaseError as error:
        raise CommandError(f"The database {_name()} cannot be reached: {error}") from error
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise CommandError(
            f"The database {_name()} is not migrated. Is DATABASE_URL the one that the server has? "
            "If so, run `manage.py migrate` first."
        )


def _name() -> str:
    of = connection.settings_dict
    if connection.vendor == "sqlite":
        return str(of["NAME"])
    return f"{of['NAME']} at {of['HOST'] or 'localhost'}"
