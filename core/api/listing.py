"""Declare a list once: for its query, refusals, pages and API description."""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from types import SimpleNamespace
from typing import Any

from cachetools import LRUCache
from django.db.models import DateTimeField, IntegerField, Model, Q, QuerySet, prefetch_related_objects
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.paging import BoundedPages, Key, KeysetPagination
from core.api.problems import moment_of, refuse, refuse_unknown_parameters, refused_by
from core.db.prepared import Parameter, Prepared, prepared
from core.db.rows import stored_columns

MOST = 2**63 - 1
MAX_PREPARED = 500

# Apart, so that ever new filters push out no query of single rows.
_prepared_pages: "LRUCache[Hashable, Prepared]" = LRUCache(MAX_PREPARED)


# --- Filters ----------------------------------------------------------------------------------------------------------

Narrow = Callable[[Any, str, Any, Any], Any]


@dataclass(frozen=True)
class Filter:
    """A query parameter that narrows a list.

    `narrow(rows, name, value, user)` returns rows, or a Q to check row by row. `parse` makes the value a parameter of
    the prepared query. "label.{name}" stands for all names that begin so.
    """

    narrow: Narrow
    help: str
    parse: Callable[[str, str], Any] | None = None
    is_lasting: bool = True  # False: depends on the clock or on other rows
    is_checked: bool = False  # may return a Q


def words(column: str, known: Mapping[str, Any], help: str) -> Filter:
    """Filter by comma-separated words for values of a column."""

    def narrow(rows: Any, name: str, value: str, user: Any) -> Any:
        given = [word.strip().lower() for word in value.split(",") if word.strip()]
        unknown = [word for word in given if word not in known]
        if unknown or not given:
            refuse(
                name,
                _("%(value)s is not one of %(known)s.")
                % {"value": ", ".join(unknown) or value, "known": ", ".join(known)},
            )
        codes = [known[word] for word in given]
        # an equation walks an index in order; a list would be sorted
        return rows.filter(**({column: codes[0]} if len(codes) == 1 else {f"{column}__in": codes}))

    return Filter(narrow, help)


def flag(narrow: Callable[[Any, bool], Any], *, is_lasting: bool = True, help: str = "`true` or `false`.") -> Filter:
    """Filter by true or false."""
    return Filter(lambda rows, name, value, user: narrow(rows, truth_of(name, value)), help, is_lasting=is_lasting)


def time(lookup: str, help: str) -> Filter:
    """Filter by a time."""
    return Filter(lambda rows, name, value, user: rows.filter(**{lookup: value}), help, parse=moment_of)


def row_id(column: str, help: str = "Id.") -> Filter:
    """Filter by another row's id."""
    return Filter(lambda rows, name, value, user: rows.filter(**{column: value}), help, parse=number_of)


def exact(column: str, help: str) -> Filter:
    """Filter by a text, exactly."""

    def narrow(rows: Any, name: str, value: str, user: Any) -> Any:
        if "\0" in value:
            refuse(name, _("Must not contain a null character."))
        return rows.filter(**{f"{column}__exactly": value.strip()})

    return Filter(narrow, help)


def truth_of(name: str, value: str) -> bool:
    """Return a parameter's truth; 400 for neither true nor false."""
    if value.lower() not in ("true", "false"):
        refuse(name, _("Must be true or false."))
    return value.lower() == "true"


def number_of(name: str, value: str) -> int:
    """Return a parameter's id; 400 for none."""
    if not (value.isascii() and value.isdigit() and len(value) <= 18):
        refuse(name, _("%(value)s is not an id.") % {"value": value})
    return int(value)


# --- Lists ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Selection:
    """Rows of one query per branch, merged; `checked` is tested row by row."""

    rows: Any
    checked: Q | None = None
    branches: tuple[Q, ...] = (Q(),)


@dataclass(frozen=True, eq=False)
class ListQuery:
    """A list whose orderings each walk an index.

    Its pages hold `columns` as dicts, or whole rows with `related` loaded.
    """

    name: str
    model: type[Model]
    orderings: Mapping[str, Sequence[Key]]
    default_ordering: str
    filters: Mapping[str, Filter] = field(default_factory=dict)
    columns: tuple[str, ...] = ()
    related: tuple[str, ...] = ()
    skips_empty: bool = False

    @property
    def filter_parameters(self) -> list[OpenApiParameter]:
        """Return the filters for the API description."""
        return [OpenApiParameter(name, OpenApiTypes.STR, description=one.help) for name, one in self.filters.items()]

    @property
    def parameters(self) -> list[OpenApiParameter]:
        """Return all parameters for the API description."""
        return [*self.filter_parameters, *page_parameters(*self.orderings)]

    def find(self, name: str) -> Filter | None:
        """Return a parameter's filter, if any."""
        if name in self.filters:
            return self.filters[name]
        families = ((known.partition("{"), one) for known, one in self.filters.items())
        return next((one for (start, brace, _end), one in families if brace and name.startswith(start)), None)

    def given(self, request: Request, *, but: str = "") -> list[tuple[str, str, Filter]]:
        """Return the request's filters: name, value, filter."""
        found = ((name, self.find(name)) for name in request.query_params if name != but)
        lists = ((name, request.query_params.getlist(name), one) for name, one in found if one is not None)
        return [(name, value, one) for name, values, one in lists for value in values if value or not self.skips_empty]

    @contextmanager
    def refusing(self, request: Request, *, also: Set[str] = frozenset()) -> Iterator[None]:
        """Refuse all parameters that are wrong where the block refuses one; `also` names the route's own."""
        try:
            self._refuse_unknown(request, also)
            yield
        except ValidationError as error:
            raise ValidationError(self._refusals(request, also) or error.detail) from error

    def _refuse_unknown(self, request: Request, also: Set[str]) -> None:
        families = {name for name in request.query_params if name not in self.filters and self.find(name)}
        refuse_unknown_parameters(request, {*self.filters, *also, *families}, repeatable=families)

    def _refusals(self, request: Request, also: Set[str]) -> dict[str, Any]:
        pages, none = KeysetPagination(), self.model._default_manager.none()
        checks: list[Callable[[], Any]] = [
            partial(self._refuse_unknown, request, also),
            partial(pages.size_of, request),
            partial(pages.start, self.model, request, self),
        ]
        for name, values in request.query_params.lists():
            alone: Any = SimpleNamespace(query_params=MultiValueDict({name: values}), user=request.user)
            checks.append(partial(self.select, none, alone))
        return refused_by(checks)

    def select(self, rows: Any, request: Request, *, but: str = "") -> Selection:
        """Return the requested rows; 400 for an invalid value."""
        checked = Q()
        for name, value, one in self.given(request, but=but):
            narrowed = one.narrow(rows, name, _parameter(name, value, one), request.user)
            if isinstance(narrowed, Q):
                checked &= narrowed
            else:
                rows = narrowed
        return Selection(rows, checked or None)

    def is_checked(self, request: Request) -> bool:
        """Return whether rows may be checked or merged."""
        return any(one.is_checked for _name, _value, one in self.given(request))

    def page(
        self,
        request: Request,
        rows: Callable[[], QuerySet[Any]],
        *,
        asker: Hashable,
        kind: "type[ListPages] | None" = None,
    ) -> "ListPages":
        """Return the requested page; `asker` is all that `rows()` depends on."""
        with self.refusing(request, also=KeysetPagination.parameters):
            pages = (kind or ListPages)(self, asker, request)
            pages.load(request, rows)
        return pages


class PreparedPages(BoundedPages):
    """Pages of prepared queries.

    The queries depend on `asker` and `question`; `values` are their parameters, a cursor's among them.
    """

    is_lasting = True  # False: no query is kept
    question: Hashable = None

    def __init__(self, name: str, asker: Hashable, **values: Any) -> None:
        super().__init__()
        self.name, self.asker, self.values = name, asker, values

    def bound(self, position: list[Any], model: type[Model], prefix: str = "after") -> list[Any]:
        capped = [max(-MOST, min(value, MOST)) if isinstance(value, int) else value for value in position]
        self.values |= {f"{prefix}_{number}": value for number, value in enumerate(capped)}
        fields: list[Any] = [model._meta.get_field(key.column) for key in self.keys]
        # a primary key's field refuses numbers that no row has
        sent = [None if isinstance(one, IntegerField) else one for one in fields]
        return [
            None if value is None else Parameter(f"{prefix}_{number}", one, value=value)
            for number, (one, value) in enumerate(zip(sent, capped, strict=True))
        ]

    def ask(self, step: str, build: Callable[[], Any]) -> list[Any]:
        return self.compiled(step, build).dicts(**self.values) if self.is_lasting else list(build())

    def compiled(self, step: str, build: Callable[[], Any]) -> Prepared:
        """Return a query of the page, compiled; it selects by `values()`."""
        shape = frozenset((name, value is None) for name, value in self.values.items())
        key = (self.name, step, self.asker, self.question, self.is_backwards, shape)
        return prepared(key, build, kept=_prepared_pages)


class ListPages(PreparedPages):
    """Pages of a list."""

    but = ""  # a filter that `fetch` applies itself

    def __init__(self, query: ListQuery, asker: Hashable, request: Request) -> None:
        super().__init__(query.name, asker)
        self.query = query
        given = query.given(request, but=self.but)
        self.is_lasting = all(one.is_lasting for _name, _value, one in given)
        self.values = {name: one.parse(name, value) for name, value, one in given if one.parse is not None}
        self.question = tuple(
            (name, *texts)
            for name, texts in request.query_params.lists()
            if name != "cursor" and name not in self.values
        )

    def load(self, request: Request, rows: Callable[[], QuerySet[Any]]) -> None:
        """Fetch the page; `rows` is called only to build a query."""
        query = self.query

        def select() -> Selection:
            return query.select(rows(), request, but=self.but)

        if not query.is_checked(request):
            self.page_of(lambda: select().rows, query.model, request, query)
            return
        selected = select()
        self.checked, self.branches = selected.checked, selected.branches
        self.page_of(lambda: selected.rows, query.model, request, query)

    def fetch_rows(self, step: str, build: Callable[[], Any]) -> list[Any]:
        query = self.query
        if query.columns:
            return self.ask(step, lambda: build().values(*query.columns))
        if not self.is_lasting:
            return list(build().prefetch_related(*query.related))
        found = self.compiled(step, lambda: build().values_list(*stored_columns(query.model)))
        rows = [query.model.from_db(found.alias, found.columns, row) for row in found.rows(**self.values)]
        prefetch_related_objects(rows, *query.related)
        return rows

    def respond(self, show: Callable[[Any], Any]) -> Response:
        """Return the response; `show` represents a row."""
        return self.get_paginated_response([show(row) for row in self.rows])


def page_parameters(*orderings: str) -> list[OpenApiParameter]:
    """Return the paging parameters for the API description."""
    offered = " or ".join(filter(None, [", ".join(orderings[:-1]), *orderings[-1:]]))
    return [
        OpenApiParameter("cursor", OpenApiTypes.STR, description="Where the page starts; from `next` or `previous`."),
        OpenApiParameter("page_size", OpenApiTypes.INT, description="1–200, default 50."),
        OpenApiParameter("ordering", OpenApiTypes.STR, description=f"{offered}; `-` in front for descending."),
    ][: 3 if orderings else 2]


def _parameter(name: str, value: str, one: Filter) -> Any:
    if one.parse is None:
        return value
    parsed = one.parse(name, value)
    return Parameter(name, None if isinstance(parsed, int) else DateTimeField(), value=parsed)
