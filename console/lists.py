"""Lists whose filters are the address."""

from types import SimpleNamespace
from typing import Any

from django.http import HttpRequest, HttpResponseRedirect, QueryDict

from console.pages import query
from core.api.paging import Key, KeysetPagination
from core.api.problems import refuse_unknown_parameters

PAGING = frozenset({"cursor", "page_size", "ordering"})


def without_empty(request: HttpRequest) -> HttpResponseRedirect | None:
    """Redirect to the same list without what a form left empty; None if nothing was."""
    kept = [(name, value) for name, values in request.GET.lists() for value in values if value.strip()]
    if len(kept) == sum(len(values) for _name, values in request.GET.lists()):
        return None
    return to_list(request, kept)


def to_list(request: HttpRequest, pairs: list[tuple[str, str]]) -> HttpResponseRedirect:
    """Redirect to the same list with these parameters."""
    asked = QueryDict(mutable=True)
    for name, value in pairs:
        asked.appendlist(name, value)
    address = f"?{asked.urlencode()}" if asked else ""
    return HttpResponseRedirect(f"{request.path}{address}")


def asking(request: HttpRequest, parameters: QueryDict) -> Any:
    """Return the request as the lists' declarations read it, with other parameters."""
    return SimpleNamespace(**{**vars(query(request)), "GET": parameters, "query_params": parameters})


def keyset_page(request: HttpRequest, rows: Any, *, by: str) -> KeysetPagination:
    """Return the page of rows that the address asks for, in one order."""
    refuse_unknown_parameters(request, PAGING)
    pages = KeysetPagination()
    view: Any = SimpleNamespace(orderings={by.removeprefix("-"): [Key(by.removeprefix("-"))]}, default_ordering=by)
    pages.paginate_queryset(rows, query(request), view)
    return pages


def links_of(pages: Any) -> dict[str, Any]:
    """Return the addresses of the pages before and after."""
    found: dict[str, Any] = pages.get_paginated_response([]).data
    return found
