"""Read one database and fill the other, in bounded batches."""

import contextlib
import re
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from pathlib import Path
from typing import Any

import environ
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.core.management.color import no_style
from django.db import connection, models, transaction
from django.db.utils import ConnectionHandler

from incident_response.carry_over import CarryOverError
from incident_response.carry_over.tables import RENAMED, Table
from users.addresses import canonical

BATCH_ROWS = 1_000
BATCH_BYTES = 4 * 1024 * 1024
# Stored differently per database; all else is carried as it stands.
CONVERTED = ("BinaryField", "BooleanField", "DateField", "DateTimeField", "DecimalField", "TimeField", "UUIDField")

Row = tuple[Any, ...]
Change = Callable[[Any], Any]


@contextlib.contextmanager
def opened(url: str) -> Iterator[Any]:
    """Open a database (as in DATABASE_URL) read-only, as of now."""
    if not url.startswith(("sqlite:///", "mysql://")):
        raise CarryOverError("give sqlite:///path/to/file or mysql://user:password@host:3306/name.")
    config: dict[str, Any] = dict(environ.Env.db_url_config(url))
    if config["ENGINE"].endswith("sqlite3"):
        config["NAME"] = f"{Path(config['NAME']).absolute().as_uri()}?mode=ro"
        begin = "BEGIN"
    else:
        config["OPTIONS"] = {"charset": "utf8mb4", "isolation_level": "repeatable read"}
        begin = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"
    earlier = ConnectionHandler({"default": config})["default"]
    try:
        with earlier.cursor() as cursor:
            cursor.execute(begin)
        yield earlier
    finally:
        earlier.close()


def read(source: Any, table: Table, changes: dict[Any, Change] | None = None) -> Generator[Row, None, None]:
    """Read all rows' carried columns, by key, with some changed; of an earlier database, by their earlier names."""
    quote = source.ops.quote_name
    name, earlier = (table.name, {}) if source is connection else (table.earlier_name, table.earlier_columns)
    columns = ", ".join(quote(earlier.get(field.column, field.column)) for field in table.carried)
    order = ", ".join(quote(field.column) for field in table.model._meta.pk_fields)
    found = (((changes or {}).get(field) or _reader(field, source)) for field in table.carried)
    steps = [(number, step) for number, step in enumerate(found) if step]
    with _streaming(source) as cursor:
        cursor.execute(f"SELECT {columns} FROM {quote(name)} ORDER BY {order}")  # noqa: S608 (names of ours)
        for row in cursor:
            values = list(row)
            for number, step in steps:
                try:
                    values[number] = step(values[number])
                except (ArithmeticError, LookupError, TypeError, ValueError) as error:
                    column = table.carried[number].column
                    raise CarryOverError(
                        f"{name} has {values[number]!r:.100} in {column}, which no row can hold."
                    ) from error
            yield tuple(values)


def write(table: Table, rows: Iterable[Row]) -> None:
    """Insert rows, each batch in its own transaction."""
    fields = [*table.carried, *table.added]
    quote = connection.ops.quote_name
    columns, places = ", ".join(quote(field.column) for field in fields), ", ".join(["%s"] * len(fields))
    statement = f"INSERT INTO {quote(table.name)} ({columns}) VALUES ({places})"  # noqa: S608 (names of ours)
    writers = [(n, field) for n, field in enumerate(table.carried) if field.get_internal_type() in CONVERTED]
    added = [field.get_db_prep_save(field.get_default(), connection) for field in table.added]
    for batch in _batches(rows):
        prepared = []
        for row in batch:
            values = list(row)
            for number, field in writers:
                values[number] = field.get_db_prep_save(values[number], connection)
            prepared.append(values + added)
        rests = _shorten(table, prepared) if connection.vendor == "mysql" else []
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.executemany(statement, prepared)
            for column, key, piece in rests:
                cursor.execute(
                    f"UPDATE {quote(table.name)} SET {column} = CONCAT({column}, %s) WHERE id = %s",  # noqa: S608
                    [piece, key],
                )


def _shorten(table: Table, rows: list[list[Any]]) -> list[tuple[str, int, bytes]]:
    """Cut bytes too long for one statement; return the rest by column and id."""
    rests = []
    for number, field in enumerate(table.carried):
        if field.get_internal_type() == "BinaryField":
            key = table.carried.index(table.model._meta.pk)
            for row in rows:
                value = row[number]
                places = range(BATCH_BYTES, len(value), BATCH_BYTES)
                rests += [(field.column, row[key], value[place : place + BATCH_BYTES]) for place in places]
                row[number] = value[:BATCH_BYTES]
    return rests


class Sum:
    """Row count, and an order-independent sum of contents."""

    count = contents = 0

    def over(self, rows: Iterable[Row]) -> Iterator[Row]:
        for row in rows:
            self.count += 1
            self.contents = (self.contents + hash(row)) % 2**64
            yield row


def compare(table: Table, carried: Sum) -> None:
    """Read back what was carried. Raises CarryOverError."""
    arrived = Sum()
    deque(arrived.over(read(connection, table)), maxlen=0)
    if arrived.count != carried.count:
        raise CarryOverError(f"{table.name} has {arrived.count:,} rows; {carried.count:,} were read.")
    writes_json_anew = connection.vendor == "mysql" and not getattr(connection, "mysql_is_mariadb", True)
    if arrived.contents != carried.contents and not writes_json_anew:
        raise CarryOverError(f"{table.name} does not hold what was read.")


def empty(tables: list[Table]) -> None:
    """Remove rows of migrations and unfinished runs."""
    statements = connection.ops.sql_flush(no_style(), [table.name for table in tables], reset_sequences=True)
    connection.ops.execute_sql_flush(statements)


def changes_of(tables: list[Table], earlier: Any) -> dict[Any, Change]:
    """Return changed values: ids of content types and permissions, addresses."""
    types, permissions = _matched(earlier)
    numbers = {ContentType: types, Permission: permissions}
    found: dict[Any, Change] = {}
    for field in (field for table in tables for field in table.carried):
        if (mapping := numbers.get(field.related_model)) is not None:
            found[field] = mapping.__getitem__
        elif field.model._meta.label == "users.User" and field.name == "email":
            found[field] = canonical
    return found


def _matched(earlier: Any) -> tuple[dict[Any, Any], dict[Any, Any]]:
    types: dict[Any, Any] = {None: None}
    permissions: dict[Any, Any] = {None: None}
    with earlier.cursor() as cursor:
        cursor.execute("SELECT id, app_label, model FROM django_content_type")
        for number, app, model in cursor.fetchall():
            if moved := RENAMED.get(f"{app}_{model}"):
                app, model = moved.split("_", 1)
            types[number] = ContentType.objects.get_or_create(app_label=app, model=model)[0].pk
        cursor.execute("SELECT id, content_type_id, codename, name FROM auth_permission")
        for number, content_type, codename, name in cursor.fetchall():
            if content_type not in types:
                raise CarryOverError(f"auth_permission has {content_type!r:.100} in content_type_id, which is gone.")
            known = {"content_type_id": types[content_type], "codename": codename}
            permissions[number] = Permission.objects.get_or_create(**known, defaults={"name": name})[0].pk
    return types, permissions


def go_on_numbering(table: Table, earlier: Any) -> None:
    """Continue the earlier database's numbering."""
    if not isinstance(table.model._meta.pk, models.AutoField | models.BigAutoField):
        return
    last = _last_number(earlier, table.earlier_name)
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("DELETE FROM sqlite_sequence WHERE name = %s", [table.name])
            cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [table.name, last])
        else:
            cursor.execute(f"ALTER TABLE {connection.ops.quote_name(table.name)} AUTO_INCREMENT = {last + 1:d}")


def _last_number(earlier: Any, name: str) -> int:
    with earlier.cursor() as cursor:
        if earlier.vendor == "sqlite":
            cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [name])
            found = cursor.fetchone()
            return found[0] if found else 0
        cursor.execute(f"SHOW CREATE TABLE {earlier.ops.quote_name(name)}")
        counter = re.search(r"\bAUTO_INCREMENT=(\d+)", cursor.fetchone()[1])
        return int(counter[1]) - 1 if counter else 0


def _reader(field: Any, source: Any) -> Change | None:
    if field.get_internal_type() not in CONVERTED:
        return None
    column = field.cached_col
    converters = [*source.ops.get_db_converters(column), *field.get_db_converters(source)]

    def convert(value: Any) -> Any:
        for converter in converters:
            value = converter(value, column, source)
        return value

    return convert if converters else None


@contextlib.contextmanager
def _streaming(source: Any) -> Iterator[Any]:
    """Give a server-side cursor; MySQL's drivers load all rows."""
    if source.vendor == "sqlite":
        with source.cursor() as cursor:
            yield cursor
    else:
        source.ensure_connection()
        with source.connection.cursor(source.Database.cursors.SSCursor) as cursor:
            yield cursor


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    batch: list[Row] = []
    size = 0
    for row in rows:
        batch.append(row)
        size += sum(len(value) for value in row if isinstance(value, str | bytes))
        if len(batch) >= BATCH_ROWS or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
