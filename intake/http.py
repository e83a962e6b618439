"""The endpoints for Django's synchronous handlers: WSGI servers and the test client."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, re_path
from django.views.decorators.csrf import csrf_exempt

from intake.endpoints import PROBLEM, Endpoint, endpoints, identified, problem_response
from intake.requests import IntakeRequest, IntakeResponse

View = Callable[..., HttpResponse]


def request_from(request: HttpRequest) -> IntakeRequest:
    """Return Django's request as an IntakeRequest."""
    return IntakeRequest(
        method=request.method or "",
        path=request.path,
        headers={name.lower(): value for name, value in request.headers.items()},
        body=request.body,
        query=request.META.get("QUERY_STRING", ""),
        address=request.META.get("REMOTE_ADDR", ""),
    )


def response_from(response: IntakeResponse, request: HttpRequest) -> HttpResponse:
    """Return an IntakeResponse as Django's response."""
    if response.media_type == PROBLEM:
        response = identified(response, getattr(request, "request_id", ""))
    answer = HttpResponse(response.body, status=response.status, content_type=response.media_type)
    for name, value in response.headers.items():
        answer[name] = value
    return answer


def sender_patterns() -> list[URLPattern]:
    """Return URL patterns that refuse other methods; what is served never gets here (see the project's middleware)."""
    routed = [endpoint for endpoint in endpoints() if endpoint.has_route]
    return [re_path(f"^{path}$", _refusal(endpoint)) for endpoint in routed for path in endpoint.paths]


def _refusal(endpoint: Endpoint) -> View:
    allowed = ", ".join(endpoint.methods)

    @csrf_exempt
    def view(request: HttpRequest, **kwargs: str) -> HttpResponse:
        return response_from(problem_response(405, f"Use {allowed} here.", Allow=allowed), request)

    view.methods = endpoint.methods  # type: ignore[attr-defined]  # for whoever lists what is routed
    return view
