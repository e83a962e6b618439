"""Health checks; each app registers its own."""

import datetime as dt
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Collection

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from core.db.outages import SENTENCES, outages
from core.models import JobRun
from core.server.condition import CARRY_OVER, Aging, ClockCheck, Unhealthy
from core.server.database_checks import IntegrityCheck, WriteCheck, check_database
from core.server.facts import facts
from core.server.jobs import GENERAL, Job, jobs_of
from core.server.supervisor import last_report
from core.server.watch import PATIENCE_SECONDS, Outcomes, Watch

WORKER_SECONDS = 15  # dead after
SLOW_SECONDS = 60  # dead after, where a run may wait for others' servers
FREQUENT_SECONDS = 120.0  # jobs of at most this interval
STUCK_SECONDS = 300  # are stuck after
STORAGE_SECONDS = 30  # trusted for


class MigrationCheck:
    """Fails while a migration waits; success is cached."""

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
    """Fails when the file store accepts no file."""

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
                default_storage.delete(name)  # a full store may have created it
        # Stores raise their own libraries' errors.
        except Exception as error:
            raise Unhealthy("The file store accepts no files.") from error


class WorkerCheck:
    """Fails when no worker ran a group of jobs lately, a frequent job hangs, or the worker keeps ending.

    A worker counts as alive by what it does with the database, not by being connected to anything.
    """

    def __init__(self, groups: Collection[str] = ()) -> None:
        self._groups = groups
        self._ages: dict[str, Aging] = defaultdict(Aging)
        self.latest: dt.datetime | None = None

    def __call__(self) -> str:
        if failing := next((one for one in last_report.failing if one.name == "worker"), None):
            raise Unhealthy(
                f"The worker ended {failing.failed_starts} times soon after its start, the last time with exit code "
                f"{failing.exit_code}; it is being restarted with increasing delays."
            )
        runs = dict(JobRun.objects.values_list("name", "started_at"))
        jobs = jobs_of(self._groups)
        self.latest = max((runs[job.name] for job in jobs if job.name in runs), default=None)
        if self.latest is None:
            raise Unhealthy("No worker has run yet; start one with `manage.py worker`.")
        age = max(self._age_of_group(group, jobs, runs) for group in {job.group for job in jobs})
        for job in jobs:
            if job.interval <= FREQUENT_SECONDS and job.name in runs:
                self._check_job(job, runs[job.name])
        return f"last seen {age} s ago"

    def _age_of_group(self, group: str, jobs: list[Job], runs: dict[str, dt.datetime]) -> int:
        latest = max((runs[job.name] for job in jobs if job.group == group and job.name in runs), default=None)
        whose = "" if group == GENERAL else f" that runs {group} jobs"
        if latest is None:
            raise Unhealthy(f"No worker{whose} has run yet; start one with `manage.py worker --only {group}`.")
        age = self._age(group, latest)
        if age > (WORKER_SECONDS if group == GENERAL else SLOW_SECONDS):
            raise Unhealthy(f"No worker{whose} was seen for {age} seconds.")
        return age

    def _check_job(self, job: Job, started: dt.datetime) -> None:
        if (age := self._age(f"{job.group} {job.name}", started)) > STUCK_SECONDS:
            raise Unhealthy(f"The job {job.name} has not run for {age} seconds.")

    def _age(self, name: str, stamp: dt.datetime) -> int:
        return int(self._ages[name](stamp.timestamp(), timezone.now().timestamp()))


# without the database
BY_THEMSELVES = frozenset({"storage", "clock", "database", "integrity"})
CHECKS: dict[str, Callable[[], str]] = {
    "database": check_database,
    "writes": WriteCheck(),
    "integrity": IntegrityCheck(),
    "migrations": MigrationCheck(),
    "storage": StorageCheck(),
    "worker": WorkerCheck(),
    "clock": ClockCheck(),
}


def register_check(name: str, check: Callable[[], str]) -> None:
    """Register a database check: it returns a detail or raises Unhealthy."""
    CHECKS[name] = check


def run_checks(begin: Callable[[str], None] = lambda name: None) -> Outcomes:
    """Return all outcomes, calling `begin` before each; skip some during outages."""
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


def look(begin: Callable[[str], None] = lambda name: None) -> Outcomes:
    """Run the checks, and read the facts while the database answers."""
    outcomes = run_checks(begin)
    if outcomes.get("database", {}).get("status") == "ok":
        begin("facts")
        facts.refresh()
    return outcomes


watch = Watch(look)


def current_outcomes() -> Outcomes:
    """Return the watch's last outcomes; without a watch, run the checks."""
    if watch.is_running and watch.has_looked.wait(PATIENCE_SECONDS):
        return watch.outcomes() or look()
    return look()


def is_well(outcomes: Outcomes) -> bool:
    return all(outcome["status"] == "ok" for outcome in outcomes.values())
