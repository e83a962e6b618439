"""The API's error shape, and checks of query parameters."""

import datetime as dt
from collections.abc import Callable, Iterable, Set
from typing import Any, NoReturn

import structlog
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError
from django.http import Http404, HttpRequest
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response

from core.db.outages import Trouble, outages, unavailable
from core.errors import DomainError, conflict_of

log = structlog.get_logger(__name__)


TITLES = {
    400: _("Invalid request"),
    401: _("Authentication required"),
    403: _("Not allowed"),
    404: _("Not found"),
    405: _("Method not allowed"),
    408: _("Request timeout"),
    409: _("Conflict"),
    412: _("Changed in the meantime"),
    413: _("Too large"),
    415: _("Unsupported media type"),
    429: _("Too many requests"),
    431: _("Header too large"),
    500: _("Server error"),
    503: _("Unavailable"),
}


CREDENTIALS = "Bearer"
SIGN_IN = (
    "Send the header Authorization: Bearer <access token>, which POST /api/v1/auth/token/ gives, "
    "or Authorization: Token <personal token>."
)


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
    """Return a problem document (RFC 9457)."""
    return {
        "type": "about:blank",
        "title": str(title or TITLES.get(status_code, _("Error"))),
        "status": status_code,
        "detail": detail,
        "code": code,
        "errors": errors or [],
        "request_id": request_id,
        **extra,
    }


def problem_response(error: Exception, context: dict[str, Any]) -> Response | None:
    """Turn any error into a problem document (DRF's exception handler)."""
    from rest_framework.views import set_rollback

    request = context.get("request")
    request_id = getattr(getattr(request, "_request", request), "request_id", "")
    headers: dict[str, str] = {}
    trouble = outages.note(error)
    error = _of_ours(error, trouble)
    if isinstance(error, DomainError):
        body = _domain_problem(error, request_id)
        if error.retry_after is not None:
            headers["Retry-After"] = str(error.retry_after)
        if error.status == 401:
            headers["WWW-Authenticate"] = CREDENTIALS
    elif isinstance(error, exceptions.APIException):
        body = _api_problem(error, request_id)
        hint, more = _wanted(error, context.get("view"))
        body["detail"] = f"{body['detail']} {hint}".strip()
        headers |= more
        if wait := getattr(error, "wait", None):
            headers["Retry-After"] = str(int(wait))
    else:
        return None
    set_rollback()
    response = Response(body, status=body["status"], headers=headers)
    response.content_type = "application/problem+json"
    if trouble is not None:
        response._has_been_logged = True  # type: ignore[attr-defined]  # Django's own mark; `outages` did it, once
    return response


def _of_ours(error: Exception, trouble: Trouble | None) -> Exception:
    if isinstance(error, Http404):
        return exceptions.NotFound()
    if isinstance(error, PermissionDenied):
        return exceptions.PermissionDenied()
    if isinstance(error, IntegrityError):
        return conflict_of(error) or error
    if trouble is not None and not isinstance(error, DomainError):
        return unavailable(trouble)
    return error


def _wanted(error: exceptions.APIException, view: Any) -> tuple[str, dict[str, str]]:
    if isinstance(error, (exceptions.NotAuthenticated, exceptions.AuthenticationFailed)):
        sentence = SIGN_IN if isinstance(error, exceptions.NotAuthenticated) else ""
        return sentence, {"WWW-Authenticate": CREDENTIALS}
    if isinstance(error, exceptions.MethodNotAllowed):
        allowed = [method for method in getattr(view, "allowed_methods", []) if method != "OPTIONS"]
        return f"Use {_listed(allowed)}." if allowed else "", {}  # the view's answers have `Allow`
    if isinstance(error, exceptions.UnsupportedMediaType):
        types = list(dict.fromkeys(parser.media_type for parser in getattr(view, "parser_classes", [])))
        return (f"Send {_listed(types)}.", {"Accept": ", ".join(types)}) if types else ("", {})
    return "", {}


def _listed(words: list[str]) -> str:
    return " or ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


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
    """Refuse one field with 400."""
    raise exceptions.ValidationError({field: [exceptions.ErrorDetail(message, code)]})


def refuse_unknown_parameters(
    request: Request | HttpRequest, known: Set[str], *, repeatable: Set[str] = frozenset()
) -> None:
    """Refuse all unknown and repeated query parameters with 400."""
    query = request.query_params if isinstance(request, Request) else request.GET
    found = {}
    for name, values in query.lists():
        if name not in known:
            text = f"Unknown filter {name}. Valid filters: {', '.join(sorted(known))}."
            found[name] = [exceptions.ErrorDetail(text, "unknown_filter")]
        elif len(values) > 1 and name not in repeatable:
            text = f"{name} is given more than once; send it once{_with_commas(values)}."
            found[name] = [exceptions.ErrorDetail(text, "repeated")]
    if found:
        raise exceptions.ValidationError(found)


def refused_by(checks: Iterable[Callable[[], Any]]) -> dict[str, Any]:
    """Return what all checks refuse, by field."""
    found: dict[str, Any] = {}
    for check in checks:
        try:
            check()
        except exceptions.ValidationError as error:
            detail: Any = error.detail
            found |= detail | found
    return found


def _with_commas(values: list[str]) -> str:
    return "" if any("," in value for value in values) else ", with commas where several values are accepted"


def moment_of(name: str, text: str) -> dt.datetime:
    """Return a query parameter's time (UTC by default), or answer 400."""
    moment = typed_moment_of(name, text)
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def typed_moment_of(name: str, text: str) -> dt.datetime:
    """Return a query parameter's time, without a zone if it has no offset, or answer 400."""
    # query strings turn `+` into a space
    pasted = text.replace(" ", "+") if text.count(" ") == 1 and "T" in text else text
    try:
        moment = parse_datetime(pasted)
        moment = moment.astimezone(dt.UTC) if moment and moment.tzinfo else moment
    except (ValueError, OverflowError):
        moment = None
    if moment is None:
        refuse(name, f"{name} must be a time such as 2026-11-21T09:30:00Z.")
    return moment
