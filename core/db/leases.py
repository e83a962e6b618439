"""Leases on due rows: never proof of being alone, since holders may be late."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db.models import Model, QuerySet

from core.db.rows import lock_available
from core.db.transactions import unit_of_work

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True)
class Lease:
    """A due column, and how long a process holds a row."""

    column: str
    length: dt.timedelta

    def claim(self, row: Model, now: dt.datetime, **also: Any) -> bool:
        """Hold a due row, setting `also`; return False if another was quicker."""
        mine = type(row)._base_manager.filter(pk=row.pk, **{self.column: getattr(row, self.column)})
        return bool(mine.update(**{self.column: now + self.length}, **also))

    @unit_of_work
    def claim_many(self, due: QuerySet[Any], now: dt.datetime) -> list[Any]:
        """Hold a sliced selection; return the primary keys won."""
        keys = list(lock_available(due).values_list("pk", flat=True))
        due.model._base_manager.filter(pk__in=keys).update(**{self.column: now + self.length})
        return keys

    def release(self, model: type[Model], keys: Collection[Any], now: dt.datetime) -> None:
        """Release what was claimed at `now` and is still held."""
        held = model._base_manager.filter(pk__in=keys, **{self.column: now + self.length})
        held.update(**{self.column: now})
