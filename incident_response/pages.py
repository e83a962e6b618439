"""Root pages, the API's description, and errors elsewhere."""

import sys
from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.jsonio import to_json
from core.api.problems import TITLES, problem
from core.db.outages import outages, unavailable
from core.errors import DomainError, PermissionRefused
from incident_response.legacy.programs import is_programs
from intake.endpoints import first_parts


@require_safe
def favicon(request: HttpRequest) -> HttpResponse:
    """Return the icon to browsers that ask for it unlinked."""
    icon = (settings.BASE_DIR / "static/favicon.svg").read_bytes()
    return HttpResponse(icon, content_type="image/svg+xml", headers={"Cache-Control": "max-age=86400"})


@require_safe
def redoc(request: HttpRequest) -> HttpResponse:
    return render(request, "redoc.html")


@cache
def schema() -> Any:
    """Return the OpenAPI document, made once per process."""
    generator = SchemaGenerator()  # type: ignore[no-untyped-call]
    return generator.get_schema(request=None, public=True)  # type: ignore[no-untyped-call]


class SchemaView(APIView):
    """The OpenAPI document, as JSON."""

    authentication_classes = []
    permission_classes = [AllowAny]

    @extend_schema(exclude=True)
    def get(self, request: Request) -> Response:
        return Response(schema(), content_type="application/vnd.oai.openapi+json")


SENTENCES = {
    400: gettext_lazy("The request is not valid."),
    403: gettext_lazy("You don't have permission to view this page."),
    404: gettext_lazy("Page not found."),
    500: gettext_lazy("Something went wrong here. It has been logged."),
}
CODES = {400: "invalid", 403: "permission_denied", 404: "not_found", 500: "server_error"}


def error_response(request: HttpRequest, status: int, reason: DomainError | None = None) -> HttpResponse:
    """Return a problem document to machines, else a page."""
    request_id = getattr(request, "request_id", "")
    sentence, code = (reason.message, reason.code) if reason else (str(SENTENCES[status]), CODES[status])
    headers = {"Retry-After": str(reason.retry_after)} if reason and reason.retry_after is not None else None
    if request.path.split("/")[1] not in {"api", *first_parts()} and not is_programs(request):
        context = {"title": TITLES[status], "sentence": sentence, "request_id": request_id}
        return HttpResponse(render_to_string("problem.html", context), status=status, headers=headers)
    body = problem(status, sentence, code=code, request_id=request_id)
    return HttpResponse(to_json(body), content_type="application/problem+json", status=status, headers=headers)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Handle 400, such as an unknown Host."""
    return error_response(request, 400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return error_response(request, 403)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Handle a form without its token; Django logs the reason."""
    said = _("This page was open for too long, or cookies are blocked. Go back, load it again and repeat what you did.")
    return error_response(request, 403, PermissionRefused(said))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return error_response(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Handle 500 without database or session; 503 when passing."""
    error = sys.exception()
    trouble = outages.note(error)
    reason = error if isinstance(error, DomainError) else unavailable(trouble) if trouble is not None else None
    if reason is None or reason.status != 503:
        return error_response(request, 500)
    response = error_response(request, 503, reason)
    if trouble is not None:
        response._has_been_logged = True  # type: ignore[attr-defined]  # Django's own mark; `outages` did it, once
    return response
