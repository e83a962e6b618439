"""Refusals to providers that call here."""

from django.http import HttpRequest, HttpResponse, JsonResponse

from core.api.problems import problem


def problem_response(request: HttpRequest, status: int, detail: str, code: str, **headers: str) -> HttpResponse:
    """Return a problem document."""
    body = problem(status, detail, code=code, request_id=getattr(request, "request_id", ""))
    return JsonResponse(body, status=status, content_type="application/problem+json", headers=headers)
