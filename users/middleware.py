from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone, translation

from core.api.problems import TITLES
from core.errors import Busy
from core.text.zones import zone_named

WITHOUT_PERSON = ("/api/", settings.STATIC_URL)


def local_time(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Show pages in the signed-in person's zone and language."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if settings.SESSION_COOKIE_NAME not in request.COOKIES or request.path.startswith(WITHOUT_PERSON):
            return get_response(request)
        language = getattr(request.user, "language", "")
        spoken = language if language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
        with timezone.override(zone_named(getattr(request.user, "time_zone", "UTC"))), translation.override(spoken):
            return get_response(request)

    return middleware


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
