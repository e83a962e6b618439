"""Compile a query once, then send its SQL."""

import datetime as dt
import threading
import uuid
from collections.abc import Callable, Hashable
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import partial
from operator import methodcaller
from typing import Any

from cachetools import LRUCache
from django.core.exceptions import EmptyResultSet
from django.db import connections, models
from django.db.models.expressions import Col
from django.db.models.functions import Cast
from django.db.transaction import TransactionManagementError

MAX_KEPT = 1000

_kept: "LRUCache[Hashable, Prepared]" = LRUCache(MAX_KEPT)
_keeping = threading.Lock()
_preparing: ContextVar[bool] = ContextVar("preparing", default=False)


@dataclass(frozen=True)
class Slot:
    """A named value's place among parameters."""

    name: str
    field: "models.Field[Any, Any] | None"

    def to_db_value(self, value: Any, connection: Any) -> Any:
        """Return the value as the driver takes it."""
        return value if self.field is None else self.field.get_db_prep_value(value, connection)


class Parameter(models.Expression):
    """A value known only when asked; with a `value`, usable unprepared."""

    def __init__(self, name: str, field: "models.Field[Any, Any] | None" = None, *, value: Any = None) -> None:
        super().__init__(output_field=field or models.BigIntegerField())
        self.name, self.value_field, self.value = name, field, value

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        slot = Slot(self.name, self.value_field)
        return "%s", [slot if self.value is None or _preparing.get() else slot.to_db_value(self.value, connection)]


@dataclass(frozen=True)
class Prepared:
    """A compiled query; `sql` is None where nothing can match."""

    alias: str
    columns: tuple[str, ...]
    sql: str | None
    parameters: tuple[Any, ...]
    converters: tuple[tuple[int, Callable[[Any], Any]], ...]
    is_locking: bool = False

    def rows(self, **values: Any) -> list[list[Any]]:
        """Return rows for named parameters. Raises TransactionManagementError for a lock outside a transaction."""
        if self.sql is None:
            return []
        connection = connections[self.alias]
        given = [
            one.to_db_value(values[one.name], connection) if isinstance(one, Slot) else one for one in self.parameters
        ]
        if self.is_locking and not connection.in_atomic_block:
            raise TransactionManagementError("Rows are locked within a transaction.")
        with connection.cursor() as cursor:
            cursor.execute(self.sql, given)
            rows = [list(row) for row in cursor.fetchall()]
        for position, convert in self.converters:
            for row in rows:
                if row[position] is not None:
                    row[position] = convert(row[position])
        return rows

    def rows_where(self, condition: str, values: list[Any]) -> list[list[Any]]:
        """Return the rows that meet a condition in SQL."""
        return replace(self, sql=f"{self.sql} WHERE {condition}", parameters=tuple(values)).rows()

    def dicts(self, **values: Any) -> list[dict[str, Any]]:
        """Return rows by column name."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows(**values)]


def prepared(
    key: Hashable,
    build: Callable[[], models.QuerySet[Any, Any]],
    *,
    kept: "LRUCache[Hashable, Prepared] | None" = None,
) -> Prepared:
    """Return the compiled query of `build()`, of plain columns.

    `key` holds all it depends on but parameters; `kept` is a separate cache.
    """
    cache = _kept if kept is None else kept
    with _keeping, suppress(KeyError):
        return cache[key]
    made = _compiled(build())
    with _keeping:
        cache[key] = made
    return made


def _compiled(queryset: models.QuerySet[Any, Any]) -> Prepared:
    names = tuple(queryset.query.values_select)
    compiler = queryset.query.get_compiler(using=queryset.db)
    is_preparing = _preparing.set(True)
    try:
        sql, parameters = compiler.as_sql()
    except EmptyResultSet:
        return Prepared(queryset.db, names, None, (), (), queryset.query.select_for_update)
    finally:
        _preparing.reset(is_preparing)
    columns = enumerate(column for column, *_ in compiler.select or ())
    converters = ((at, _converter(column, compiler.connection)) for at, column in columns)
    needed = tuple((at, convert) for at, convert in converters if convert)
    return Prepared(queryset.db, names, sql, tuple(parameters), needed, queryset.query.select_for_update)


def _converter(column: Any, connection: Any) -> Callable[[Any], Any] | None:
    """Return a column's converter. Raises TypeError for an unknown one."""
    if not isinstance(column, (Col, Cast, models.Value)):
        raise TypeError(f"{column} is no plain column")
    field = column.output_field
    for kind, convert in CONVERTERS:
        if isinstance(field, kind):
            return convert
    if connection.ops.get_db_converters(column):
        raise TypeError(f"{field} needs a conversion that prepared queries do not know")
    if hasattr(field, "from_db_value"):
        return partial(field.from_db_value, expression=column, connection=None)
    return None


def _time(moment: dt.time | str) -> dt.time:
    return dt.time.fromisoformat(moment) if isinstance(moment, str) else moment


def _date(day: dt.date | str) -> dt.date:
    return dt.date.fromisoformat(day) if isinstance(day, str) else day


CONVERTERS: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
    (models.DateTimeField, methodcaller("replace", tzinfo=dt.UTC)),  # both databases store UTC
    (models.DateField, _date),
    (models.UUIDField, uuid.UUID),
    (models.BooleanField, bool),
    (models.TimeField, _time),
)
