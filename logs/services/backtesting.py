"""Backtest a rule: read, count and judge, but store nothing."""

import datetime as dt
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise

from django.utils.translation import gettext as _

from core.errors import DomainError, PermissionRefused
from core.text.sentences import shown
from logs.detection import SAMPLE_LENGTH, SAMPLES, Group, Spec, Tally
from logs.models import DetectionRule, Mode
from logs.queries import QueryInvalid
from logs.services.detecting import Task, read, reads
from logs.services.searching import count_rows, is_conclusive, search
from logs.services.updates import title_of
from logs.sources import SeenLine
from logs.sources.internal import InternalSource
from logs.sources.outside import Limits, StoreFailed
from users.models import User

MAX_RANGE = dt.timedelta(days=31)
MAX_WINDOWS = 20_000
MAX_LINES = 200_000
MAX_SECONDS = 15.0
MAX_ALERTS = 500
SEARCHES_AT_ONCE = 4
LEAST_SECONDS = 1.0  # of a search
PARTS = 48  # of a range; the test ends before one with too many lines


class BacktestRefused(DomainError):
    code = "invalid_range"


@dataclass
class Raised:
    """An alert; `windows` (or lines) past the threshold, `peak` lines in one."""

    title: str
    group: dict[str, str]
    starts_at: dt.datetime
    ends_at: dt.datetime | None = None
    windows: int = 0
    peak: int = 0
    lines: list[str] = field(default_factory=list)


@dataclass
class Backtest:
    """What was found, and how far it came; `peak` is the most lines of one group in a window."""

    since: dt.datetime
    until: dt.datetime
    evaluated_until: dt.datetime
    windows: int = 0
    lines_read: int = 0
    threshold: int = 1
    peak: int = 0
    is_truncated: bool = False
    alerts: list[Raised] = field(default_factory=list)


def check_may_try(rule: DetectionRule, user: User) -> None:
    """Raise PermissionRefused where an unsaved query would search another store with the operator's access."""
    if rule.is_outside and rule.pk is None and not user.is_admin:
        raise PermissionRefused(_("Only administrators can try unsaved queries of another store."))


def backtest(rule: DetectionRule, since: dt.datetime, until: dt.datetime) -> Backtest:
    """Return the alerts of windows within the range. Raises BacktestRefused."""
    if since >= until:
        raise BacktestRefused(_("The range is empty: since must be before until."), field="since")
    if until - since > MAX_RANGE:
        raise BacktestRefused(_("A range can span at most %(days)s days.") % {"days": MAX_RANGE.days}, field="since")
    kind = _Elsewhere if rule.is_outside else _Immediate if rule.mode == Mode.IMMEDIATE else _Windows
    try:
        return kind(rule, since, until).run()
    except QueryInvalid as error:
        raise BacktestRefused(str(error), field="query") from error
    except StoreFailed as error:
        raise BacktestRefused(shown(error.message), field="query", code="store_failed") from error


class _Trial:
    def __init__(self, rule: DetectionRule, since: dt.datetime, until: dt.datetime) -> None:
        self.rule, self.spec = rule, rule.spec
        self.found = Backtest(since, until, since)
        if rule.mode != Mode.IMMEDIATE:
            self.found.threshold = self.spec.threshold
        self.open: dict[Group, Raised] = {}
        self.deadline = 0.0

    def run(self) -> Backtest:
        self.deadline = time.monotonic() + MAX_SECONDS
        for part in self.parts():
            if time.monotonic() > self.deadline or len(self.found.alerts) >= MAX_ALERTS or not self.try_part(part):
                self.found.is_truncated = True
                break
        self.found.alerts = self.found.alerts[:MAX_ALERTS]
        return self.found

    def parts(self) -> Sequence[Sequence[int]]:
        raise NotImplementedError

    def try_part(self, part: Sequence[int]) -> bool:
        """Evaluate a part; return False beyond its budget."""
        raise NotImplementedError

    def raise_alert(self, group: Group, starts_at: dt.datetime, lines: Sequence[str]) -> Raised:
        raised = Raised(title_of(self.rule, group), self.spec.labels_of(group), starts_at, lines=list(lines))
        self.found.alerts.append(raised)
        self.open[group] = raised
        return raised


class _Windows(_Trial):
    tally: Tally
    at_once = 0  # windows of a part; 0: as many as make PARTS

    def parts(self) -> Sequence[Sequence[int]]:
        interval = self.spec.interval
        first = -(-self.found.since.timestamp() // interval) * interval
        ends = range(int(first), int(self.found.until.timestamp()) + 1, interval)
        if len(ends) > MAX_WINDOWS:
            raise BacktestRefused(
                _("The range has %(ends)s windows; at most %(windows)s can be backtested at once.")
                % {"ends": f"{len(ends):,}", "windows": f"{MAX_WINDOWS:,}"},
                field="since",
            )
        self.tally = Tally()
        self.read_until = ends[0] - self.spec.window if ends else 0
        size = self.at_once or max(1, -(-len(ends) // PARTS))
        return [ends[start : start + size] for start in range(0, len(ends), size)]

    def try_part(self, part: Sequence[int]) -> bool:
        earlier, self.tally.samples = self.tally.samples, {}
        task = Task(self.rule, self.spec, part, self.read_until, self.tally)
        left = MAX_LINES - self.found.lines_read
        since = max(self.read_until, part[0] - self.spec.window)
        number = read([task], since, part[-1], limit=left, deadline=self.deadline)
        self.found.lines_read += number
        if number >= left:
            return False
        for end, counts in self.tally.sliding(self.spec, part):
            self._judge(dt.datetime.fromtimestamp(end, dt.UTC), counts, earlier)
        self.read_until = part[-1]
        self.tally.prune(self.spec, part[-1])
        self.found.windows += len(part)
        self.found.evaluated_until = dt.datetime.fromtimestamp(part[-1], dt.UTC)
        return True

    def _judge(
        self, end: dt.datetime, counts: dict[Group, int], earlier: dict[Group, list[str]], *, is_whole: bool = True
    ) -> None:
        self.found.peak = max(self.found.peak, *counts.values(), 0)
        reached = {group: count for group, count in counts.items() if count >= self.spec.threshold}
        for group in [group for group in self.open if is_whole and group not in reached]:
            self.open.pop(group).ends_at = end
        for group, count in reached.items():
            lines = self.tally.samples.get(group) or earlier.get(group, [])
            raised = self.open.get(group) or self.raise_alert(group, end, lines)
            raised.windows += 1
            raised.peak = max(raised.peak, count)


class _Elsewhere(_Windows):
    """Windows of an outside store: each is a search, some at once."""

    at_once = SEARCHES_AT_ONCE

    def try_part(self, part: Sequence[int]) -> bool:
        limits = Limits(seconds=max(self.deadline - time.monotonic(), LEAST_SECONDS))
        with ThreadPoolExecutor(max_workers=self.at_once) as pool:
            answers = list(pool.map(lambda end: search(self.rule, end, limits), part))
        for end, found in zip(part, answers, strict=True):
            self.tally = count_rows(self.spec, found, end)
            self.found.lines_read += len(found.rows)
            if not is_conclusive(self.spec, found, self.tally) or self.found.lines_read >= MAX_LINES:
                return False
            counts = {group: sum(steps.values()) for group, steps in self.tally.counts.items()}
            self._judge(dt.datetime.fromtimestamp(end, dt.UTC), counts, {}, is_whole=not found.is_cut)
            self.found.windows += 1
            self.found.evaluated_until = dt.datetime.fromtimestamp(end, dt.UTC)
        return True


class _Immediate(_Trial):
    """Lines one by one; an alert ends when its group is silent for the window."""

    def parts(self) -> Sequence[Sequence[int]]:
        since, until = int(self.found.since.timestamp()), int(self.found.until.timestamp())
        size = max(1, -(-(until - since) // PARTS))
        return list(pairwise([*range(since, until, size), until]))

    def try_part(self, part: Sequence[int]) -> bool:
        left = MAX_LINES - self.found.lines_read
        lines = lines_of(self.spec, part[0], part[1], left)
        self.found.lines_read += len(lines)
        if len(lines) >= left:
            return False
        for line in sorted(lines, key=lambda line: line.timestamp):
            if time.monotonic() > self.deadline:
                return False
            if self.spec.takes(line, line.message.lower()):
                self._take(line)
        end = dt.datetime.fromtimestamp(part[1], dt.UTC)
        self._expire(end)
        self.found.windows += 1
        self.found.evaluated_until = end
        return True

    def _take(self, line: SeenLine) -> None:
        self._expire(line.timestamp)
        group = self.spec.group_of(line)
        raised = self.open.get(group) or self.raise_alert(group, line.timestamp, [])
        raised.windows += 1
        raised.peak = raised.windows
        self.found.peak = max(self.found.peak, raised.peak)
        raised.ends_at = line.timestamp + dt.timedelta(seconds=self.spec.window)
        if len(raised.lines) < SAMPLES:
            raised.lines.append(line.message[:SAMPLE_LENGTH])

    def _expire(self, now: dt.datetime) -> None:
        self.open = {group: raised for group, raised in self.open.items() if raised.ends_at and raised.ends_at > now}


def lines_of(spec: Spec, since: int, until: int, limit: int) -> list[SeenLine]:
    """Return at most `limit` lines that the rule may want (Unix seconds)."""
    start, end = dt.datetime.fromtimestamp(since, dt.UTC), dt.datetime.fromtimestamp(until, dt.UTC)
    service, level, _below = next(iter(reads([spec])))
    return list(
        InternalSource().lines(
            start, end, level=level, service=service, limit=limit, with_attributes=spec.needs_attributes
        )
    )
