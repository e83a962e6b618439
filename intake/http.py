"""The doors for Django's synchronous handlers: WSGI servers and the test client. The gateway has a quicker way."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, re_path
from django.views.decorators.csrf import csrf_exempt

from intake.endpoints import Endpoint, problem_reply
from intake.requests import IntakeRequest, IntakeResponse

View = Callable[..., HttpResponse]


def incoming_from(request: HttpRequest) -> IntakeRequest:
    """Django's request as the doors take it."""
    return IntakeRequest(
        method=request.method or "",
        path=request.path,
        headers={name.lower(): value for name, value in request.headers.items()},
        body=request.body,
        query=request.META.get("QUERY_STRING", ""),
        address=request.META.get("REMOTE_ADDR", ""),
    )


def response_from(reply: IntakeResponse) -> HttpResponse:
    """A reply as Django's response."""
    response = HttpResponse(reply.body, status=reply.status, content_type=reply.media_type)
    for name, value in reply.headers.items():
        response[name] = value
    return response


def patterns(*doors: Endpoint) -> list[URLPattern]:
    """URL patterns for doors: what they take is served before any view (see the project's middleware), the rest is
    refused here."""
    return [re_path(f"^{path}$", _refusal(door)) for door in doors for path in door.paths]


def _refusal(door: Endpoint) -> View:
    allowed = ", ".join(sorted(door.methods))

    @csrf_exempt
    def view(request: HttpRequest, **kwargs: str) -> HttpResponse:
        return response_from(problem_reply(405, f"Use {allowed} here.", Allow=allowed))

    view.methods = sorted(door.methods)  # type: ignore[attr-defined]  # for whoever lists what is routed
    return view
