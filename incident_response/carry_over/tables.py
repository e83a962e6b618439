"""Which earlier columns go where."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import models

from core.models import JobRun
from incident_response.carry_over import CarryOverError

RENAMED = {
    "alerts_earlyend": "alerts_earlyresolve",
    "alerts_intakeevent": "intake_intakeevent",
    "alerts_source": "intake_source",
    "alerts_sourcekey": "intake_sourcekey",
    "alerts_unknownword": "intake_unknownword",
    "incident_response_jobrun": "core_jobrun",
    "users_idempotentrequest": "core_idempotentrequest",
    "users_transactionmarker": "core_transactionmarker",
}
# Present columns, and their earlier names.
RENAMED_COLUMNS = {
    "alerts_heartbeat": {"last_ping_at": "last_beat_at"},
    "logs_detectionrule": {"store": "source_kind"},
}
# Newer columns, by table, get their default as in migrations: rows and
# files that nothing vouched for are not sealed.
NEW_COLUMNS = {
    "intake_intakeevent": {"byte_count", "dismissed_at", "dismissed_by_id"},
    "intake_source": {"allow_other_endpoints", "status_map"},
    "incidents_attachment": {"served_digest", "thumbnail_digest"},
    "incidents_category": {"is_active"},
    "incidents_incident": {"last_occurred_at", "last_received_at", "row_digest"},
    "incidents_incidentevent": {"machine_kind", "machine_name"},
    "logs_detectionrule": {"failing_since", "failures", "is_failing", "last_error"},
    "responders_service": {"escalation_policy_id", "is_active"},
    "responders_team": {"escalation_policy_id", "is_active", "is_default"},
    "users_session": {"is_confirmed"},
    "users_user": {"access_epoch", "invited_at"},
}
MATCHED = (ContentType, Permission)  # numbered differently, so found by name
SEARCH = "incidents_search"  # written anew, with SQLite's shadow tables
JOB_RUNS = "incident_response_jobrun"  # left behind: the jobs' names changed
LEFT_OUT = {"django_migrations", "django_migrations_begun", JOB_RUNS, *(model._meta.db_table for model in MATCHED)}
EARLIEST = {
    ("alerts", "0006_source_awaited_since"),
    ("incidents", "0006_alter_incidentevent_kind"),
    ("logs", "0003_critical_log_line"),
}


@dataclass(frozen=True, eq=False)
class Table:
    """A common table: its earlier name, carried and newer columns."""

    model: type[models.Model]
    earlier_name: str
    carried: list[Any]
    added: list[Any]

    @property
    def name(self) -> str:
        return self.model._meta.db_table

    @property
    def earlier_columns(self) -> dict[str, str]:
        return RENAMED_COLUMNS.get(self.name, {})


def tables_of(earlier: Any) -> list[Table]:
    """Return the tables. Raises CarryOverError rather than lose anything."""
    with earlier.cursor() as cursor:
        present = set(earlier.introspection.table_names(cursor))
        _refuse_other_than_ours(cursor, present)
        found, faults = [], []
        for model, name in _expected():
            if name in present:
                columns = {column.name for column in earlier.introspection.get_table_description(cursor, name)}
                table, wrong = _compared(model, name, columns)
                found.append(table)
                faults += wrong
    known = {name for _model, name in _expected()} | LEFT_OUT
    faults += [f"table {name}" for name in sorted(present - known) if not name.startswith(SEARCH)]
    if faults:
        raise CarryOverError(f"The earlier database does not fit: {'; '.join(faults)}.")
    return found


def _refuse_other_than_ours(cursor: Any, present: set[str]) -> None:
    applied: set[tuple[str, str]] = set()
    if "django_migrations" in present:
        cursor.execute("SELECT app, name FROM django_migrations")
        applied = set(cursor.fetchall())
    if missing := EARLIEST - applied:
        lacking = ", ".join(sorted(".".join(name) for name in missing))
        raise CarryOverError(f"The earlier database is not ours, or older than we can read: it lacks {lacking}.")


def _expected() -> Iterator[tuple[type[models.Model], str]]:
    earlier_names = {name: earlier for earlier, name in RENAMED.items()}
    for model in apps.get_models(include_auto_created=True):
        if model not in (*MATCHED, JobRun) and model._meta.managed and not model._meta.proxy:
            yield model, earlier_names.get(model._meta.db_table, model._meta.db_table)


def _compared(model: type[models.Model], name: str, columns: set[str]) -> tuple[Table, list[str]]:
    fields = list(model._meta.local_concrete_fields)
    present_names = {earlier: present for present, earlier in RENAMED_COLUMNS.get(model._meta.db_table, {}).items()}
    columns = {present_names.get(column, column) for column in columns}
    written = [field for field in fields if not field.generated]
    table = Table(
        model,
        name,
        [field for field in written if field.column in columns],
        [field for field in written if field.column not in columns],
    )
    lacking = {field.column for field in table.added} - NEW_COLUMNS.get(table.name, set())
    faults = [f"{name} has no column {column}" for column in sorted(lacking)]
    unknown = columns - {field.column for field in fields}
    return table, faults + [f"{name} has a column {column}, which has no place now" for column in sorted(unknown)]
