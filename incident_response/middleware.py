"""What surrounds every request."""

import re
import uuid
from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponse

from alerts.intake import find
from alerts.intake.http import incoming_from, response_from
from alerts.intake.serving import serve

SAFE_ID = re.compile(r"^[A-Za-z0-9._-]{8,64}$")


def request_context(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Give each request an id (a proxy's own, if it is a decent one), put it on log lines and on the answer."""

    def middleware(request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        request.request_id = given if SAFE_ID.match(given) else uuid.uuid4().hex  # type: ignore[attr-defined]
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request.request_id)  # type: ignore[attr-defined]
        response = get_response(request)
        response["X-Request-ID"] = request.request_id  # type: ignore[attr-defined]
        return response

    return middleware


def doors(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Serve senders before anything is redirected or refused by its host, as the gateway does: many of them do not
    follow. The same paths with other methods are no doors, such as the list of log lines, and go on."""

    def middleware(request: HttpRequest) -> HttpResponse:
        door = find(request.method or "", request.path)
        return response_from(serve(door, incoming_from(request))) if door else get_response(request)

    return middleware
