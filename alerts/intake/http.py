"""The doors for Django's synchronous handlers: WSGI servers and the test client. The gateway has a quicker way."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import URLPattern, re_path
from django.views.decorators.csrf import csrf_exempt

from alerts.incoming import Incoming, Reply
from alerts.intake.doors import Door
from alerts.intake.serving import serve

View = Callable[..., HttpResponseBase]


def incoming_from(request: HttpRequest) -> Incoming:
    """Django's request as the doors take it."""
    return Incoming(
        method=request.method or "",
        path=request.path,
        headers={name.lower(): value for name, value in request.headers.items()},
        body=request.body,
        query=request.META.get("QUERY_STRING", ""),
        address=request.META.get("REMOTE_ADDR", ""),
    )


def response_from(reply: Reply) -> HttpResponse:
    """A reply as Django's response."""
    response = HttpResponse(reply.body, status=reply.status, content_type=reply.media_type)
    for name, value in reply.headers.items():
        response[name] = value
    return response


def door_view(door: Door, otherwise: View | None = None) -> View:
    """A view that serves the door; other methods go to `otherwise`, or are answered 405."""

    @csrf_exempt
    def view(request: HttpRequest, **kwargs: str) -> HttpResponseBase:
        if request.method in door.methods:
            return response_from(serve(door, incoming_from(request)))
        if otherwise is not None:
            return otherwise(request, **kwargs)
        allowed = ", ".join(sorted(door.methods))
        return response_from(Reply.json(405, {"detail": f"Use {allowed} here."}, Allow=allowed))

    view.methods = sorted(door.methods)  # type: ignore[attr-defined]  # for whoever lists what is routed
    return view


def patterns(*doors: Door) -> list[URLPattern]:
    """URL patterns for doors that share their paths with nothing else."""
    return [re_path(f"^{path}$", door_view(door)) for door in doors for path in door.paths]
