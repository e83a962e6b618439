"""What is looked up inside Django while something is measured (see `benchmarks.inside`)."""

import datetime as dt
import math
import sys
import threading
import time
from collections import Counter
from contextlib import ExitStack
from typing import Any

from django.db import connection
from django.db.models import Count, Max, Min, Q, Sum
from django.utils import timezone

from benchmarks.paging import world
from core.server.jobs import all_jobs
from core.server.worker import Runners
from incidents.services import feed
from notifications.models import Delivery, DeliveryAttempt
from notifications.vocabulary import PENDING, SENT, Kind
from paging.models import EscalationRun, Page
from paging.services import performing, starting
from responders.models import Schedule
from responders.services.oncall import on_call

FAR = dt.timedelta(hours=6)
PAGING_APPS = ("paging.", "notifications.")


def start_runs() -> int:
    """Start escalations of all open incidents, and have their next step due in six hours."""
    while feed.assign_places():
        pass
    later = timezone.now() + FAR
    while starting.follow_feed():
        EscalationRun.objects.filter(next_step_at__lt=later).update(next_step_at=later)
    EscalationRun.objects.filter(next_step_at__lt=later).update(next_step_at=later)
    return EscalationRun.objects.filter(next_step_at__isnull=False).count()


def perform_all() -> int:
    """Perform what is due, and hold the deliveries for six hours."""
    while performing.perform_due():
        pass
    return hold()


def hold() -> int:
    """Put off all that waits."""
    return Delivery.objects.filter(state__in=PENDING).update(next_attempt_at=timezone.now() + FAR)


def make_due(what: str) -> float:
    """Have all steps (or deliveries) be due now; return when that was committed."""
    now = timezone.now()
    if what == "steps":
        EscalationRun.objects.filter(next_step_at__isnull=False).update(next_step_at=now)
    else:
        Delivery.objects.filter(state__in=PENDING).update(next_attempt_at=now, due_at=now)
    return time.time()


def progress() -> dict[str, int]:
    """Return how far everything is."""
    now = timezone.now()
    return {
        "runs_due": EscalationRun.objects.filter(next_step_at__lte=now).count(),
        "pages": Page.objects.count(),
        "deliveries": Delivery.objects.filter(kind=Kind.PAGE).count(),
        "pending": Delivery.objects.filter(state__in=PENDING).count(),
        "mailed": Delivery.objects.filter(state__in=SENT, channel="email").count(),
        "sent": Delivery.objects.filter(state__in=SENT).count(),
    }


def first_attempts(channel: str = "email") -> list[float]:
    """Return the milliseconds from each incident's first event to the first attempt to page for it."""
    opened = world.opened()
    rows = Delivery.objects.filter(kind=Kind.PAGE, channel=channel, first_attempt_at__isnull=False)
    firsts = rows.values_list("incident_id").annotate(first=Min("first_attempt_at")).order_by()
    return [(first - opened[incident]).total_seconds() * 1000 for incident, first in firsts if incident in opened]


def accepted(channel: str = "email") -> list[float]:
    """Return the milliseconds from when each delivery was due until it was accepted."""
    rows = Delivery.objects.filter(kind=Kind.PAGE, channel=channel, accepted_at__isnull=False)
    return [(done - due).total_seconds() * 1000 for due, done in rows.values_list("due_at", "accepted_at")]


def resumed(killed_at: str) -> dict[str, float]:
    """Return how long after a kill the last of what it interrupted was sent, and how much that was."""
    moment = dt.datetime.fromtimestamp(float(killed_at), dt.UTC)
    interrupted = DeliveryAttempt.objects.filter(outcome="interrupted", at__lte=moment).values("delivery")
    rows = Delivery.objects.filter(Q(pk__in=interrupted)).aggregate(last=Max("accepted_at"), number=Count("pk"))
    seconds = (rows["last"] - moment).total_seconds() if rows["last"] else 0.0
    return {"seconds": seconds, "number": rows["number"], "pending": progress()["pending"]}


def bundles() -> dict[str, Any]:
    """Return how many messages carried how many pages."""
    leads = Delivery.objects.filter(kind=Kind.PAGE, bundle__isnull=True, state__in=SENT)
    found = leads.aggregate(messages=Count("pk"), carried=Sum("bundle_count"), first=Min("first_attempt_at"))
    first_incident = min(world.opened().values())
    return {
        "messages": found["messages"],
        "pages": found["messages"] + (found["carried"] or 0),
        "first": (found["first"] - first_incident).total_seconds() if found["first"] else math.inf,
    }


def idle(seconds: str) -> dict[str, float]:
    """Run all jobs for a while and return the statements a second, of escalation and delivery and of all."""
    counts: Counter[str] = Counter()
    names = {job.name: job.run for job in all_jobs()}
    ours = {name for name, run in names.items() if _module_of(run).startswith(PAGING_APPS)}
    runners = Runners(all_jobs())
    for name, runner in runners.by_name.items():
        runner.run_once = _counted(runner.run_once, name, counts)  # type: ignore[method-assign]
    runners.start()
    time.sleep(12)  # what only happens at the start, and eager looks after it
    counts.clear()
    time.sleep(float(seconds))
    found = Counter(counts)
    runners.stop(10)
    for name, number in found.most_common(25):
        print(f"  {name}: {number / float(seconds):.2f} a second", file=sys.stderr)
    of_ours = sum(number for name, number in found.items() if name in ours)
    return {"paging": of_ours / float(seconds), "all": sum(found.values()) / float(seconds)}


def _module_of(run: Any) -> str:
    return str(getattr(getattr(run, "func", run), "__module__", ""))


def _counted(run: Any, name: str, counts: Counter[str]) -> Any:
    lock = threading.Lock()

    def count(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        with lock:
            counts[name] += 1
        return execute(sql, params, many, context)

    def run_once(now: dt.datetime) -> None:
        with connection.execute_wrapper(count):
            run(now)

    return run_once


def who_is_on_call() -> dict[str, float]:
    """Return the milliseconds and statements of asking who is on call, for each schedule and for all at once."""
    ids = list(Schedule.objects.order_by("pk").values_list("pk", flat=True))
    at = timezone.now()
    on_call(ids[:1], at)
    took, most = [], 0
    for key in ids:
        begun = time.perf_counter()
        queries = _queries(lambda key=key: on_call([key], at))
        took.append((time.perf_counter() - begun) * 1000)
        most = max(most, queries)
    begun = time.perf_counter()
    for_all = _queries(lambda: on_call(ids, at))
    took.sort()
    return {
        "median": took[len(took) // 2],
        "p99": took[len(took) * 99 // 100],
        "queries": most,
        "each of all": (time.perf_counter() - begun) * 1000 / len(ids),
        "queries of all": for_all,
    }


def _queries(function: Any) -> int:
    count = 0

    def counted(execute: Any, *arguments: Any) -> Any:
        nonlocal count
        count += 1
        return execute(*arguments)

    with ExitStack() as stack:
        stack.enter_context(connection.execute_wrapper(counted))
        function()
    return count
