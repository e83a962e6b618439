"""Detect trouble in lines as they arrive, and in windows.

Workers enter each window once: counts, progress and alerts are one transaction, for the rule version read. Lines that
come more than SETTLE_SECONDS after a window do not count.
"""

import contextlib
import datetime as dt
import math
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice

import structlog
from django.db import DatabaseError, InterfaceError
from django.utils import timezone

from alerts.services.enqueueing import enqueue
from alerts.updates import AlertUpdate
from core.db import rows
from core.db.leases import Lease
from core.db.transactions import unit_of_work
from intake.models import Source
from logs.detection import (
    MAX_GROUPS,
    OTHERS,
    SAMPLE_LENGTH,
    SAMPLES,
    Counted,
    Group,
    Index,
    Spec,
    Tally,
    from_json,
    judge,
    to_json,
)
from logs.models import DetectionRule
from logs.models.rules import SETTLE_SECONDS
from logs.services.rules import immediate, spec_of
from logs.services.updates import immediate_update, update_of
from logs.sources import SeenLine
from logs.sources.internal import InternalSource

log = structlog.get_logger(__name__)

BATCH = 1000
MAX_WINDOWS = 60  # per rule and run
CATCH_UP_SECONDS = 24 * 3600  # older windows help nobody
MAX_LINES = 1_000_000  # per read
MAX_SERVICE_READS = 20  # beyond, one read of all is cheaper
UPDATES_AT_ONCE = 200
LOOKS_AT_CLOCK = 100

held = Lease("next_run_at", dt.timedelta(seconds=60))  # no other worker reads the same lines
settling = dt.timedelta(seconds=SETTLE_SECONDS)


@dataclass
class _Found:
    count: int = 0
    samples: list[str] = field(default_factory=list)

    def add(self, message: str) -> None:
        self.count += 1
        if len(self.samples) < SAMPLES:
            self.samples.append(message[:SAMPLE_LENGTH])


def on_lines(lines: Iterable[Counted], *, now: dt.datetime | None = None) -> int:
    """Raise the alerts of lines stored together, in the caller's transaction; return the number."""
    wanted = immediate()
    floor = wanted.floor
    hot = [line for line in lines if line.level >= floor]
    if not hot:
        return 0
    found: dict[int, dict[Group, _Found]] = defaultdict(dict)
    specs: dict[int, Spec] = {}
    for line in hot:
        for spec in wanted.index.matching(line):
            specs[spec.id] = spec
            _slot(found[spec.id], spec.group_of(line)).add(line.message)
    at = now or timezone.now()
    updates: dict[Source, list[AlertUpdate]] = defaultdict(list)
    for pk, groups in found.items():
        rule = wanted.rules[pk]
        updates[rule.source] += [
            immediate_update(rule, specs[pk], group, one.count, one.samples, at) for group, one in groups.items()
        ]
    return _enqueue_all(updates, at)


def _slot(groups: dict[Group, _Found], group: Group) -> _Found:
    if group not in groups and len(groups) >= MAX_GROUPS:
        group = (OTHERS,) * len(group)
    return groups.setdefault(group, _Found())


@dataclass
class Task:
    """A rule's due windows, ending at `ends` and read from `since` (Unix seconds)."""

    rule: DetectionRule
    spec: Spec
    ends: Sequence[int]
    since: int
    tally: Tally
    updates: list[AlertUpdate] = field(default_factory=list)
    state: dict[str, list[list[object]]] = field(default_factory=dict)

    @property
    def until(self) -> int:
        """Return the end of the last window."""
        return self.ends[-1]


def run_due(now: dt.datetime, *, limit: int = BATCH) -> int:
    """Evaluate due windows of up to `limit` rules; return how many."""
    if not DetectionRule.objects.due(now).exists():  # looking costs no lock
        return 0
    due = lease(now, limit=limit)
    try:
        tasks = [task for rule in due if (task := task_of(rule, now)) is not None]
        return enter(evaluate(tasks, now), now)
    except Exception:
        with contextlib.suppress(DatabaseError, InterfaceError):  # the lease will end
            held.release(DetectionRule, [rule.pk for rule in due], now)
        raise


def lease(now: dt.datetime, *, limit: int = BATCH) -> list[DetectionRule]:
    """Lease due rules to this worker."""
    keys = held.claim_many(DetectionRule.objects.due(now)[:limit], now)
    found = DetectionRule.objects.select_related("source").in_bulk(keys)
    return [found[key] for key in keys if key in found]


def task_of(rule: DetectionRule, now: dt.datetime) -> Task | None:
    """Return what is due for a rule, if anything."""
    spec = spec_of(rule)
    if spec is None:
        return None
    last = int((now - settling).timestamp()) // spec.interval * spec.interval
    if rule.evaluated_until is None:
        return Task(rule, spec, [last], last - spec.window, Tally())
    known, tally = int(rule.evaluated_until.timestamp()), from_json(rule.state)
    if last - known > CATCH_UP_SECONDS:
        known = (last - CATCH_UP_SECONDS) // spec.interval * spec.interval
        log.warning("detection_windows_skipped", rule=rule.pk, until=known)
        first = known + spec.interval - spec.window
        return Task(rule, spec, _ends(spec, known, last), first, Tally(firing=tally.firing))
    ends = _ends(spec, known, last)
    if not ends:  # another worker's clock is ahead
        return None
    # windows shorter than the interval have gaps
    return Task(rule, spec, ends, max(known, ends[0] - spec.window), tally)


def _ends(spec: Spec, known: int, last: int) -> Sequence[int]:
    return range(known + spec.interval, last + 1, spec.interval)[:MAX_WINDOWS]


def evaluate(tasks: Iterable[Task], now: dt.datetime) -> list[Task]:
    """Read each range once for all tasks that share it, and judge."""
    together: dict[tuple[int, int], list[Task]] = defaultdict(list)
    for task in tasks:
        together[task.since, task.until].append(task)
    done = []
    for (since, until), some in together.items():
        read(some, since, until)
        for task in some:
            _judge(task, now)
        done += some
    return done


def read(
    tasks: Sequence[Task],
    since: int,
    until: int,
    *,
    limit: int = MAX_LINES,
    deadline: float = math.inf,
) -> int:
    """Count a range for all tasks; return lines read, or `limit` past `deadline`."""
    alike: dict[tuple[object, ...], list[Task]] = defaultdict(list)
    for task in tasks:
        alike[task.spec.condition].append(task)
    counted = {some[0].spec.id: Tally() for some in alike.values()}
    index = Index(some[0].spec for some in alike.values())
    number = 0
    for line in _lines([task.spec for task in tasks], since, until, limit):
        number += 1
        if number % LOOKS_AT_CLOCK == 0 and time.monotonic() > deadline:
            return limit
        for spec in index.matching(line):
            counted[spec.id].add(spec, line, line.timestamp.timestamp())
    for some in alike.values():
        for task in some:
            task.tally.merge(counted[some[0].spec.id])
    if number >= limit:
        log.warning("detection_read_cut", since=since, until=until, lines=number)
    return number


def _lines(specs: Sequence[Spec], since: int, until: int, limit: int) -> Iterator[SeenLine]:
    start, end = dt.datetime.fromtimestamp(since, dt.UTC), dt.datetime.fromtimestamp(until, dt.UTC)
    with_attributes = any(spec.needs_attributes for spec in specs)
    parts = (
        InternalSource().lines(
            start, end, level=level, below=below, service=service, limit=limit, with_attributes=with_attributes
        )
        for service, level, below in reads(specs)
    )
    return islice(chain.from_iterable(parts), limit)


def reads(specs: Sequence[Spec]) -> Iterator[tuple[str, int, int | None]]:
    """Yield disjoint reads (service, level, below which level) for `InternalSource.lines`."""
    general = min((spec.level for spec in specs if not spec.service), default=None)
    lower: dict[str, int] = {}
    for spec in specs:
        if spec.service and (general is None or spec.level < general):
            lower[spec.service] = min(spec.level, lower.get(spec.service, spec.level))
    if len(lower) > MAX_SERVICE_READS:
        general, lower = min([*lower.values(), *([] if general is None else [general])]), {}
    if general is not None:
        yield "", general, None
    for service, level in lower.items():
        yield service, level, general


def _judge(task: Task, now: dt.datetime) -> None:
    verdicts = judge(task.spec, task.tally, task.ends) if task.tally.counts or task.tally.firing else []
    samples = task.tally.samples
    task.updates = [
        update_of(task.rule, task.spec, verdict, samples.get(verdict.group, ()), now=now) for verdict in verdicts
    ]
    task.state = to_json(task.tally)


@unit_of_work
def enter(tasks: Sequence[Task], now: dt.datetime) -> int:
    """Store results and raise alerts for rules unchanged since read; return how many."""
    locked = DetectionRule.objects.select_for_update().filter(pk__in=[task.rule.pk for task in tasks], is_enabled=True)
    present = {pk: rest for pk, *rest in locked.order_by("pk").values_list("pk", "changed_at", "evaluated_until")}
    mine = [task for task in tasks if present.get(task.rule.pk) == [task.rule.changed_at, task.rule.evaluated_until]]
    idle: dict[tuple[int, int], list[int]] = defaultdict(list)
    updates: dict[Source, list[AlertUpdate]] = defaultdict(list)
    changed = []
    for task in mine:
        updates[task.rule.source] += task.updates
        if task.state == task.rule.state:
            idle[task.until, task.spec.interval].append(task.rule.pk)
        else:
            changed.append(_entered(task))
    for (until, interval), ids in idle.items():
        DetectionRule.objects.filter(pk__in=ids).update(**_position(until, interval))
    rows.update_many(changed, ["evaluated_until", "next_run_at", "state"])
    _enqueue_all(updates, now)
    return len(mine)


def _entered(task: Task) -> DetectionRule:
    rule = DetectionRule(pk=task.rule.pk, state=task.state)
    for name, value in _position(task.until, task.spec.interval).items():
        setattr(rule, name, value)
    return rule


def _position(until: int, interval: int) -> dict[str, dt.datetime]:
    end = dt.datetime.fromtimestamp(until, dt.UTC)
    return {"evaluated_until": end, "next_run_at": end + dt.timedelta(seconds=interval) + settling}


def _enqueue_all(updates: dict[Source, list[AlertUpdate]], at: dt.datetime) -> int:
    total = 0
    for source, of_it in updates.items():
        for start in range(0, len(of_it), UPDATES_AT_ONCE):
            enqueue(source, of_it[start : start + UPDATES_AT_ONCE], at=at)
        total += len(of_it)
    return total
