"""Views that providers call."""

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from core.api.problems import problem

View = Callable[[HttpRequest], HttpResponse]


def callback_view(*methods: str) -> Callable[[View], View]:
    """Serve callers without cookies, by these methods only."""

    def restrict(view: View) -> View:
        @csrf_exempt
        @wraps(view)
        def checked(request: HttpRequest) -> HttpResponse:
            if request.method not in methods:
                detail = f"Use {' or '.join(methods)} here."
                return problem_response(request, 405, detail, "method_not_allowed", Allow=", ".join(methods))
            return view(request)

        checked.methods = methods  # type: ignore[attr-defined]  # for whoever lists what is routed
        return checked

    return restrict


def problem_response(request: HttpRequest, status: int, detail: str, code: str, **headers: str) -> HttpResponse:
    """Return a problem document."""
    body = problem(status, detail, code=code, request_id=getattr(request, "request_id", ""))
    return JsonResponse(body, status=status, content_type="application/problem+json", headers=headers)
