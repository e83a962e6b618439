"""Whether the system works, for probes, monitors and administrators."""

import datetime as dt
import platform
import threading
import time
import uuid
from collections.abc import Callable, Iterable
from typing import Any

import django
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import Error, connection
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

from core.api.jsonio import to_json
from core.api.permissions import IsAdmin
from core.db.outages import SENTENCES, outages
from core.models import JobRun
from core.server.condition import CARRY_OVER, Aging, ClockCheck, Unhealthy, Waiting
from core.server.database_checks import WRITE_CHECK, IntegrityCheck, WriteCheck, check_database, describe_database
from core.server.supervisor import heard
from core.server.watch import PATIENCE_SECONDS, Outcomes, Watch
from core.severity import Severity
from incidents.models import Tally
from incidents.models.tally import Dimension
from incidents.services import feed
from intake.models import IntakeEvent
from intake.vocabulary import IntakeState
from users.models import User

WORKER_SECONDS = 15  # a worker that was not heard of for so long is taken for dead
FEED_SECONDS = 60  # an event should wait for its place in the feed less than a second
INTAKE_SECONDS = 60  # so should what a sender handed in for being worked off
STORAGE_SECONDS = 30  # a good answer of the file store is believed for so long

STARTED = time.monotonic()

_feed_age, _intake_age = Waiting(), Waiting()


# --- Checks -----------------------------------------------------------------------------------------------------------


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
            if CARRY_OVER in executor.loader.applied_migrations:
                raise Unhealthy("The data of an earlier database is not complete; run `manage.py carry_over` again.")
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
        name = f"probe/{uuid.uuid4().hex}"
        try:
            try:
                default_storage.save(name, ContentFile(b"probe"))
            finally:
                default_storage.delete(name)  # a store that is full may have made the file all the same
        # Stores raise errors of their own libraries (botocore's are no OSError), all of which mean the same here.
        except Exception as error:
            raise Unhealthy("The file store takes no files.") from error


class WorkerCheck:
    """That a worker ran a job of late, and does not end as often as it is started."""

    def __init__(self) -> None:
        self._age = Aging()
        self.latest: dt.datetime | None = None

    def __call__(self) -> str:
        if failing := next((one for one in heard.failing if one.name == "worker"), None):
            raise Unhealthy(
                f"The worker ended {failing.failed_starts} times soon after its start, the last time with exit code "
                f"{failing.exit_code}; it is started again, ever later."
            )
        self.latest = JobRun.objects.exclude(name=WRITE_CHECK).aggregate(latest=Max("started_at"))["latest"]
        if self.latest is None:
            raise Unhealthy("No worker has run yet; start one with `manage.py worker`.")
        age = int(self._age(self.latest.timestamp(), timezone.now().timestamp()))
        if age > WORKER_SECONDS:
            raise Unhealthy(f"No worker was heard of for {age} seconds.")
        return f"heard of {age} s ago"


def feed_wait(now: dt.datetime) -> float:
    """For how many seconds the oldest event without a place in the feed has waited; 0 when none does."""
    oldest = feed.oldest_waiting()
    return _feed_age(oldest.timestamp(), now.timestamp()) if oldest else 0.0


def check_feed() -> str:
    """That events find their way into the feed."""
    waited = int(feed_wait(timezone.now()))
    if waited > FEED_SECONDS:
        raise Unhealthy(f"The oldest event has waited {waited} seconds for the feed.")
    return f"oldest waits {waited} s"


def intake_wait(now: dt.datetime) -> float:
    """For how many seconds the oldest thing that a sender handed in waits to be worked off; 0 when none does."""
    oldest = IntakeEvent.objects.waiting().values_list("received_at", flat=True).first()
    return _intake_age(oldest.timestamp(), now.timestamp()) if oldest else 0.0


def check_intake() -> str:
    """That what senders hand in is worked off."""
    waited = int(intake_wait(timezone.now()))
    if waited > INTAKE_SECONDS:
        raise Unhealthy(f"The oldest intake event has waited {waited} seconds for the worker.")
    return f"oldest waits {waited} s"


# Those that need no database.
BY_THEMSELVES = frozenset({"storage", "clock", "database", "integrity"})
CHECKS: dict[str, Callable[[], str]] = {
    "database": check_database,
    "writes": WriteCheck(),
    "integrity": IntegrityCheck(),
    "migrations": MigrationCheck(),
    "storage": StorageCheck(),
    "worker": WorkerCheck(),
    "feed": check_feed,
    "intake": check_intake,
    "clock": ClockCheck(),
}


def run_checks(begin: Callable[[str], None] = lambda name: None) -> Outcomes:
    """Each check's outcome; `begin` is told of each. What needs the database is skipped while it does not answer."""
    outcomes: Outcomes = {}
    for name, check in CHECKS.items():
        if name not in BY_THEMSELVES and outcomes.get("database", {}).get("status") == "failed":
            outcomes[name] = {"status": "skipped", "detail": outcomes["database"]["detail"]}
            continue
        begin(name)
        try:
            outcomes[name] = {"status": "ok", "detail": check()}
        except Unhealthy as reason:
            outcomes[name] = {"status": "failed", "detail": str(reason)}
        except Error as error:
            trouble = outages.note(error)
            detail = SENTENCES[trouble] if trouble else "The database refused; are all migrations applied?"
            outcomes[name] = {"status": "failed", "detail": detail}
    return outcomes


watch = Watch(run_checks)


def current_outcomes() -> Outcomes:
    """What is known, where somebody looks all the time; else what the checks find now."""
    if watch.is_running and watch.has_looked.wait(PATIENCE_SECONDS):
        return watch.outcomes() or run_checks()
    return run_checks()


def is_well(outcomes: Outcomes) -> bool:
    """Whether no check failed or had to be skipped."""
    return all(outcome["status"] == "ok" for outcome in outcomes.values())


def in_lines(outcomes: Outcomes) -> bytes:
    """For people and probes."""
    lines = [f"{name}: {outcome['status']} ({outcome['detail']})" for name, outcome in outcomes.items()]
    return "\n".join([*lines, ""]).encode()


def in_json(outcomes: Outcomes) -> bytes:
    """For programs."""
    return to_json(
        {
            "status": "ok" if is_well(outcomes) else "failed",
            "timestamp": timezone.now(),
            "version": settings.VERSION,
            "uptime_seconds": int(time.monotonic() - STARTED),
            "checks": outcomes,
        }
    )


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
    outcomes = current_outcomes()
    status = 200 if is_well(outcomes) else 503
    return _without_a_line(HttpResponse(in_lines(outcomes), content_type="text/plain", status=status))


@never_cache
@require_safe
def health(request: HttpRequest) -> HttpResponse:
    """The same for programs."""
    outcomes = current_outcomes()
    status = 200 if is_well(outcomes) else 503
    return _without_a_line(HttpResponse(in_json(outcomes), content_type="application/json", status=status))


def _without_a_line(response: HttpResponse) -> HttpResponse:
    """Mark it as logged, as Django does: what is the matter is in the log, and a probe asks every few seconds."""
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


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
        for run in JobRun.objects.exclude(name=WRITE_CHECK).order_by("name"):
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
                "jobs": list(JobRun.objects.exclude(name=WRITE_CHECK).order_by("name").values()),
                "settings": {name: getattr(settings, name) for name in SHOWN_SETTINGS},
            }
        )


def _unrestricted_incidents() -> int:
    total: int | None = Tally.objects.filter(dimension=Dimension.STATUS).aggregate(total=Sum("count"))["total"]
    return total or 0
