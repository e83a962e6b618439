"""The lock after too many failed sign-ins (django-axes): how it names people, how long it lasts, how it answers."""

import math
from typing import Any

from axes.models import AccessAttempt
from django.conf import settings
from django.db.models import Max
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from incident_response.api import problem, to_json
from users.clients import client_address

MESSAGE = "Too many failed sign-ins. Try again later."


def sign_in_name(request: HttpRequest, credentials: dict[str, Any] | None) -> str:
    """The name that failures are counted under: the e-mail address in lower case, whichever form it came in by."""
    given = credentials or request.POST
    return str(given.get("email") or given.get("username") or "").strip().lower()[:255]


def is_locked(request: HttpRequest) -> bool:
    """Whether the sign-in that was just tried with this request met the lock."""
    return bool(getattr(request, "axes_locked_out", False))


def seconds_left(request: HttpRequest, name: str) -> int:
    """How long the lock still lasts for this name and client; at least one second."""
    attempts = AccessAttempt.objects.filter(username=name, ip_address=client_address(request))
    newest = attempts.aggregate(newest=Max("attempt_time"))["newest"] or timezone.now()
    return max(1, math.ceil((newest + settings.AXES_COOLOFF_TIME - timezone.now()).total_seconds()))


def locked_response(
    request: HttpRequest, response: HttpResponse | None, credentials: dict[str, Any] | None
) -> HttpResponse:
    """What axes answers instead of a view that was refused; the API's own 429 stays as it is."""
    if response is not None and response.status_code == 429:
        return response
    wait = str(seconds_left(request, sign_in_name(request, credentials)))
    if not request.path.startswith("/api/"):
        return HttpResponse(MESSAGE, status=429, content_type="text/plain", headers={"Retry-After": wait})
    body = problem(429, MESSAGE, code="too_many_requests", request_id=str(getattr(request, "request_id", "")))
    return HttpResponse(
        to_json(body), status=429, content_type="application/problem+json", headers={"Retry-After": wait}
    )
