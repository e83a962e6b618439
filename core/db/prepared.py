"""Queries that are asked all day long: the ORM builds and compiles each once, after that only its SQL is sent.

Building and compiling a query takes Django several times as long as either database needs to answer it.
"""

import datetime as dt
import threading
import uuid
from collections.abc import Callable, Hashable
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from typing import Any

from cachetools import LRUCache
from django.core.exceptions import EmptyResultSet
from django.db import connections, models
from django.db.models.expressions import Col
from django.db.transaction import TransactionManagementError

MAX_KEPT = 1000  # of about 5 kB each

_kept: "LRUCache[Hashable, Prepared]" = LRUCache(MAX_KEPT)
_keeping = threading.Lock()
_preparing: ContextVar[bool] = ContextVar("preparing", default=False)


@dataclass(frozen=True)
class Slot:
    """Where among a query's parameters a named value goes, and as what it is sent."""

    name: str
    field: "models.Field[Any, Any] | None"

    def sent(self, value: Any, connection: Any) -> Any:
        """The value as the driver takes it."""
        return value if self.field is None else self.field.get_db_prep_value(value, connection)


class Parameter(models.Expression):
    """Stands in a query for a value that is known only when the query is asked: a number, or what `field` takes.

    With a `value` of its own, which is there already, the query may be asked without being prepared as well.
    """

    def __init__(self, name: str, field: "models.Field[Any, Any] | None" = None, *, value: Any = None) -> None:
        super().__init__(output_field=field or models.BigIntegerField())
        self.name, self.sent_as, self.value = name, field, value

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        """A placeholder for whatever `Prepared.rows` is given under the name."""
        slot = Slot(self.name, self.sent_as)
        return "%s", [slot if self.value is None or _preparing.get() else slot.sent(self.value, connection)]


@dataclass(frozen=True)
class Prepared:
    """A compiled query. `sql` is None where no row can match."""

    alias: str
    columns: tuple[str, ...]
    sql: str | None
    parameters: tuple[Any, ...]
    converters: tuple[tuple[int, Callable[[Any], Any]], ...]
    is_locking: bool = False

    def rows(self, **values: Any) -> list[list[Any]]:
        """The rows, in the columns' order; `values` are those of the query's parameters, by name.

        Raises TransactionManagementError for a query that locks, outside a transaction: it would lock nothing.
        """
        if self.sql is None:
            return []
        connection = connections[self.alias]
        sent = [one.sent(values[one.name], connection) if isinstance(one, Slot) else one for one in self.parameters]
        return self._rows(self.sql, sent)

    def rows_where(self, condition: str, values: list[Any]) -> list[list[Any]]:
        """The rows of a query that has no condition yet, under one in SQL, with what else follows it there."""
        return self._rows(f"{self.sql} WHERE {condition}", values)

    def _rows(self, sql: str, values: list[Any]) -> list[list[Any]]:
        connection = connections[self.alias]
        if self.is_locking and not connection.in_atomic_block:
            raise TransactionManagementError("Rows are locked within a transaction.")
        with connection.cursor() as cursor:
            cursor.execute(sql, values)
            rows = [list(row) for row in cursor.fetchall()]
        for position, convert in self.converters:
            for row in rows:
                if row[position] is not None:
                    row[position] = convert(row[position])
        return rows

    def dicts(self, **values: Any) -> list[dict[str, Any]]:
        """The rows, by their columns' names."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows(**values)]


def prepared(
    key: Hashable,
    build: Callable[[], models.QuerySet[Any, Any]],
    *,
    kept: "LRUCache[Hashable, Prepared] | None" = None,
) -> Prepared:
    """The query of `build()`, which selects plain columns by `values()` or `values_list()`.

    `key` says everything that the query depends on, save its parameters: whoever asks with an equal key is given the
    same query, from a cache of their own where one is given. What depends on the clock cannot be prepared.
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
    """What makes a column's value out of what its driver returns.

    Those of Django's backends belong to one thread's connection; the kinds of columns that need one are converted
    here, in less time. Raises TypeError for a column of another kind.
    """
    if not isinstance(column, Col):
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


def _aware(moment: dt.datetime) -> dt.datetime:
    """Both databases keep UTC, and do not say so."""
    return moment.replace(tzinfo=dt.UTC)


def _time(moment: dt.time | str) -> dt.time:
    """SQLite keeps a text."""
    return dt.time.fromisoformat(moment) if isinstance(moment, str) else moment


CONVERTERS: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
    (models.DateTimeField, _aware),
    (models.UUIDField, uuid.UUID),
    (models.BooleanField, bool),
    (models.TimeField, _time),
)
