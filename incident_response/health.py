"""Whether the system works, for probes, monitors and administrators."""

import datetime as dt
import platform
import sqlite3
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterable
from typing import Any

import django
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Max, Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from drf_spectacular.utils import extend_schema
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from alerts.models import IntakeEvent
from alerts.vocabulary import IntakeState
from incident_response.api import to_json
from incident_response.models import JobRun
from incidents.models import Tally
from incidents.models.tally import Dimension
from incidents.services import feed
from incidents.vocabulary import Severity
from users.models import User
from users.permissions import IsAdmin

WORKER_SECONDS = 60  # a worker that was not heard of for so long is taken for dead
FEED_SECONDS = 60  # an event should wait for its place in the feed less than a second
INTAKE_SECONDS = 60  # so should what a sender handed in for being worked off
STORAGE_SECONDS = 30  # a good answer of the file store is believed for so long

STARTED = time.monotonic()


class Unhealthy(Exception):
    """A check failed; the message is one sentence, fit for anybody to read."""


# --- Checks -----------------------------------------------------------------------------------------------------------


def check_database() -> str:
    """That the database answers."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            cursor.fetchone()
    except DatabaseError as error:
        raise Unhealthy("The database does not answer.") from error
    return connection.vendor


class MigrationCheck:
    """That no migration waits. Applied ones stay applied, so a good answer is kept."""

    def __init__(self) -> None:
        self._is_current = False

    def __call__(self) -> str:
        if not self._is_current:
            executor = MigrationExecutor(connection)
            waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
            if waiting:
                raise Unhealthy(f"{len(waiting)} migrations are not applied; run `manage.py migrate`.")
            self._is_current = True
        return "applied"


class StorageCheck:
    """That the file store takes and gives up a file."""

    def __init__(self) -> None:
        self._good_until = 0.0
        self._lock = threading.Lock()

    def __call__(self) -> str:
        with self._lock:
            if time.monotonic() >= self._good_until:
                self._probe()
                self._good_until = time.monotonic() + STORAGE_SECONDS
        return "writable"

    def _probe(self) -> None:
        try:
            name = default_storage.save(f"probe/{uuid.uuid4().hex}", ContentFile(b"probe"))
            default_storage.delete(name)
        # Stores raise errors of their own libraries (botocore's are no OSError), all of which mean the same here.
        except Exception as error:
            raise Unhealthy("The file store takes no files.") from error


def check_worker() -> str:
    """That a worker ran a job of late."""
    latest = JobRun.objects.aggregate(latest=Max("started_at"))["latest"]
    if latest is None:
        raise Unhealthy("No worker has run yet; start one with `manage.py worker`.")
    age = int((timezone.now() - latest).total_seconds())
    if age > WORKER_SECONDS:
        raise Unhealthy(f"No worker was heard of for {age} seconds.")
    return f"heard of {max(age, 0)} s ago"


def feed_wait(now: dt.datetime) -> float:
    """For how many seconds the oldest event without a place in the feed has waited; 0 when none does."""
    oldest = feed.oldest_waiting()
    return max(0.0, (now - oldest).total_seconds()) if oldest else 0.0


def check_feed() -> str:
    """That events find their way into the feed."""
    waited = int(feed_wait(timezone.now()))
    if waited > FEED_SECONDS:
        raise Unhealthy(f"The oldest event has waited {waited} seconds for the feed.")
    return f"oldest waits {waited} s"


def intake_wait(now: dt.datetime) -> float:
    """For how many seconds the oldest thing that a sender handed in waits to be worked off; 0 when none does."""
    oldest = IntakeEvent.objects.waiting().values_list("received_at", flat=True).first()
    return max(0.0, (now - oldest).total_seconds()) if oldest else 0.0


def check_intake() -> str:
    """That what senders hand in is worked off."""
    waited = int(intake_wait(timezone.now()))
    if waited > INTAKE_SECONDS:
        raise Unhealthy(f"The oldest intake event has waited {waited} seconds for the worker.")
    return f"oldest waits {waited} s"


CHECKS: dict[str, Callable[[], str]] = {
    "database": check_database,
    "migrations": MigrationCheck(),
    "storage": StorageCheck(),
    "worker": check_worker,
    "feed": check_feed,
    "intake": check_intake,
}


def run_checks() -> tuple[bool, dict[str, dict[str, str]]]:
    """Whether all is well, and each check's outcome. What needs the database is skipped while it does not answer."""
    outcomes: dict[str, dict[str, str]] = {}
    for name, check in CHECKS.items():
        if name != "storage" and outcomes.get("database", {}).get("status") == "failed":
            outcomes[name] = {"status": "skipped", "detail": "The database does not answer."}
            continue
        try:
            outcomes[name] = {"status": "ok", "detail": check()}
        except Unhealthy as reason:
            outcomes[name] = {"status": "failed", "detail": str(reason)}
        except DatabaseError:
            outcomes[name] = {"status": "failed", "detail": "The database refused; are all migrations applied?"}
    return all(outcome["status"] == "ok" for outcome in outcomes.values()), outcomes


# --- Pages for probes -------------------------------------------------------------------------------------------------


@never_cache
@require_safe
def livez(request: HttpRequest) -> HttpResponse:
    """That this process answers."""
    return HttpResponse("ok\n", content_type="text/plain")


@never_cache
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """That everything it needs works too; 503 with the reasons when not."""
    is_well, outcomes = run_checks()
    lines = [f"{name}: {outcome['status']} ({outcome['detail']})" for name, outcome in outcomes.items()]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain", status=200 if is_well else 503)


@never_cache
@require_safe
def health(request: HttpRequest) -> HttpResponse:
    """The same for programs."""
    is_well, outcomes = run_checks()
    body = {
        "status": "ok" if is_well else "failed",
        "timestamp": timezone.now(),
        "version": settings.VERSION,
        "uptime_seconds": int(time.monotonic() - STARTED),
        "checks": outcomes,
    }
    return HttpResponse(to_json(body), content_type="application/json", status=200 if is_well else 503)


# --- Metrics ----------------------------------------------------------------------------------------------------------


class Gauges:
    """What the database knows, read when it is scraped; so every process of ours gives the same answer."""

    def collect(self) -> Iterable[Metric]:
        """Prometheus's metric families."""
        info = GaugeMetricFamily("incident_response_info", "The running version.", labels=["version"])
        info.add_metric([settings.VERSION], 1)
        yield info
        yield self._incidents("incident_response_incidents", Dimension.STATUS, lambda value: value)
        yield self._incidents(
            "incident_response_incidents_by_severity", Dimension.SEVERITY, lambda value: Severity(int(value)).word
        )
        yield GaugeMetricFamily(
            "incident_response_feed_wait_seconds",
            "How long the oldest event has waited for the feed.",
            value=feed_wait(timezone.now()),
        )
        yield from self._intake()
        yield from self._jobs()

    def _intake(self) -> Iterable[Metric]:
        yield GaugeMetricFamily(
            "incident_response_intake_wait_seconds",
            "How long the oldest intake event has waited for the worker.",
            value=intake_wait(timezone.now()),
        )
        events = GaugeMetricFamily(
            "incident_response_intake_events", "What senders handed in and nobody could work off yet.", labels=["state"]
        )
        for state in (IntakeState.WAITING, IntakeState.FAILED):
            events.add_metric([state.value], IntakeEvent.objects.filter(state=state).count())
        yield events

    def _incidents(self, name: str, dimension: Dimension, word: Callable[[str], str]) -> Metric:
        family = GaugeMetricFamily(name, f"Unrestricted incidents by {dimension}.", labels=[dimension.value])
        for value, count in Tally.objects.filter(dimension=dimension).values_list("value", "count").order_by("value"):
            family.add_metric([word(value)], count)
        return family

    def _jobs(self) -> Iterable[Metric]:
        succeeded = GaugeMetricFamily(
            "incident_response_job_succeeded_timestamp_seconds", "When a job last went well.", labels=["job"]
        )
        failed = GaugeMetricFamily(
            "incident_response_job_failed_timestamp_seconds", "When a job last failed.", labels=["job"]
        )
        for run in JobRun.objects.order_by("name"):
            for family, moment in ((succeeded, run.succeeded_at), (failed, run.failed_at)):
                if moment is not None:
                    family.add_metric([run.name], moment.timestamp())
        yield succeeded
        yield failed


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus's text, for the bearer of METRICS_TOKEN; absent while none is set."""
    if not settings.METRICS_TOKEN:
        raise Http404
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not constant_time_compare(token.strip(), settings.METRICS_TOKEN):
        return HttpResponse("A bearer token is needed.\n", status=401, headers={"WWW-Authenticate": "Bearer"})
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Gauges())
    return HttpResponse(generate_latest(registry), content_type="text/plain; version=0.0.4; charset=utf-8")


# --- For administrators -----------------------------------------------------------------------------------------------


class SystemInfoSerializer(serializers.Serializer[Any]):
    """What is running, and how it is set."""

    version = serializers.CharField()
    python = serializers.CharField()
    django = serializers.CharField()
    database = serializers.CharField(help_text="Vendor, version and driver.")
    uptime_seconds = serializers.IntegerField()
    counts = serializers.DictField(child=serializers.IntegerField())
    jobs = serializers.ListField(child=serializers.DictField())
    settings = serializers.DictField()


# Settings an administrator may read; whatever holds a secret, or an address with a password, is not among them.
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
]


class SystemInfoView(APIView):
    """Versions, counts, jobs and settings."""

    permission_classes = [IsAdmin]

    @extend_schema(
        operation_id="system_info", summary="Show versions, counts, jobs and settings", responses=SystemInfoSerializer
    )
    def get(self, request: Request) -> Response:
        return Response(
            {
                "version": settings.VERSION,
                "python": platform.python_version(),
                "django": django.get_version(),
                "database": describe_database(),
                "uptime_seconds": int(time.monotonic() - STARTED),
                "counts": {
                    "users": User.objects.count(),
                    "incidents": _unrestricted_incidents(),
                },
                "jobs": list(JobRun.objects.order_by("name").values()),
                "settings": {name: getattr(settings, name) for name in SHOWN_SETTINGS},
            }
        )


def _unrestricted_incidents() -> int:
    total: int | None = Tally.objects.filter(dimension=Dimension.STATUS).aggregate(total=Sum("count"))["total"]
    return total or 0


def describe_database() -> str:
    """Vendor, version and driver, as people say them."""
    connection.ensure_connection()
    if connection.vendor == "sqlite":
        return f"SQLite {sqlite3.sqlite_version}"
    product = "MariaDB" if getattr(connection, "mysql_is_mariadb", False) else "MySQL"
    driver = "PyMySQL" if "pymysql" in sys.modules["MySQLdb"].__name__ else "mysqlclient"
    return f"{product} {'.'.join(map(str, connection.get_database_version()))} ({driver})"
