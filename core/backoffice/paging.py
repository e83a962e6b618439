"""Keyset pages and capped counts: Django's OFFSET costs more with every row."""

import base64
import json
from collections.abc import Sequence
from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.core.paginator import Paginator
from django.db.models import Field, Model, QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property
from unfold.views import ChangeList

from core.api.jsonio import to_json
from core.api.paging import Key, after

CAP = 1000
NEXT, PREVIOUS = "after", "before"


def capped_count(rows: QuerySet[Any]) -> int:
    """Return the number of rows, up to CAP + 1."""
    return rows.order_by().values("pk")[: CAP + 1].count()


class BoundedPaginator(Paginator):  # type: ignore[type-arg]  # Django's is generic to type checkers only
    """Numbered pages over the first CAP rows, for autocompletes."""

    template_name = "admin/keyset_pagination.html"

    @cached_property
    def count(self) -> int:
        return min(capped_count(self.object_list), CAP)  # type: ignore[arg-type]


class KeysetChangeList(ChangeList):  # type: ignore[misc]  # unfold is untyped
    """Pages by key (`?after=…`, `?before=…`), sorted by columns of `sortable_by`."""

    previous_url = next_url = ""
    is_capped = has_position = False

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        for name in (NEXT, PREVIOUS):
            self.params.pop(name, None)
            self.filter_params.pop(name, None)
        rows: QuerySet[Any] = super().get_queryset(request, exclude_parameters)
        return rows

    def get_ordering_field(self, field_name: Any) -> Any:
        return super().get_ordering_field(field_name) if field_name in (self.sortable_by or ()) else None

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[str]:
        """Order by one column and a tie-breaker, as an index is walked."""
        first = super().get_ordering(request, queryset)[0]
        ties = [*self.model_admin.ordering, self.model._meta.pk.name]
        names = dict.fromkeys(word.removeprefix("-") for word in (first, *ties))
        return [f"-{name}" if first.startswith("-") else name for name in names]

    def get_results(self, request: HttpRequest) -> None:
        is_backwards = PREVIOUS in request.GET
        keys = keys_of(self.model, self.queryset.query.order_by)
        position = _decoded(request.GET.get(PREVIOUS if is_backwards else NEXT), self.model, keys)
        walked = [key.reversed() for key in keys] if is_backwards else keys
        rows = self.queryset.order_by(*(key.order_by for key in walked))
        self.has_position = position is not None
        try:
            found, has_more = (
                self._first_page(rows) if position is None else self._page(rows.filter(after(walked, position)))
            )
        except OverflowError as error:  # a filter's number that SQLite cannot hold
            raise IncorrectLookupParameters(error) from error
        if is_backwards:
            found.reverse()
        self._link(found, keys, has_more, is_backwards)
        self._describe(found)

    def fetch(self, ordered: QuerySet[Any], limit: int) -> list[Any]:
        return list(ordered[:limit])

    def _first_page(self, rows: QuerySet[Any]) -> tuple[list[Any], bool]:
        pks = list(rows.values_list("pk", flat=True)[: CAP + 1])
        self.result_count, self.is_capped = min(len(pks), CAP), len(pks) > CAP
        page = {row.pk: row for row in rows.filter(pk__in=pks[: self.list_per_page])}
        return [page[pk] for pk in pks if pk in page], len(pks) > self.list_per_page

    def _page(self, rows: QuerySet[Any]) -> tuple[list[Any], bool]:
        found = self.fetch(rows, self.list_per_page + 1)
        self.result_count = min(len(found), self.list_per_page)
        return found[: self.list_per_page], len(found) > self.list_per_page

    def _link(self, rows: list[Any], keys: list[Key], has_more: bool, is_backwards: bool) -> None:
        if not rows:
            self.previous_url = self.get_query_string() if self.has_position else ""
            return
        if has_more or (is_backwards and self.has_position):
            self.next_url = self.get_query_string({NEXT: _encoded(rows[-1], keys)})
        if self.has_position and (has_more or not is_backwards):
            self.previous_url = self.get_query_string({PREVIOUS: _encoded(rows[0], keys)})

    def _describe(self, rows: list[Any]) -> None:
        self.paginator = self.model_admin.get_paginator(None, self.queryset, self.list_per_page)
        self.result_list = rows
        # Equal counts: unfold shows no total.
        self.full_result_count = self.result_count
        self.show_full_result_count = False
        self.show_admin_actions = True
        self.can_show_all = self.multi_page = False


def keys_of(model: type[Model], order_by: Sequence[Any]) -> list[Key]:
    keys = []
    for word in order_by:
        column = word.removeprefix("-")
        keys.append(Key(column, word.startswith("-"), is_nullable=_field(model, column).null))
    return keys


def _field(model: type[Model], column: str) -> "Field[Any, Any]":
    return model._meta.pk if column == "pk" else model._meta.get_field(column)  # type: ignore[return-value]


def _encoded(row: Any, keys: Sequence[Key]) -> str:
    values = [getattr(row, key.column) for key in keys]
    return base64.urlsafe_b64encode(to_json(values)).decode().rstrip("=")


def _decoded(token: str | None, model: type[Model], keys: Sequence[Key]) -> list[Any] | None:
    if not token:
        return None
    try:
        values = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        if not isinstance(values, list) or len(values) != len(keys):
            return None
        return [_field(model, key.column).to_python(value) for key, value in zip(keys, values, strict=True)]
    except (ValueError, TypeError, RecursionError, ValidationError, FieldDoesNotExist):
        return None
