"""Lock after failed sign-ins (django-axes): by address and client, and by network."""

import datetime as dt
import math
from typing import Any

from auditlog.models import LogEntry
from axes.handlers.database import AxesDatabaseHandler
from axes.handlers.proxy import AxesProxyHandler
from axes.models import AccessAttempt, AccessFailureLog
from django.conf import settings
from django.contrib.auth.signals import user_login_failed
from django.contrib.contenttypes.models import ContentType
from django.db.models import OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from core.api.clients import client_address, client_network, network_of
from core.api.jsonio import to_json
from core.api.problems import problem
from core.errors import TooManyRequests
from users.addresses import canonical
from users.models import User

LOOKED_AT = 100
MESSAGE = "Too many failed sign-ins. Try again later."


class SignInHandler(AxesDatabaseHandler):  # type: ignore[misc]  # axes is untyped
    """Axes' count by address and client, and one by client."""

    def get_failures(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        """Return the failures; enough to lock after too many addresses.

        A success clears its own account's only; known clients escape their network's lock.
        """
        own: int = super().get_failures(request, credentials)
        if own >= settings.AXES_FAILURE_LIMIT or not is_client_locked(client_network(request)):
            return own
        return own if _is_known(request, sign_in_name(request, credentials)) else settings.AXES_FAILURE_LIMIT

    def user_login_failed(
        self, sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any
    ) -> None:
        """Count the failure, and record the caller's full address."""
        was_locked = is_locked(request) if request else True
        super().user_login_failed(sender, credentials, request, **kwargs)
        if request is None or was_locked:
            return
        name = sign_in_name(request, credentials)
        AccessFailureLog.objects.create(
            username=name,
            ip_address=client_address(request),
            user_agent=request.axes_user_agent,  # type: ignore[attr-defined]
            http_accept=request.axes_http_accept,  # type: ignore[attr-defined]
            path_info=request.axes_path_info,  # type: ignore[attr-defined]
            locked_out=is_locked(request),
        )
        self.remove_out_of_limit_failure_logs(username=name)


def sign_in_name(request: HttpRequest, credentials: dict[str, Any] | None) -> str:
    """Return the name to count failures under, in ASCII: MySQL takes `júlia` for `julia`."""
    given = credentials or request.POST
    name = canonical(str(given.get("email") or given.get("username") or ""))
    return name.encode("unicode_escape").decode("ascii")[:255]


def is_locked(request: HttpRequest) -> bool:
    """Return whether this request's sign-in met a lock."""
    return bool(getattr(request, "axes_locked_out", False))


def refuse_locked(request: HttpRequest, email: str) -> None:
    """Raise TooManyRequests when the sign-in met a lock."""
    if is_locked(request):
        name = sign_in_name(request, {"email": email})
        raise TooManyRequests(MESSAGE, retry_after=seconds_left(request, name))


def refuse_if_locked(request: HttpRequest, email: str) -> None:
    """Raise TooManyRequests where a sign-in without a password would meet a lock."""
    credentials = {"username": email}
    if not AxesProxyHandler.is_allowed(request, credentials):
        request.axes_locked_out = True  # type: ignore[attr-defined]
        request.axes_credentials = credentials  # type: ignore[attr-defined]
    refuse_locked(request, email)


def count_failure(request: HttpRequest, email: str) -> None:
    """Count what failed after the password, as a failed sign-in."""
    user_login_failed.send(sender=__name__, credentials={"username": email}, request=request)


def seconds_left(request: HttpRequest, name: str) -> int:
    """Return how many seconds the lock lasts, at least one."""
    client = AccessAttempt.objects.filter(ip_address=client_network(request))
    newest = client.filter(username=name).order_by("-attempt_time").first()
    ends = [newest.attempt_time] if newest and _is_name_locked(client, name) else []
    failures = [] if _is_known(request, name) else _recent_failures(client_network(request))
    left = sum(number for _when, number in failures)
    for when, number in failures:
        if left < settings.LOGIN_CLIENT_FAILURE_LIMIT:
            break
        left -= number
        ends.append(when)
    end = max(ends, default=timezone.now()) + settings.AXES_COOLOFF_TIME
    return max(1, math.ceil((end - timezone.now()).total_seconds()))


def is_client_locked(network: str | None) -> bool:
    """Return whether this network is locked."""
    failures = sum(number for _when, number in _recent_failures(network))
    return failures >= settings.LOGIN_CLIENT_FAILURE_LIMIT


def failures_of_client() -> Coalesce:
    """Return an annotation counting each client's failures."""
    of_client = _recent().filter(ip_address=OuterRef("ip_address")).order_by().values("ip_address")
    return Coalesce(Subquery(of_client.annotate(total=Sum("failures_since_start")).values("total")), 0)


def _is_name_locked(client: Any, name: str) -> bool:
    total = client.filter(username=name).aggregate(total=Sum("failures_since_start"))["total"]
    return (total or 0) >= settings.AXES_FAILURE_LIMIT


def _is_known(request: HttpRequest, name: str) -> bool:
    email = name.encode("ascii").decode("unicode_escape", errors="replace")
    user = User.objects.filter(email=email).first()
    if user is None:
        return False
    kind = ContentType.objects.get_for_model(User)
    noted = LogEntry.objects.filter(content_type=kind, object_pk=str(user.pk), action=LogEntry.Action.ACCESS)
    facts = noted.order_by("-id").values_list("remote_addr", "additional_data")[:LOOKED_AT]
    entered = {address for address, data in facts if address and (data or {}).get("event") == "signed_in"}
    entered.update(user.sessions.order_by("-created_at").values_list("ip_address", flat=True)[:LOOKED_AT])
    return client_network(request) in {network_of(address) for address in entered if address}


def _recent_failures(network: str | None) -> list[tuple[dt.datetime, int]]:
    rows = _recent().filter(ip_address=network).order_by("attempt_time")
    return list(rows.values_list("attempt_time", "failures_since_start"))


def _recent() -> QuerySet[AccessAttempt]:
    rows: QuerySet[AccessAttempt] = AccessAttempt.objects.all()
    return rows.filter(attempt_time__gte=timezone.now() - settings.AXES_COOLOFF_TIME)


def locked_response(
    request: HttpRequest, response: HttpResponse | None, credentials: dict[str, Any] | None
) -> HttpResponse:
    """Return the 429 of a refused view."""
    if response is not None and response.status_code == 429:
        return response
    wait = str(seconds_left(request, sign_in_name(request, credentials)))
    if not request.path.startswith("/api/"):
        return HttpResponse(MESSAGE, status=429, content_type="text/plain", headers={"Retry-After": wait})
    body = problem(429, MESSAGE, code="too_many_requests", request_id=str(getattr(request, "request_id", "")))
    return HttpResponse(
        to_json(body), status=429, content_type="application/problem+json", headers={"Retry-After": wait}
    )
