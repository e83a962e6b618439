from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers

from core.api.problems import TITLES
from core.errors import Busy
from core.text.languages import accepted, reading
from core.text.zones import zone_named

# Programs read these in English.
WITHOUT_PERSON = ("/api/", "/health/", "/livez", "/readyz", "/metrics", settings.STATIC_URL)


def local_time(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Show pages in the signed-in person's zone and language, and to others in their browser's language."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.path.startswith(WITHOUT_PERSON):
            return get_response(request)
        user = request.user if settings.SESSION_COOKIE_NAME in request.COOKIES else None
        if user is None or not user.is_authenticated:
            return _to_stranger(request, get_response)
        with timezone.override(zone_named(user.time_zone)), reading(user.language):
            return get_response(request)

    return middleware


def _to_stranger(request: HttpRequest, get_response: Callable[[HttpRequest], HttpResponse]) -> HttpResponse:
    with translation.override(accepted(request.headers.get("Accept-Language", ""))):
        response = get_response(request)
    patch_vary_headers(response, ["Accept-Language"])
    return response


def busy_pages(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Answer Busy with a page that says when to retry."""

    def middleware(request: HttpRequest) -> HttpResponse:
        return get_response(request)

    def process_exception(request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, Busy):
            return None
        context = {
            "title": TITLES.get(error.status, error.title),
            "sentence": error.message,
            "request_id": getattr(request, "request_id", ""),
        }
        answer = render(request, "problem.html", context, status=error.status)
        answer["Retry-After"] = str(error.retry_after)
        return answer

    middleware.process_exception = process_exception  # type: ignore[attr-defined]  # Django looks for it there
    return middleware
