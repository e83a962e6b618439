"""What forbids a run, with the reason. Pure."""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from core.text.sentences import Sentence

DAY = dt.timedelta(days=1)
WEEK = dt.timedelta(days=7)
UNTIL = "%Y-%m-%d %H:%M:%S UTC"

STOPPED = Sentence("All remediation is stopped: %(reason)s")
DISABLED = Sentence("The runbook is disabled.")
OUTDATED = Sentence("The runbook has a newer version; propose the run again.")
PAUSED = Sentence("The runbook is paused. %(why)s")
CLOSED = Sentence("The incident is no longer open.")
RESTRICTED = Sentence("Nothing runs by itself for a restricted incident.")
NO_TARGETS = Sentence("Step %(number)s has no targets.")
TOO_MANY = Sentence("Step %(number)s has %(found)s targets; the runbook allows %(most)s.")
TOO_LARGE = Sentence("Step %(number)s has %(found)s of %(all)s targets; the runbook allows %(most)s percent.")
COOLING = Sentence("%(target)s was changed %(age)s ago; the runbook waits %(least)s seconds, until %(until)s.")
RESTING = Sentence("The runbook ran %(age)s ago; it waits %(least)s seconds between runs, until %(until)s.")
TARGET_CAP = Sentence("%(target)s was changed %(found)s times within a day; the runbook allows %(most)s.")
CAP = Sentence("The runbook ran %(found)s times within a day; it allows %(most)s.")
UNSETTLED = Sentence(
    "Run %(run)s ended unknown and holds %(targets)s: look at what it did, then settle it at %(page)s."
)
BUSY = Sentence("Another run is changing %(target)s.")
FROZEN = Sentence("Changes are frozen: %(window)s.")
UNUSABLE = Sentence("Step %(number)s cannot be used here: %(reason)s")


@dataclass(frozen=True)
class Refusal:
    """Why a run may not go on; `code` is stable, `text` a stored sentence. A freeze can be overridden."""

    code: str
    text: str

    @property
    def is_freeze(self) -> bool:
        return self.code == "frozen"


@dataclass(frozen=True)
class Window:
    """A change freeze; without teams and services it holds for all."""

    name: str
    starts_at: dt.datetime
    ends_at: dt.datetime
    is_weekly: bool = False
    zone: str = "UTC"
    teams: frozenset[int] = frozenset()
    services: frozenset[int] = frozenset()

    def holds_at(self, now: dt.datetime) -> bool:
        if not self.is_weekly or now < self.starts_at:
            return self.starts_at <= now < self.ends_at
        # by the clock on the wall, so that summer time moves no window
        zone = ZoneInfo(self.zone)
        start, end, here = (
            moment.astimezone(zone).replace(tzinfo=None) for moment in (self.starts_at, self.ends_at, now)
        )
        return (here - start) % WEEK < end - start

    def concerns(self, teams: frozenset[int], services: frozenset[int]) -> bool:
        return not (self.teams or self.services) or bool(self.teams & teams or self.services & services)


@dataclass(frozen=True)
class Limits:
    """What a version of a runbook allows."""

    cooldown_seconds: int
    runbook_cooldown: int
    daily_cap: int
    daily_cap_per_target: int
    max_targets: int
    max_percent: int


@dataclass(frozen=True)
class TargetHistory:
    """What runs of any runbook did to a target; `started_at` are within a day or the cool-down, newest first.

    `unsettled` is the run that ended unknown and holds it, 0 for none; `is_held` by another that executes.
    """

    name: str
    started_at: Sequence[dt.datetime] = ()
    is_held: bool = False
    unsettled: int = 0


@dataclass(frozen=True)
class StepSize:
    """How many targets a step has, of how many; 0: not known."""

    found: int
    population: int
    why_unusable: str = ""


@dataclass(frozen=True)
class Facts:
    """All that decides whether a run may go on; `stopped_because` and `paused_because` are None where nothing is.

    `teams` and `services` are those of the incident, and of what the run changes.
    """

    limits: Limits
    steps: Sequence[StepSize]
    targets: Sequence[TargetHistory]
    runs_today: int = 0
    last_run_at: dt.datetime | None = None
    stopped_because: str | None = None
    paused_because: str | None = None
    is_enabled: bool = True
    is_current: bool = True
    is_open: bool = True
    is_restricted: bool = False
    is_automatic: bool = False
    teams: frozenset[int] = frozenset()
    services: frozenset[int] = frozenset()
    windows: Sequence[Window] = ()


def refusals(facts: Facts, now: dt.datetime) -> list[Refusal]:
    """Return everything that forbids a run, the gravest first; nothing if it may go on."""
    return [refusal for judge in GUARDS for refusal in judge(facts, now)]


def _brakes(facts: Facts, now: dt.datetime) -> Iterator[Refusal]:
    if facts.stopped_because is not None:
        yield Refusal("remediation_stopped", STOPPED.say(reason=facts.stopped_because))
    if not facts.is_enabled:
        yield Refusal("runbook_disabled", DISABLED.say())
    if facts.paused_because is not None:
        yield Refusal("runbook_paused", PAUSED.say(why=facts.paused_because))
    if not facts.is_current:
        yield Refusal("runbook_changed", OUTDATED.say())


def _incident(facts: Facts, now: dt.datetime) -> Iterator[Refusal]:
    if not facts.is_open:
        yield Refusal("incident_closed", CLOSED.say())
    if facts.is_automatic and facts.is_restricted:
        yield Refusal("incident_restricted", RESTRICTED.say())


def _sizes(facts: Facts, now: dt.datetime) -> Iterator[Refusal]:
    limits = facts.limits
    for number, step in enumerate(facts.steps, 1):
        if step.why_unusable:
            yield Refusal("step_unusable", UNUSABLE.say(number=number, reason=step.why_unusable))
        if not step.found:
            yield Refusal("no_targets", NO_TARGETS.say(number=number))
        if step.found > limits.max_targets:
            yield Refusal("too_many_targets", TOO_MANY.say(number=number, found=step.found, most=limits.max_targets))
        # one of one is no crowd: a share says something of several only
        if step.population > 1 and step.found * 100 > limits.max_percent * step.population:
            words = {"found": step.found, "all": step.population, "most": limits.max_percent}
            yield Refusal("too_large_share", TOO_LARGE.say(number=number, **words))


def _unsettled(facts: Facts, now: dt.datetime) -> Iterator[Refusal]:
    for run in sorted({target.unsettled for target in facts.targets} - {0}):
        names = ", ".join(target.name for target in facts.targets if target.unsettled == run)
        yield Refusal("target_unsettled", UNSETTLED.say(run=run, targets=names, page=f"/runs/{run}/"))


def _frequencies(facts: Facts, now: dt.datetime) -> Iterator[Refusal]:
    limits = facts.limits
    if facts.runs_today >= limits.daily_cap:
        yield Refusal("daily_cap", CAP.say(found=facts.runs_today, most=limits.daily_cap))
    if words := _cooling(facts.last_run_at, limits.runbook_cooldown, now):
        yield Refusal("cooldown", RESTING.say(**words))
    for target in facts.targets:
        if target.is_held:
            yield Refusal("target_busy", BUSY.say(target=target.name))
        today = sum(1 for moment in target.started_at if moment > now - DAY)
        if today >= limits.daily_cap_per_target:
            yield Refusal(
                "daily_cap", TARGET_CAP.say(target=target.name, found=today, most=limits.daily_cap_per_target)
            )
        if words := _cooling(max(target.started_at, default=None), limits.cooldown_seconds, now):
            yield Refusal("cooldown", COOLING.say(target=target.name, **words))


def _cooling(last: dt.datetime | None, least: int, now: dt.datetime) -> dict[str, object]:
    """Return what is said of a cool-down that has not ended, nothing of one that has."""
    if last is None or now - last >= dt.timedelta(seconds=least):
        return {}
    until = last + dt.timedelta(seconds=least)
    return {"age": f"{max(0, int((now - last).total_seconds()))} s", "least": least, "until": f"{until:{UNTIL}}"}


def _freezes(facts: Facts, now: dt.datetime) -> Iterator[Refusal]:
    yield from freezes(facts.windows, facts.teams, facts.services, now)


def freezes(
    windows: Sequence[Window], teams: frozenset[int], services: frozenset[int], now: dt.datetime
) -> Iterator[Refusal]:
    """Yield the change freezes that hold for these teams and services."""
    for window in windows:
        if window.holds_at(now) and window.concerns(teams, services):
            yield Refusal("frozen", FROZEN.say(window=window.name))


GUARDS: tuple[Callable[[Facts, dt.datetime], Iterator[Refusal]], ...] = (
    _brakes,
    _incident,
    _sizes,
    _unsettled,
    _frequencies,
    _freezes,
)
