from collections.abc import Callable

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.gzip import GZipMiddleware
from django.urls import is_valid_path

from core.server.responses import request_id_from
from intake.endpoints import find
from intake.http import request_from, response_from
from intake.serving import serve
from status_page import http

REDIRECTED = ("/admin/", settings.STATIC_URL)


def request_context(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Give each request an id, a proxy's if well-formed."""

    def middleware(request: HttpRequest) -> HttpResponse:
        request.request_id = request_id_from(request.headers.get("X-Request-ID", ""))  # type: ignore[attr-defined]
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request.request_id)  # type: ignore[attr-defined]
        response = get_response(request)
        response["X-Request-ID"] = request.request_id  # type: ignore[attr-defined]
        return response

    return middleware


def either_slash(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Accept addresses with and without the last slash: some clients redirect with GET.

    Back-office pages redirect; redirected writes repeat (308).
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        path = request.path_info
        if not path.startswith(REDIRECTED) and path != "/":
            other = path[:-1] if path.endswith("/") else f"{path}/"
            is_one_apart = not (path.endswith("/") and other.endswith("/"))
            if is_one_apart and not is_valid_path(path) and is_valid_path(other):
                request.path = request.path.removesuffix(path) + other
                request.path_info = other
        response = get_response(request)
        if response.status_code == 301 and request.method not in ("GET", "HEAD"):
            response.status_code = 308
        return response

    return middleware


def status_page(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Serve the public page's files, as the gateway does."""

    def middleware(request: HttpRequest) -> HttpResponse:
        prefix = request.META.get(http.OUTER, "")
        if not prefix and (found := http.locate(request.META.get("HTTP_HOST", ""), request.path_info)):
            request.path = request.path_info = found[0]
            prefix = found[1]
        if not http.is_served(request.method or "", request.path_info):
            return get_response(request)
        headers = {name.lower(): value for name, value in request.headers.items()}
        query = request.META.get("QUERY_STRING", "")
        scheme = request.META.get("wsgi.url_scheme", "http")
        reply = http.respond(request.method or "", scheme, request.path_info, query, headers, prefix or http.PREFIX)
        return HttpResponse(reply.body, status=reply.status, headers=reply.headers)

    return middleware


def endpoints(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Serve senders before redirects and host checks, as the gateway does."""

    def middleware(request: HttpRequest) -> HttpResponse:
        endpoint = find(request.method or "", request.path)
        return response_from(serve(endpoint, request_from(request)), request) if endpoint else get_response(request)

    return middleware


def compressed_pages(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Send pages compressed, padded at random (BREACH).

    Not the API, whose ETags would turn weak, and nothing that streams.
    """
    compressed = GZipMiddleware(get_response).process_response

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        is_page = not response.streaming and response.get("Content-Type", "").startswith("text/html")
        return compressed(request, response) if is_page else response  # type: ignore[return-value]

    return middleware
