"""Health for probes, monitors and administrators."""

import platform
import time
from collections.abc import Callable
from typing import Any

import django
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.jsonio import to_json
from core.api.permissions import IsAdmin
from core.models import JobRun
from core.server.checks import current_outcomes, is_well
from core.server.database_checks import WRITE_CHECK, describe_database
from core.server.facts import facts
from core.server.watch import Outcomes

STARTED = time.monotonic()

_counts: dict[str, Callable[[], int]] = {}


def register_count(name: str, count: Callable[[], int]) -> None:
    """Add a number to the system information."""
    _counts[name] = count


def count_of(name: str) -> int:
    """Return a number of the system information."""
    return _counts[name]()


def in_lines(outcomes: Outcomes) -> bytes:
    """Format outcomes for people and probes."""
    lines = [f"{name}: {outcome['status']} ({outcome['detail']})" for name, outcome in outcomes.items()]
    return "\n".join([*lines, ""]).encode()


def in_json(outcomes: Outcomes) -> bytes:
    """Format outcomes for programs."""
    return _document("ok" if is_well(outcomes) else "failed", outcomes)


def in_summary(outcomes: Outcomes) -> bytes:
    """Format outcomes and facts for monitors of earlier systems."""
    return _document("healthy" if is_well(outcomes) and facts.are_well() else "degraded", outcomes, **facts.known())


def _document(status: str, outcomes: Outcomes, **more: Any) -> bytes:
    return to_json(
        {
            "status": status,
            "timestamp": timezone.now(),
            "version": settings.VERSION,
            "uptime_seconds": int(time.monotonic() - STARTED),
            **more,
            "checks": outcomes,
        }
    )


@never_cache
@require_safe
def livez(request: HttpRequest) -> HttpResponse:
    """Answer that this process is alive."""
    return HttpResponse("ok\n", content_type="text/plain")


@never_cache
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Answer whether all dependencies work, or 503 with reasons."""
    outcomes = current_outcomes()
    status = 200 if is_well(outcomes) else 503
    return _without_a_line(HttpResponse(in_lines(outcomes), content_type="text/plain", status=status))


@never_cache
@require_safe
def health(request: HttpRequest) -> HttpResponse:
    """Answer readiness as JSON."""
    return _json(in_json)


@never_cache
@require_safe
def summary(request: HttpRequest) -> HttpResponse:
    """Answer readiness in the words of earlier systems."""
    return _json(in_summary)


def _json(formatted: Callable[[Outcomes], bytes]) -> HttpResponse:
    outcomes = current_outcomes()
    status = 200 if is_well(outcomes) else 503
    return _without_a_line(HttpResponse(formatted(outcomes), content_type="application/json", status=status))


def _without_a_line(response: HttpResponse) -> HttpResponse:
    # Django logs each 5xx; probes would flood the log.
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


class SystemInfoSerializer(serializers.Serializer[Any]):
    """What is running, and its settings."""

    version = serializers.CharField()
    python = serializers.CharField()
    django = serializers.CharField()
    database = serializers.CharField(help_text="Vendor, version and driver.")
    uptime_seconds = serializers.IntegerField()
    counts = serializers.DictField(child=serializers.IntegerField())
    jobs = serializers.ListField(child=serializers.DictField())
    settings = serializers.DictField()


# Never secrets, nor addresses with passwords.
SHOWN_SETTINGS = [
    "DEBUG",
    "PLAIN_HTTP",
    "ALLOWED_HOSTS",
    "PUBLIC_URL",
    "TRUSTED_PROXIES",
    "CORS_ALLOWED_ORIGINS",
    "REGISTRATION_OPEN",
    "ACCESS_TOKEN_MINUTES",
    "REFRESH_TOKEN_DAYS",
    "LOGIN_FAILURE_LIMIT",
    "LOGIN_LOCK_MINUTES",
    "DEFAULT_FROM_EMAIL",
    "MAX_ATTACHMENT_BYTES",
    "MAX_ATTACHMENTS",
    "X_ACCEL_PREFIX",
    "S3_BUCKET",
    "LOG_LEVEL",
    "LOG_FORMAT",
    "WEB_PROCESSES",
    "WEB_THREADS",
    "ENGINE",
]


class SystemInfoView(APIView):
    """Versions, counts, jobs and settings."""

    permission_classes = [IsAdmin]

    @extend_schema(
        operation_id="system_info", summary=_("Get versions, counts, jobs and settings"), responses=SystemInfoSerializer
    )
    def get(self, request: Request) -> Response:
        return Response(
            {
                "version": settings.VERSION,
                "python": platform.python_version(),
                "django": django.get_version(),
                "database": describe_database(),
                "uptime_seconds": int(time.monotonic() - STARTED),
                "counts": {name: count() for name, count in _counts.items()},
                "jobs": list(JobRun.objects.exclude(name=WRITE_CHECK).order_by("name").values()),
                "settings": {name: getattr(settings, name) for name in SHOWN_SETTINGS},
            }
        )
