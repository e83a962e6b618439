"""Read and write rows without Django's overhead, and without signals: tell the audit log yourself."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from functools import cache, reduce
from operator import or_
from typing import Any, TypeVar

from django.db import OperationalError, connection
from django.db.models import BigIntegerField, Case, F, Model, Q, QuerySet, When
from django.db.transaction import TransactionManagementError

from core.db.faults import PACKET_TOO_LARGE
from core.db.prepared import prepared
from core.db.values import to_db_value

Row = TypeVar("Row", bound=Model)

# rows and bytes per statement: MariaDB takes 16 MB
CHUNK = 500
MAX_BYTES = 4 * 1024 * 1024


def insert(*rows: Model) -> None:
    """Insert new rows of one model in few statements; each learns its id. Raises IntegrityError."""
    if not rows:
        return
    start, fields = _insertion(type(rows[0]))
    columns = [(field.pre_save, to_db_value(field)) for field in fields]
    for some, values in _chunks(rows, lambda row: [as_sent(value_of(row, True)) for value_of, as_sent in columns]):
        rests = _shorten(values[0]) if len(some) == 1 and connection.vendor == "mysql" else {}
        _insert(start, some, values)
        for number, rest in rests.items():
            _append(some[0], fields[number].column, rest)


def _insert(start: str, rows: Sequence[Model], values: Sequence[list[Any]]) -> None:
    meta: Any = rows[0]._meta
    marks = f"({', '.join(['%s'] * len(values[0]))})"
    returns = len(rows) > 1 and connection.features.can_return_rows_from_bulk_insert
    ending = f" RETURNING {connection.ops.quote_name(meta.pk.column)}" if returns else ""
    with connection.cursor() as cursor:
        given = [value for of_row in values for value in of_row]
        cursor.execute(f"{start} {', '.join([marks] * len(rows))}{ending}", given)
        # ids rise with the values, but may be returned in any order
        if returns:
            ids: Sequence[int] = sorted(key for (key,) in cursor.fetchall())
        else:
            first = connection.ops.last_insert_id(cursor, meta.db_table, meta.pk.column)
            ids = [first] if len(rows) == 1 else _ids_from(first, cursor, len(rows))
    for row, key in zip(rows, ids, strict=True):
        row.pk = key
        row._state.adding, row._state.db = False, connection.alias


def _ids_from(first: int, cursor: Any, count: int) -> Sequence[int]:
    """Return the ids just inserted on MySQL, which reserves them at once (MySQL 8.4, 17.6.1.6)."""
    cursor.execute("SELECT @@auto_increment_increment")
    step = int(cursor.fetchone()[0])
    return range(first, first + count * step, step)


def _shorten(values: list[Any]) -> dict[int, bytes]:
    """Cut values longer than a statement; return the rest by place."""
    rests = {}
    for number, value in enumerate(values):
        if isinstance(value, (bytes, bytearray, memoryview)) and len(value) > MAX_BYTES:
            if len(value) > (most := _most_bytes()):
                raise OperationalError(PACKET_TOO_LARGE, f"{len(value):,} bytes are more than the {most:,} it takes")
            values[number], rests[number] = bytes(value[:MAX_BYTES]), bytes(value[MAX_BYTES:])
    return rests


def _most_bytes() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT @@max_allowed_packet")
        return int(cursor.fetchone()[0])


def _append(row: Model, column: str, rest: bytes) -> None:
    meta: Any = row._meta
    quote = connection.ops.quote_name
    table, name, key = quote(meta.db_table), quote(column), quote(meta.pk.column)
    statement = f"UPDATE {table} SET {name} = CONCAT({name}, %s) WHERE {key} = %s"  # noqa: S608
    with connection.cursor() as cursor:
        for start in range(0, len(rest), MAX_BYTES):
            cursor.execute(statement, [rest[start : start + MAX_BYTES], row.pk])


def update(row: Model, names: Iterable[str]) -> None:
    """Write these fields of a stored row."""
    statement, fields = _update(type(row), tuple(sorted(names)))
    values = [to_db_value(field)(field.pre_save(row, False)) for field in fields]
    with connection.cursor() as cursor:
        cursor.execute(statement, [*values, row.pk])


def select(model: type[Row], key: Hashable, queryset: Callable[[], QuerySet[Row]], **values: Any) -> list[Row]:
    """Return instances by a prepared query (see `core.db.prepared`)."""
    query = prepared((model, key), lambda: queryset().values_list(*stored_columns(model)))
    return [model.from_db(query.alias, query.columns, row) for row in query.rows(**values)]


def lock_available_in(model: type[Row], ids: Iterable[Any]) -> list[Row]:
    """Lock those of the rows that nobody else has locked; SQLite locks nothing."""
    if not connection.in_atomic_block:
        raise TransactionManagementError("Rows are locked within a transaction.")
    wanted = sorted(set(ids))
    skips = connection.features.has_select_for_update_skip_locked
    return _select_in(model, model._meta.pk, wanted, " FOR UPDATE SKIP LOCKED" if skips else "") if wanted else []


def select_in(model: type[Row], name: str, values: Iterable[Any], *, lock: bool = False) -> list[Row]:
    """Return rows whose field has one of the values, locked if asked, in primary-key order against deadlocks.

    Managers are bypassed: hidden rows are included.
    """
    if lock and not connection.in_atomic_block:
        raise TransactionManagementError("Rows are locked within a transaction.")
    field: Any = model._meta.get_field(name)
    wanted = list(values)
    if not wanted:
        return []
    if not lock or not connection.features.has_select_for_update:
        return _select_in(model, field, wanted)
    meta: Any = model._meta
    if field.primary_key:
        return _select_in(model, field, wanted, " FOR UPDATE")
    keys = [row[0] for row in _keys_in(model, field, wanted)]
    # it may have changed before the lock
    locked = _select_in(model, meta.pk, keys, " FOR UPDATE") if keys else []
    still = set(wanted)
    found = [row for row in locked if getattr(row, field.attname) in still]
    return sorted(found, key=lambda row: getattr(row, field.attname))


def is_any(model: type[Model], key: Hashable, queryset: Callable[[], QuerySet[Any]], **values: Any) -> bool:
    """Return whether a prepared query finds a row; looking locks nothing."""
    return bool(prepared((model, key, "any"), lambda: queryset().values_list("pk")[:1]).rows(**values))


def by_id(model: type[Row], ids: Iterable[int]) -> dict[int, Row]:
    """Return rows by primary key, as `in_bulk` does."""
    return {row.pk: row for row in select_in(model, model._meta.pk.name, sorted(set(ids)))}


def _select_in(model: type[Row], field: Any, wanted: list[Any], ending: str = "") -> list[Row]:
    meta: Any = model._meta
    query = prepared((model, "any"), lambda: model._base_manager.order_by().values_list(*stored_columns(model)))
    condition, values = _in(meta, field, wanted)
    column = _column(meta, field)
    found = query.rows_where(f"{condition} ORDER BY {column}{ending}", values)
    return [model.from_db(query.alias, query.columns, row) for row in found]


def _keys_in(model: type[Model], field: Any, wanted: list[Any]) -> list[list[Any]]:
    meta: Any = model._meta
    query = prepared((model, "keys"), lambda: model._base_manager.order_by().values_list("pk"))
    return query.rows_where(*_in(meta, field, wanted))


def _in(meta: Any, field: Any, wanted: list[Any]) -> tuple[str, list[Any]]:
    as_sent = to_db_value(field)
    return f"{_column(meta, field)} IN ({', '.join(['%s'] * len(wanted))})", [as_sent(value) for value in wanted]


def _column(meta: Any, field: Any) -> str:
    return f"{connection.ops.quote_name(meta.db_table)}.{connection.ops.quote_name(field.column)}"


def lock_available(rows: QuerySet[Row]) -> QuerySet[Row]:
    """Lock what nobody else has locked; SQLite locks nothing."""
    return rows.select_for_update(skip_locked=connection.features.has_select_for_update_skip_locked)


def update_many(rows: Sequence[Model], names: Iterable[str]) -> None:
    """Write fields of several rows in few statements."""
    if not rows:
        return
    meta: Any = rows[0]._meta
    fields = [meta.get_field(name) for name in sorted(names)]
    columns = [(field.pre_save, to_db_value(field)) for field in fields]
    for some, values in _chunks(rows, lambda row: [as_sent(value_of(row, False)) for value_of, as_sent in columns]):
        _update_some(some, fields, values)


def _update_some(rows: Sequence[Model], fields: Sequence[Any], values_of_rows: Sequence[list[Any]]) -> None:
    meta: Any = rows[0]._meta
    quote = connection.ops.quote_name
    key = quote(meta.pk.column)
    cases = " ".join(["WHEN %s THEN %s"] * len(rows))
    assignments = [f"{quote(field.column)} = CASE {key} {cases} END" for field in fields]
    keys = [row.pk for row in rows]
    values = [
        given
        for of_field in zip(*values_of_rows, strict=True)
        for pair in zip(keys, of_field, strict=True)
        for given in pair
    ]
    marks = ", ".join(["%s"] * len(rows))
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {quote(meta.db_table)} SET {', '.join(assignments)} WHERE {key} IN ({marks})",  # noqa: S608
            [*values, *keys],
        )


def add_up(model: type[Model], column: str, counts: Mapping[tuple[Any, ...], int], *names: str) -> None:
    """Add to counters, in rows that the fields `names` tell apart; missing ones begin at 0.

    The rows are everybody's: end the transaction soon after.
    """
    wanted = {key: count for key, count in sorted(counts.items()) if count}
    if not wanted:
        return
    conditions = [Q(**dict(zip(names, key, strict=True))) for key in wanted]
    counters = model._default_manager.filter(reduce(or_, conditions))
    if counters.count() < len(wanted):
        missing = [model(**dict(zip(names, key, strict=True)), **{column: 0}) for key in wanted]
        model._default_manager.bulk_create(missing, ignore_conflicts=True)
    cases = [When(condition, then=count) for condition, count in zip(conditions, wanted.values(), strict=True)]
    counters.update(**{column: F(column) + Case(*cases, output_field=BigIntegerField())})


def _chunks(
    rows: Sequence[Row], values_of: Callable[[Row], list[Any]]
) -> Iterator[tuple[Sequence[Row], list[list[Any]]]]:
    values: list[list[Any]] = []
    start = size = 0
    for number, row in enumerate(rows):
        of_row = values_of(row)
        length = sum(
            len(value) * (4 if isinstance(value, str) and not value.isascii() else 1)
            for value in of_row
            if isinstance(value, (str, bytes, bytearray, memoryview))
        )
        if values and (len(values) == CHUNK or size + length > MAX_BYTES):
            yield rows[start:number], values
            start, values, size = number, [], 0
        values.append(of_row)
        size += length
    if values:
        yield rows[start:], values


def stored_columns(model: type[Model]) -> list[str]:
    return [field.attname for field in model._meta.concrete_fields if not field.generated]


@cache
def _insertion(model: type[Model]) -> tuple[str, list[Any]]:
    meta: Any = model._meta
    quote = connection.ops.quote_name
    fields = [field for field in meta.concrete_fields if not field.generated and not field.primary_key]
    columns = ", ".join(quote(field.column) for field in fields)
    return f"INSERT INTO {quote(meta.db_table)} ({columns}) VALUES", fields


@cache
def _update(model: type[Model], names: tuple[str, ...]) -> tuple[str, list[Any]]:
    meta: Any = model._meta
    quote = connection.ops.quote_name
    fields = [meta.get_field(name) for name in names]
    assignments = ", ".join(f"{quote(field.column)} = %s" for field in fields)
    return f"UPDATE {quote(meta.db_table)} SET {assignments} WHERE {quote(meta.pk.column)} = %s", fields  # noqa: S608
