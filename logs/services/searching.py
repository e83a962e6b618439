"""Search outside stores for rules: a search for each window, without a transaction; then one enters what it found.

A window that was not searched whole is searched again; its rule's progress stays where it is, so nothing is left out,
and nothing is entered twice.
"""

import datetime as dt
import time
from collections import Counter
from collections.abc import Collection
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from threading import Event, Thread

import structlog
from django.core.exceptions import ValidationError

from alerts.services.enqueueing import enqueue
from core.db.leases import Lease
from core.db.transactions import unit_of_work
from core.server.jobs import is_stopping, stopping_by
from core.text.sentences import Sentence
from logs.detection import SAMPLE_LENGTH, Group, Spec, Tally, Verdict, from_json, judge, to_json
from logs.models import DetectionRule
from logs.models.rules import ERROR_LENGTH, TROUBLE
from logs.normalising import plain
from logs.services.updates import failure_update, recovery_update, update_of
from logs.sources.outside import Found, Limits, Store, StoreFailed, store_of

log = structlog.get_logger(__name__)

AT_ONCE = 8  # searches of one store
LOOK_SECONDS = 1.0  # between looks for further windows while searches run
LEAVE_SECONDS = 4.0  # for searches to end when the worker stops
WARNINGS = 3  # of a store, in an alert
FAILURES = 3  # in a row, until they are an alert
FIRST_PAUSE, LONGEST_PAUSE = 15, 300  # seconds before another attempt, doubled each time
CATCH_UP_SECONDS = 24 * 3600
LIMITS = Limits()

held = Lease("next_run_at", dt.timedelta(seconds=3 * LIMITS.seconds))  # longer than a search may take

CUT = Sentence(
    "The answer was cut at %(rows)s rows, and in these no group reached the threshold; narrow the query, or let the "
    "rule look at shorter windows."
)
CUT_LATE = Sentence("The answer ended early, after %(rows)s rows, and in these no group reached the threshold.")
BROKE = Sentence("The search ended unexpectedly (%(kind)s); the worker's log says more.")
NO_QUERY = Sentence("This cannot be a query: %(why)s")
NO_STORE = Sentence("No store of the kind %(kind)s is known.")


@dataclass(frozen=True)
class Window:
    """A rule's next window, ending at `end` (Unix seconds)."""

    rule: DetectionRule
    spec: Spec
    end: int

    @property
    def since(self) -> dt.datetime:
        return _moment(self.end - self.spec.window)

    @property
    def until(self) -> dt.datetime:
        return _moment(self.end)


def run_due(now: dt.datetime, *, limit: int = AT_ONCE, seconds: float = 0.0) -> int:
    """Search due windows, `limit` at once in each store, beginning further ones for some seconds; return how many were
    begun.
    """
    return _Round(now, limit, seconds).run()


class _Round:
    """Searches side by side. A store that hangs keeps no other store's rules waiting, nor do its last searches: until
    they end, others go on.
    """

    def __init__(self, now: dt.datetime, limit: int, seconds: float) -> None:
        self.now, self.limit, self.seconds = now, limit, seconds
        self.clock, self.total, self.errors = time.monotonic(), 0, list[Exception]()
        self.running: dict[Future[Found], tuple[Window, float]] = {}  # and when each began
        self.leaving = Event()

    def run(self) -> int:
        while not is_stopping():
            self._begin()
            if not self.running:
                break
            for done in wait(self.running, LOOK_SECONDS, FIRST_COMPLETED).done:
                self._enter(done)
        self._leave()
        if self.errors:
            raise self.errors[0]
        return self.total

    def _passed(self) -> float:
        return time.monotonic() - self.clock

    def _now(self) -> dt.datetime:
        return self.now + dt.timedelta(seconds=self._passed())

    def _begin(self) -> None:
        passed, taken = self._passed(), Counter(window.rule.store for window, _begun in self.running.values())
        closed = {store for store, number in taken.items() if number >= self.limit}
        if self.total and passed >= self.seconds:
            last = {window.rule.store for window, begun in self.running.values() if begun < self.seconds}
            if not last:
                return
            closed |= last
        windows = _claim(self._now(), taken, closed, self.limit)
        self.total += len(windows)
        self.running |= {_start(window, self.leaving): (window, passed) for window in windows}

    def _enter(self, done: Future[Found]) -> None:
        window, _begun = self.running.pop(done)
        try:
            _settle(window, done, self._now())
        except Exception as error:  # it is searched again when its lease ends; the others are entered
            log.error("detection_window_not_entered", rule=window.rule.pk, exc_info=error)
            self.errors.append(error)

    def _leave(self) -> None:
        """Enter what is found within a moment, and leave the rest to whoever looks next."""
        self.leaving.set()
        for done in wait(self.running, LEAVE_SECONDS).done:
            if done.exception() is None:
                self._enter(done)
        for window, _begun in self.running.values():
            log.warning("detection_search_left", rule=window.rule.pk, store=window.rule.store, end=window.end)
            _release(window, self._now())


def _claim(now: dt.datetime, taken: Counter[str], closed: Collection[str], limit: int) -> list[Window]:
    due = DetectionRule.objects.due_elsewhere(now).exclude(store__in=closed)
    waiting = set(due.order_by().values_list("store", flat=True).distinct())  # looking costs no lock
    keys = [
        key
        for store in sorted(waiting)
        for key in held.claim_many(due.filter(store=store)[: limit - taken[store]], now)
    ]
    rules = DetectionRule.objects.select_related("source").in_bulk(keys) if keys else {}
    return [window for rule in rules.values() if (window := window_of(rule, now)) is not None]


def _release(window: Window, now: dt.datetime) -> None:
    rule = window.rule
    DetectionRule.objects.filter(pk=rule.pk, next_run_at=rule.next_run_at).update(next_run_at=now)


def _start(window: Window, leaving: Event) -> Future[Found]:
    """Search in a thread that keeps no process from ending."""
    future = Future[Found]()

    def run() -> None:
        with stopping_by(leaving):
            try:
                future.set_result(search(window.rule, window.end))
            except Exception as error:  # noqa: BLE001 (judged where it is entered)
                future.set_exception(error)

    Thread(target=run, name="search", daemon=True).start()
    return future


def window_of(rule: DetectionRule, now: dt.datetime) -> Window | None:
    """Return a rule's next window, if it has settled."""
    spec = rule.spec
    last = int(now.timestamp() - _lag(rule)) // spec.interval * spec.interval
    if rule.evaluated_until is None:
        return Window(rule, spec, last)
    known = int(rule.evaluated_until.timestamp())
    if last - known > CATCH_UP_SECONDS:
        known = (last - CATCH_UP_SECONDS) // spec.interval * spec.interval
        log.warning("detection_windows_skipped", rule=rule.pk, until=known)
    end = known + spec.interval
    return Window(rule, spec, end) if end <= last else None


def search(rule: DetectionRule, end: int, limits: Limits = LIMITS) -> Found:
    """Return a window's rows. Raises StoreFailed."""
    try:
        store = store_of(rule.store)
    except KeyError as error:
        raise StoreFailed(NO_STORE.say(kind=rule.store), is_permanent=True) from error
    if reason := store.why_unusable():
        raise StoreFailed(reason, is_permanent=True)
    try:
        query = store.validate(rule.query)
    except ValidationError as error:
        raise StoreFailed(NO_QUERY.say(why=" ".join(error.messages)), is_permanent=True) from error
    return store.search(query, _moment(end - rule.window_seconds), _moment(end), limits)


def count_rows(spec: Spec, found: Found, end: int) -> Tally:
    """Count a window's rows by group, the largest first: these keep counts of their own."""
    tally = Tally()
    number = (end - 1) // spec.step
    groups = [tuple(map(plain, spec.group_of_fields(row.fields))) for row in found.rows]
    sizes = Counter(groups)
    rows = zip(groups, found.rows, strict=True)
    for group, row in sorted(rows, key=lambda pair: (-sizes[pair[0]], pair[0])):
        tally.count(group, number, plain(row.text[:SAMPLE_LENGTH]))
    return tally


def is_conclusive(spec: Spec, found: Found, tally: Tally) -> bool:
    """Return whether the rows decide: all of them, or enough of a group."""
    return not found.is_cut or any(sum(steps.values()) >= spec.threshold for steps in tally.counts.values())


def _settle(window: Window, done: Future[Found], now: dt.datetime) -> None:
    if (error := done.exception()) is not None:
        if not isinstance(error, StoreFailed):
            log.error("detection_search_broke", rule=window.rule.pk, exc_info=error)
            error = StoreFailed(BROKE.say(kind=type(error).__name__))
        fail(window, error, now)
        return
    found = done.result()
    tally = count_rows(window.spec, found, window.end)
    if is_conclusive(window.spec, found, tally):
        enter(window, found, tally, now)
    else:
        said = (CUT_LATE if found.is_late else CUT).say(rows=f"{len(found.rows):,}")
        error = StoreFailed(" ".join([said, *found.warnings[:WARNINGS]]))
        fail(window, error, now, may_give_up=not found.is_late)


@unit_of_work
def enter(window: Window, found: Found, tally: Tally, now: dt.datetime) -> bool:
    """Store a window's result and raise its alerts; return False if another did, or the rule changed."""
    rule = _lock(window)
    if rule is None:
        return False
    verdicts, state = _judge(window, found, tally, from_json(rule.state).firing)
    notes = _notes(window, found)
    updates = [
        update_of(rule, window.spec, verdict, tally.samples.get(verdict.group, ()), now=now, notes=notes)
        for verdict in verdicts
    ]
    if rule.is_failing:
        updates.append(recovery_update(rule, now))
    _advance(rule, window)
    rule.state = state
    rule.failures, rule.failing_since, rule.last_error, rule.is_failing = 0, None, "", False
    rule.save(update_fields=["evaluated_until", "next_run_at", "state", *TROUBLE])
    if updates:
        enqueue(window.rule.source, updates, at=now)
    return True


@unit_of_work
def fail(window: Window, error: StoreFailed, now: dt.datetime, *, may_give_up: bool = False) -> None:
    """Note a failed search, to be repeated after a pause; its alert begins once.

    `may_give_up`: a repetition would fail alike, so that after the alert began, later windows get their turn.
    """
    rule = _lock(window)
    if rule is None:
        return
    log.warning("detection_search_failed", rule=rule.pk, store=rule.store, reason=error.message, end=window.end)
    rule.failures += 1
    rule.failing_since = rule.failing_since or now
    rule.last_error = plain(error.message)[:ERROR_LENGTH]
    if rule.evaluated_until is None:  # the first window stays the first
        rule.evaluated_until = _moment(window.end - window.spec.interval)
    is_loud = error.is_permanent or rule.failures >= FAILURES
    if is_loud and may_give_up:
        log.warning("detection_windows_skipped", rule=rule.pk, until=window.end)
        _advance(rule, window)
    else:
        rule.next_run_at = now + dt.timedelta(seconds=_pause(rule.failures, error))
    is_news = is_loud and not rule.is_failing
    rule.is_failing = rule.is_failing or is_loud
    rule.save(update_fields=["evaluated_until", "next_run_at", "failures", "failing_since", "last_error", "is_failing"])
    if is_news:
        enqueue(window.rule.source, [failure_update(rule, now)], at=now)


def _lock(window: Window) -> DetectionRule | None:
    """Return the rule as it was when its search began, locked; None if it moved on."""
    read = window.rule
    same = DetectionRule.objects.select_for_update().filter(pk=read.pk, is_enabled=True, changed_at=read.changed_at)
    return same.filter(evaluated_until=read.evaluated_until).first()


def _judge(
    window: Window, found: Found, tally: Tally, firing: dict[Group, int]
) -> tuple[list[Verdict], dict[str, list[list[object]]]]:
    """Return the window's verdicts, and what fires from now on; of a cut answer's other groups nothing is known."""
    enough = {group for group, steps in tally.counts.items() if sum(steps.values()) >= window.spec.threshold}
    unknown = {group: since for group, since in firing.items() if found.is_cut and group not in enough}
    tally.firing = {group: since for group, since in firing.items() if group not in unknown}
    verdicts = judge(window.spec, tally, [window.end])
    return verdicts, to_json(Tally(firing={**tally.firing, **unknown}))


def _notes(window: Window, found: Found) -> list[str]:
    rule = window.rule
    notes = [
        f"Searched in {rule.get_store_display()} from {window.since:%Y-%m-%d %H:%M:%S} to "
        f"{window.until:%Y-%m-%d %H:%M:%S} UTC: {rule.query}"
    ]
    if found.is_cut:
        notes.append(f"The answer was cut at {len(found.rows):,} rows: there may be more.")
    return [*notes, *(plain(warning[:ERROR_LENGTH]) for warning in found.warnings[:WARNINGS])]


def _advance(rule: DetectionRule, window: Window) -> None:
    rule.evaluated_until = window.until
    rule.next_run_at = window.until + dt.timedelta(seconds=window.spec.interval + _lag(rule))


def _pause(failures: int, error: StoreFailed) -> float:
    if error.is_permanent:
        return LONGEST_PAUSE
    pause: int = FIRST_PAUSE * 2 ** min(failures - 1, 10)
    return min(max(pause, error.wait), LONGEST_PAUSE)


def _lag(rule: DetectionRule) -> int:
    try:
        store: Store = store_of(rule.store)
    except KeyError:
        return 0
    return store.lag()


def _moment(seconds: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(seconds, dt.UTC)
