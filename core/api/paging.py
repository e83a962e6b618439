"""Page by key: a page starts after a row, not after a number of rows."""

import base64
import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
from django.db.models import DateField, DateTimeField, IntegerField, Model, Q, QuerySet
from django.utils.dateparse import parse_datetime
from rest_framework import exceptions
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param

from core.api.jsonio import to_json
from core.api.problems import refuse, refuse_unknown_parameters

if TYPE_CHECKING:
    # a circle at run time: APIView loads this module by the settings
    from rest_framework.views import APIView

SEARCHED_LENGTH = 200


@dataclass(frozen=True)
class Key:
    """One column of an ordering."""

    column: str
    is_descending: bool = False
    is_nullable: bool = False

    def reversed(self) -> "Key":
        """Return the column the other way round."""
        return Key(self.column, not self.is_descending, self.is_nullable)

    @property
    def order_by(self) -> str:
        """Return the column as `order_by()` takes it."""
        return f"-{self.column}" if self.is_descending else self.column


def after(keys: Sequence[Key], values: Sequence[Any], *, is_included: bool = False) -> Q:
    """Return the condition of rows after the one with these values; NULLs are the smallest.

    Written out behind one plain range, for MySQL does not range-scan `(a, b) < (x, y)`.
    """
    key, value = keys[0], values[0]
    bound = Q(**{f"{key.column}__{'lte' if key.is_descending else 'gte'}": value})
    if len(keys) == 1:
        return bound if is_included else _beyond(key, value)
    condition = _beyond(key, value) | (_equal(key, value) & after(keys[1:], values[1:], is_included=is_included))
    return condition if value is None or (key.is_nullable and key.is_descending) else bound & condition


def _equal(key: Key, value: Any) -> Q:
    return Q(**{f"{key.column}__isnull": True}) if value is None else Q(**{key.column: value})


def _beyond(key: Key, value: Any) -> Q:
    nothing = Q(pk__in=[])
    if value is None:
        return nothing if key.is_descending else Q(**{f"{key.column}__isnull": False})
    if not key.is_descending:
        return Q(**{f"{key.column}__gt": value})
    beyond = Q(**{f"{key.column}__lt": value})
    return beyond | Q(**{f"{key.column}__isnull": True}) if key.is_nullable else beyond


class KeysetPagination(BasePagination):
    """Pages whose 1,000th costs what the first does.

    A view has `orderings = {"created_at": [Key("created_at")], …}` and `default_ordering = "-created_at"`; the primary
    key is added. A cursor holds the direction and the last row's values.
    """

    default_page_size = 50
    max_page_size = 200
    parameters = frozenset({"cursor", "page_size", "ordering"})

    def paginate_queryset(  # type: ignore[override]
        self, queryset: QuerySet[Any], request: Request, view: "APIView | None" = None
    ) -> list[Any]:
        return self.page_of(lambda: queryset, queryset.model, request, view)

    def page_of(self, rows: Callable[[], QuerySet[Any]], model: type[Model], request: Request, view: Any) -> list[Any]:
        """Return the page of a queryset that is built only where `fetch` needs it."""
        size = self.size_of(request)
        position = self.start(model, request, view)
        keys = self.walked = [key.reversed() for key in self.keys] if self.is_backwards else self.keys
        bound = position and self.bound(position, model)

        def ordered() -> QuerySet[Any]:
            following = rows() if bound is None else rows().filter(after(keys, bound))
            return following.order_by(*(key.order_by for key in keys))

        found = self.fetch(ordered, size + 1)
        has_more, page = len(found) > size, found[:size]
        if self.is_backwards:
            page.reverse()
        self.has_next = has_more if not self.is_backwards else True
        self.has_previous = (position is not None) if not self.is_backwards else has_more
        self.rows = page
        return page

    def start(self, model: type[Model], request: Request, view: Any) -> list[Any] | None:
        """Read ordering and cursor; return the position after which the page starts."""
        self.request = request
        self.keys = ordering_keys(request, view)
        self.is_backwards, position = self._cursor(request, model)
        return position

    def bound(self, position: list[Any], model: type[Model], prefix: str = "after") -> list[Any]:
        """Return a position's values as the query takes them; `prefix` tells positions apart."""
        return position

    def fetch(self, ordered: Callable[[], QuerySet[Any]], limit: int) -> list[Any]:
        """Return the first rows in order."""
        return self.fetch_rows("page", lambda: ordered()[:limit])

    def fetch_rows(self, step: str, build: Callable[[], QuerySet[Any]]) -> list[Any]:
        """Return rows of the page; `step` names the query."""
        return self.ask(step, build)

    def ask(self, step: str, build: Callable[[], Any]) -> list[Any]:
        """Return what a query of the page finds."""
        return list(build())

    def get_paginated_response(self, data: Any) -> Response:
        return Response(
            {
                "next": self._link(self.rows[-1], "n") if self.has_next and self.rows else None,
                "previous": self._link(self.rows[0], "p") if self.has_previous and self.rows else None,
                "results": data,
            }
        )

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": "string", "format": "uri", "nullable": True}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {"next": link, "previous": link, "results": schema},
        }

    def get_schema_operation_parameters(self, view: "APIView") -> list[dict[str, Any]]:
        orderings = ", ".join(getattr(view, "orderings", {"id": None}))
        texts = {
            "cursor": "Where the page starts; taken from `next` or `previous`.",
            "page_size": f"1–{self.max_page_size}, default {self.default_page_size}.",
            "ordering": f"Comma list of: {orderings}; `-` in front for descending.",
        }
        return [
            {
                "name": name,
                "in": "query",
                "required": False,
                "description": text,
                "schema": {"type": "integer" if name == "page_size" else "string"},
            }
            for name, text in texts.items()
        ]

    def size_of(self, request: Request) -> int:
        """Return the requested page's size, or answer 400."""
        text = request.query_params.get("page_size", str(self.default_page_size))
        if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= self.max_page_size):
            refuse("page_size", f"page_size must be a whole number from 1 to {self.max_page_size}.")
        return int(text)

    def _link(self, row: Any, direction: str) -> str:
        columns = [key.order_by for key in self.keys]
        token = base64.urlsafe_b64encode(to_json([direction, columns, *_values(row, self.keys)])).decode()
        return replace_query_param(self.request.build_absolute_uri(), "cursor", token.rstrip("="))

    def _cursor(self, request: Request, model: type[Model]) -> tuple[bool, list[Any] | None]:
        token = request.query_params.get("cursor")
        if token is None:
            return False, None
        try:
            direction, columns, *values = orjson.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
            if columns != [key.order_by for key in self.keys]:
                refuse("cursor", "This cursor belongs to a different ordering; start from the first page.")
            fields = [model._meta.get_field(key.column) for key in self.keys]
            position = [
                _position(field, key, value) for field, key, value in zip(fields, self.keys, values, strict=True)
            ]
            return {"n": False, "p": True}[direction], position
        except (ValueError, TypeError, KeyError, OverflowError) as error:
            raise exceptions.ValidationError({"cursor": ["This cursor is damaged; start from the first page."]}) from (
                error
            )


class BoundedPages(KeysetPagination):
    """Pages of rows that are `checked` one by one, for want of an index; a page ends after so many."""

    looked_through = 10_000
    branches: Sequence[Q] = (Q(),)  # each walks an index; their rows are merged

    def __init__(self, checked: Q | None = None) -> None:
        self.checked = checked
        self.goes_on: Any = None  # the last row checked, where the page ended for that

    def fetch(self, ordered: Callable[[], QuerySet[Any]], limit: int) -> list[Any]:
        end, within = None, Q()
        if self.checked is not None and (end := self._end(ordered)) is not None:
            last = self.bound(_values(end, self.walked), ordered().model, "end")
            within = after([key.reversed() for key in self.walked], last, is_included=True)
        wanted = within if self.checked is None else within & self.checked
        found = []
        for number, branch in enumerate(self.branches):
            condition = branch & wanted
            found += self.fetch_rows(f"branch {number}", lambda c=condition: ordered().filter(c)[:limit])  # type: ignore[misc]
        if len(self.branches) > 1:
            found.sort(key=lambda row: _values(row, self.walked), reverse=self.walked[0].is_descending)
        self.goes_on = end if len(found) < limit else None
        return found[:limit]

    def get_paginated_response(self, data: Any) -> Response:
        response = super().get_paginated_response(data)
        if self.goes_on is not None:
            on, back = ("previous", "next") if self.is_backwards else ("next", "previous")
            response.data[on] = self._link(self.goes_on, on[0])
            response.data[back] = response.data[back] or self._link(self.goes_on, back[0])
        elif self.is_backwards and not self.rows:
            response.data["next"] = remove_query_param(self.request.build_absolute_uri(), "cursor")
        return response

    def _end(self, ordered: Callable[[], QuerySet[Any]]) -> Any:
        """Return the row up to which every branch can be checked; None for all."""
        share = self.looked_through // len(self.branches)
        columns = [key.column for key in self.walked]
        ends = []
        for number, branch in enumerate(self.branches):
            ends += self.ask(
                f"end {number}",
                lambda b=branch: ordered().filter(b).values(*columns)[share - 1 : share],  # type: ignore[misc]
            )
        nearest = max if self.walked[0].is_descending else min
        return nearest(ends, key=lambda row: _values(row, self.walked)) if ends else None


def _values(row: Any, keys: Sequence[Key]) -> list[Any]:
    return [row[key.column] if isinstance(row, dict) else getattr(row, key.column) for key in keys]


def containing(column: str, text: str) -> Q:
    """Return the condition of rows containing a text in any case; 400 for one too long.

    SQLite folds ASCII only, so other texts are tried in each case.
    """
    if len(text) > SEARCHED_LENGTH:
        refuse("q", f"q is longer than {SEARCHED_LENGTH} characters.")
    variants = [text] if text.isascii() else sorted({text, text.lower(), text.upper(), text.capitalize()})
    condition = Q()
    for variant in variants:
        condition |= Q(**{f"{column}__icontains": variant})
    return condition


def page_of(rows: QuerySet[Any], request: Request, view: "APIView", show: Callable[[list[Any]], list[Any]]) -> Response:
    """Return a page of a list without filters; `show` represents its rows."""
    refuse_unknown_parameters(request, KeysetPagination.parameters)
    pages = KeysetPagination()
    return pages.get_paginated_response(show(pages.paginate_queryset(rows, request, view)))


def _position(field: Any, key: Key, value: Any) -> Any:
    """Return a cursor's value in its column's type. Raises ValueError."""
    if value is None and key.is_nullable:
        return None
    if isinstance(field, DateTimeField):
        moment = parse_datetime(value)
        if moment is None or moment.tzinfo is None:
            raise ValueError("not a time")
        return moment.astimezone(dt.UTC)
    if isinstance(field, DateField):
        return dt.date.fromisoformat(value)
    if type(value) is not (int if isinstance(field, IntegerField) else str):
        raise ValueError("of another type than its column")
    return value


def ordering_keys(request: Request, view: Any) -> list[Key]:
    """Return the keys of the requested ordering, ending with the primary key; 400 for one not offered.

    Naming the second column of an ordering changes nothing; other combinations have no index.
    """
    offered: dict[str, list[Key]] = getattr(view, "orderings", {"id": []})
    text = str(request.query_params.get("ordering") or getattr(view, "default_ordering", "id"))
    first, *rest = [word.strip() for word in text.split(",")]
    is_descending, name = first.startswith("-"), first.removeprefix("-")
    if name not in offered:
        refuse(
            "ordering", f"Cannot order by {name}. Valid orderings: {', '.join(sorted(offered))}.", "unknown_ordering"
        )
    keys = [key.reversed() if is_descending else key for key in offered[name]]
    if rest and rest != [key.order_by for key in keys[1 : 1 + len(rest)]]:
        refuse("ordering", f"Cannot combine {text}; order by {first} alone.", "unknown_ordering")
    if "id" not in {key.column for key in keys}:
        keys.append(Key("id", is_descending))
    return keys
