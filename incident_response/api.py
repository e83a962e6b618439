"""What every API view shares: the one error shape, paging by key, ordering."""

import base64
import datetime as dt
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import orjson
import structlog
from django.core.exceptions import PermissionDenied
from django.db.models import DateTimeField, IntegerField, Model, Q, QuerySet
from django.http import Http404, HttpRequest
from django.utils.dateparse import parse_datetime
from rest_framework import exceptions
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from incident_response.exceptions import DomainError
from incident_response.jsonio import to_json as to_json  # apps import from here

if TYPE_CHECKING:
    # At run time this would be a circle: the body of APIView loads what the settings name, this module among it.
    from rest_framework.views import APIView

log = structlog.get_logger(__name__)

# --- Errors -----------------------------------------------------------------------------------------------------------

TITLES = {
    400: "Invalid request",
    401: "Not signed in",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    412: "Changed in the meantime",
    413: "Too large",
    415: "Unsupported media type",
    429: "Too many requests",
    500: "Server error",
    503: "Unavailable",
}


def problem(
    status_code: int,
    detail: str,
    *,
    code: str,
    request_id: str = "",
    errors: list[dict[str, str]] | None = None,
    title: str | None = None,
    **extra: Any,
) -> dict[str, Any]:
    """A problem document (RFC 9457)."""
    return {
        "type": "about:blank",
        "title": title or TITLES.get(status_code, "Error"),
        "status": status_code,
        "detail": detail,
        "code": code,
        "errors": errors or [],
        "request_id": request_id,
        **extra,
    }


def problem_response(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler: every error an API view raises leaves as a problem document."""
    from rest_framework.views import set_rollback

    request = context.get("request")
    request_id = getattr(getattr(request, "_request", request), "request_id", "")
    headers: dict[str, str] = {}
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    if isinstance(error, DomainError):
        body = _domain_problem(error, request_id)
        if error.retry_after is not None:
            headers["Retry-After"] = str(error.retry_after)
        if error.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
    elif isinstance(error, exceptions.APIException):
        body = _api_problem(error, request_id)
        if isinstance(error, (exceptions.NotAuthenticated, exceptions.AuthenticationFailed)):
            headers["WWW-Authenticate"] = "Bearer"
        if wait := getattr(error, "wait", None):
            headers["Retry-After"] = str(int(wait))
    else:
        return None
    set_rollback()
    response = Response(body, status=body["status"], headers=headers)
    response.content_type = "application/problem+json"
    return response


def _domain_problem(error: DomainError, request_id: str) -> dict[str, Any]:
    errors = []
    if error.field:
        errors = [{"field": error.field, "code": error.code, "message": error.message}]
    return problem(
        error.status,
        error.message,
        code=error.code,
        title=error.title,
        request_id=request_id,
        errors=errors,
        **error.extra,
    )


def _api_problem(error: exceptions.APIException, request_id: str) -> dict[str, Any]:
    status_code = error.status_code
    if isinstance(error, exceptions.ValidationError):
        errors = list(_flatten(error.get_full_details()))
        detail = errors[0]["message"] if errors else "The request is not valid."
        if errors and errors[0]["field"]:
            detail = f"{errors[0]['field']}: {detail}"
        return problem(status_code, detail, code="invalid", errors=errors, request_id=request_id)
    codes = error.get_codes()
    code = codes if isinstance(codes, str) else "not_authenticated" if status_code == 401 else "error"
    detail = error.detail if isinstance(error.detail, str) else _first_sentence(error.detail)
    return problem(status_code, str(detail), code=code, request_id=request_id)


def _first_sentence(detail: Any) -> str:
    if isinstance(detail, dict):
        return _first_sentence(detail.get("detail", next(iter(detail.values()), "")))
    if isinstance(detail, list):
        return _first_sentence(detail[0]) if detail else ""
    return str(detail)


def _flatten(details: Any, path: str = "") -> Any:
    """Yield {field, code, message} from DRF's nested error details."""
    if isinstance(details, dict) and set(details) == {"message", "code"}:
        yield {"field": path, "code": str(details["code"]), "message": str(details["message"])}
    elif isinstance(details, dict):
        for name, inner in details.items():
            own = "" if name == "non_field_errors" else str(name)
            yield from _flatten(inner, ".".join(part for part in (path, own) if part))
    elif isinstance(details, list):
        for inner in details:
            yield from _flatten(inner, path)


def refuse(field: str, message: str, code: str = "invalid") -> NoReturn:
    """Refuse one field of a request with 400."""
    raise exceptions.ValidationError({field: [exceptions.ErrorDetail(message, code)]})


def refuse_unknown_parameters(request: Request | HttpRequest, known: Set[str]) -> None:
    """A query parameter nobody reads is a mistake the caller wants to hear of, not one to ignore."""
    query = request.query_params if isinstance(request, Request) else request.GET
    for name in query:
        if name not in known:
            refuse(name, f"There is no filter named {name}; known are {', '.join(sorted(known))}.", "unknown_filter")


def moment_of(name: str, text: str) -> dt.datetime:
    """A query parameter's time, in UTC (which is assumed where no offset is given); 400 for what is none."""
    # A `+` in a query string arrives as a space; people paste times with an offset all the same.
    pasted = text.replace(" ", "+") if text.count(" ") == 1 and "T" in text else text
    try:
        moment = parse_datetime(pasted)
        moment = moment.astimezone(dt.UTC) if moment and moment.tzinfo else moment
    except (ValueError, OverflowError):
        moment = None
    if moment is None:
        refuse(name, f"{name} is a time such as 2026-11-21T09:30:00Z.")
    return moment.replace(tzinfo=dt.UTC)


# --- Paging by key ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Key:
    """One column of an ordering."""

    column: str
    is_descending: bool = False
    is_nullable: bool = False

    def reversed(self) -> "Key":
        """The same column the other way round."""
        return Key(self.column, not self.is_descending, self.is_nullable)

    @property
    def order_by(self) -> str:
        """The column as `order_by()` takes it."""
        return f"-{self.column}" if self.is_descending else self.column


def after(keys: Sequence[Key], values: Sequence[Any]) -> Q:
    """The rows that come after the row with these values.

    Written out as nested comparisons, led by one plain range over the first column, because MySQL does not
    range-scan a row constructor `(a, b) < (x, y)`. NULLs sort first when ascending, last when descending,
    as both databases do.
    """
    key, value = keys[0], values[0]
    if len(keys) == 1:
        return _beyond(key, value)
    condition = _beyond(key, value) | (_equal(key, value) & after(keys[1:], values[1:]))
    if value is None or (key.is_nullable and key.is_descending):
        return condition
    bound = "lte" if key.is_descending else "gte"
    return Q(**{f"{key.column}__{bound}": value}) & condition


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
    """Pages that start after a row rather than after a number of rows: the 1,000th costs what the first costs.

    A view says `orderings = {"created_at": [Key("created_at")], …}` and `default_ordering = "-created_at"`; the primary
    key is added as the last key. A cursor holds the direction and the last row's key values.
    """

    default_page_size = 50
    max_page_size = 200
    parameters = frozenset({"cursor", "page_size", "ordering"})

    def paginate_queryset(  # type: ignore[override]
        self, queryset: QuerySet[Any], request: Request, view: "APIView | None" = None
    ) -> list[Any]:
        """The rows of the page; `get_paginated_response` links to its neighbours."""
        return self.page_of(lambda: queryset, queryset.model, request, view)

    def page_of(
        self, rows: Callable[[], QuerySet[Any]], model: type[Model], request: Request, view: "APIView | None"
    ) -> list[Any]:
        """As `paginate_queryset`, of a queryset that is made only where `fetch` wants it."""
        self.request = request
        self.keys = ordering_keys(request, view)
        size = self._page_size(request)
        backwards, position = self._cursor(request, model)
        keys = [key.reversed() for key in self.keys] if backwards else self.keys

        def ordered() -> QuerySet[Any]:
            following = rows() if position is None else rows().filter(after(keys, position))
            return following.order_by(*(key.order_by for key in keys))

        found = self.fetch(ordered, size + 1)
        has_more, page = len(found) > size, found[:size]
        if backwards:
            page.reverse()
        self.has_next = has_more if not backwards else True
        self.has_previous = (position is not None) if not backwards else has_more
        self.rows = page
        return page

    def fetch(self, ordered: Callable[[], QuerySet[Any]], limit: int) -> list[Any]:
        """The first rows in their order; for pages that find them in a way of their own."""
        return list(ordered()[:limit])

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

    def _page_size(self, request: Request) -> int:
        text = request.query_params.get("page_size", str(self.default_page_size))
        if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= self.max_page_size):
            refuse("page_size", f"page_size is a whole number from 1 to {self.max_page_size}.")
        return int(text)

    def _link(self, row: Any, direction: str) -> str:
        values = [row[key.column] if isinstance(row, dict) else getattr(row, key.column) for key in self.keys]
        token = base64.urlsafe_b64encode(to_json([direction, [key.order_by for key in self.keys], *values])).decode()
        return replace_query_param(self.request.build_absolute_uri(), "cursor", token.rstrip("="))

    def _cursor(self, request: Request, model: type[Model]) -> tuple[bool, list[Any] | None]:
        token = request.query_params.get("cursor")
        if token is None:
            return False, None
        try:
            direction, columns, *values = orjson.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
            if columns != [key.order_by for key in self.keys]:
                refuse("cursor", "This cursor belongs to another ordering; start from the first page.")
            fields = [model._meta.get_field(key.column) for key in self.keys]
            position = [
                _position(field, key, value) for field, key, value in zip(fields, self.keys, values, strict=True)
            ]
            return {"n": False, "p": True}[direction], position
        except (ValueError, TypeError, KeyError, OverflowError) as error:
            raise exceptions.ValidationError({"cursor": ["This cursor is damaged; start from the first page."]}) from (
                error
            )


def page_of(rows: QuerySet[Any], request: Request, view: "APIView", show: Callable[[list[Any]], list[Any]]) -> Response:
    """One page of a list that has no filters, in the view's orderings; `show` makes the results of the page's rows."""
    refuse_unknown_parameters(request, KeysetPagination.parameters)
    pages = KeysetPagination()
    return pages.get_paginated_response(show(pages.paginate_queryset(rows, request, view)))


def _position(field: Any, key: Key, value: Any) -> Any:
    """A cursor's value in its column's own type: people may send us anything, and databases choke on the wrong type."""
    if value is None and key.is_nullable:
        return None
    if isinstance(field, DateTimeField):
        moment = parse_datetime(value)
        if moment is None or moment.tzinfo is None:
            raise ValueError("not a time")
        return moment.astimezone(dt.UTC)
    if type(value) is not (int if isinstance(field, IntegerField) else str):
        raise ValueError("of another type than its column")
    return value


def ordering_keys(request: Request, view: "APIView | None") -> list[Key]:
    """The ordering asked for, as keys that end with the primary key; 400 for one that is not offered.

    `severity` may be offered as severity, then created_at: that is the order of an index. Naming the second key too, in
    the same direction, changes nothing; any other combination would make the database sort everything, and is refused.
    """
    offered: dict[str, list[Key]] = getattr(view, "orderings", {"id": []})
    text = str(request.query_params.get("ordering") or getattr(view, "default_ordering", "id"))
    first, *rest = [word.strip() for word in text.split(",")]
    is_descending, name = first.startswith("-"), first.removeprefix("-")
    if name not in offered:
        refuse("ordering", f"Cannot order by {name}; offered are {', '.join(sorted(offered))}.", "unknown_ordering")
    keys = [key.reversed() if is_descending else key for key in offered[name]]
    if rest and rest != [key.order_by for key in keys[1 : 1 + len(rest)]]:
        refuse("ordering", f"Cannot combine {text}; order by {first} alone.", "unknown_ordering")
    if "id" not in {key.column for key in keys}:
        keys.append(Key("id", is_descending))
    return keys
