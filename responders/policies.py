"""Escalation policies as values: what a step says, as JSON and as a sentence. No database, no clock."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from core.severity import SEVERITY_OF_WORD, Severity

ALL, ROUND_ROBIN, NEXT = "all", "round_robin", "next"
STRATEGIES = (ALL, ROUND_ROBIN, NEXT)
SKIP, ALARM = "skip", "alarm"
DEFAULT_WAIT = 5  # minutes
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MIDNIGHT = ("00:00", "24:00")


@dataclass(frozen=True)
class Target:
    """Whom a step names; the name is as of when the values were made."""

    kind: str
    id: int
    name: str = ""

    @property
    def key(self) -> tuple[str, int]:
        return self.kind, self.id

    def __str__(self) -> str:
        return self.name or f"{self.kind} {self.id}"


@dataclass(frozen=True)
class Hours:
    """Weekdays (Monday is 0) and wall times in a zone; hours that end before they begin end on the next day."""

    time_zone: str
    weekdays: tuple[int, ...]
    opens: str
    closes: str

    def include(self, at: dt.datetime) -> bool:
        """Return whether a moment lies within; a shift past midnight belongs to the day it begins on."""
        local = at.astimezone(_zone(self.time_zone))
        now, opens = local.time(), _time(self.opens)
        closes = dt.time.max if self.closes in MIDNIGHT else _time(self.closes)
        if opens < closes:
            return local.weekday() in self.weekdays and opens <= now < closes
        if now >= opens:
            return local.weekday() in self.weekdays
        return now < closes and (local.weekday() - 1) % 7 in self.weekdays

    def next_opening(self, after: dt.datetime) -> dt.datetime | None:
        """Return when they next begin, in UTC; None if they never do."""
        zone = _zone(self.time_zone)
        today = after.astimezone(zone).date()
        for day in (today + dt.timedelta(days=number) for number in range(9)):
            opens = dt.datetime.combine(day, _time(self.opens), zone).astimezone(dt.UTC)
            if day.weekday() in self.weekdays and opens > after:
                return opens
        return None

    def __str__(self) -> str:
        return f"{_days(self.weekdays)} {self.opens}–{self.closes} {self.time_zone}"


@dataclass(frozen=True)
class Step:
    """Whom to page after a delay, counted from the step before it, or from the opening."""

    delay_minutes: int = 0
    targets: tuple[Target, ...] = ()
    strategy: str = ALL
    min_severity: int | None = None
    hours: Hours | None = None
    if_empty: str | Target = SKIP
    needs_acks: int = 1

    @property
    def named(self) -> tuple[Target, ...]:
        """Its targets, and the one in their place."""
        return (*self.targets, self.if_empty) if isinstance(self.if_empty, Target) else self.targets

    def why_not_now(self, severity: int, at: dt.datetime) -> str:
        """Return why the step does not apply, or ""."""
        if self.min_severity is not None and severity < self.min_severity:
            return f"it is only for severity {_severity(self.min_severity)}"
        if self.hours is not None and not self.hours.include(at):
            return f"it is only for {self.hours}"
        return ""


@dataclass(frozen=True)
class Policy:
    """A policy's values, as stored on a running escalation."""

    id: int | None = None
    name: str = ""
    steps: tuple[Step, ...] = ()
    repeat: int = 0
    wait_minutes: int | None = None
    on_exhausted: tuple[Target, ...] = ()
    reack_minutes: int | None = None

    @property
    def last_wait(self) -> int:
        """The minutes after the last step, before the steps repeat or the policy gives up."""
        if self.wait_minutes is not None:
            return self.wait_minutes
        return max((step.delay_minutes for step in self.steps), default=0) or DEFAULT_WAIT

    @property
    def named(self) -> list[Target]:
        """All whom it names."""
        return [target for step in self.steps for target in step.named] + list(self.on_exhausted)


@dataclass(frozen=True)
class Sentences:
    """A policy in words."""

    steps: list[str] = field(default_factory=list)
    ending: str = ""


def policy_of(values: Mapping[str, Any]) -> Policy:
    """Read stored values."""
    return Policy(
        id=values.get("id"),
        name=values.get("name", ""),
        steps=tuple(step_of(one) for one in values.get("steps", ())),
        repeat=values.get("repeat") or 0,
        wait_minutes=values.get("wait_minutes"),
        on_exhausted=tuple(target_of(one) for one in values.get("on_exhausted", ())),
        reack_minutes=values.get("reack_minutes"),
    )


def step_of(values: Mapping[str, Any]) -> Step:
    """Read one stored step."""
    only_in = values.get("only_in") or {}
    hours, word = only_in.get("business_hours"), only_in.get("min_severity")
    if_empty = values.get("if_empty") or SKIP
    return Step(
        delay_minutes=values.get("delay_minutes") or 0,
        targets=tuple(target_of(one) for one in values.get("targets", ())),
        strategy=values.get("strategy") or ALL,
        min_severity=SEVERITY_OF_WORD[word] if word else None,
        hours=Hours(hours["time_zone"], tuple(hours["weekdays"]), hours["from"], hours["to"]) if hours else None,
        if_empty=if_empty if isinstance(if_empty, str) else target_of(if_empty),
        needs_acks=values.get("needs_acks") or 1,
    )


def target_of(values: Mapping[str, Any]) -> Target:
    return Target(values["kind"], values["id"], values.get("name", ""))


def with_names(values: Mapping[str, Any], names: Mapping[tuple[str, int], str]) -> dict[str, Any]:
    """Return stored values with the names of all targets in them."""

    def named(target: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "kind": target["kind"],
            "id": target["id"],
            "name": names.get((target["kind"], target["id"])) or target.get("name", ""),
        }

    steps = []
    for step in values.get("steps", ()):
        if_empty = step.get("if_empty") or SKIP
        steps.append(
            {
                **step,
                "targets": [named(target) for target in step.get("targets", ())],
                "if_empty": if_empty if isinstance(if_empty, str) else named(if_empty),
            }
        )
    return {**values, "steps": steps, "on_exhausted": [named(one) for one in values.get("on_exhausted", ())]}


def sentences_of(policy: Policy) -> Sentences:
    """Return a policy as people read it."""
    steps = [sentence_of(step, is_first=number == 0) for number, step in enumerate(policy.steps)]
    last = [f"Wait {minutes(policy.last_wait)}"] if policy.steps else []
    if policy.repeat:
        last.append(f"repeat the steps {'once' if policy.repeat == 1 else f'up to {policy.repeat} times'}")
    last.append(f"page {_listed(policy.on_exhausted)}" if policy.on_exhausted else "")
    last.append("raise the alarm that nobody was reached")
    ending = ", then ".join(filter(None, last))
    if policy.reack_minutes:
        ending += f". Page again {minutes(policy.reack_minutes)} after the last sign of work on it"
    return Sentences(steps, f"{ending[:1].upper()}{ending[1:]}.")


def sentence_of(step: Step, *, is_first: bool = False) -> str:
    """Return a step as people read it: Wait 5 min, then page everybody on call in Primary."""
    who = _listed(step.targets) or "nobody"
    page = {
        ALL: f"page {_people_of(step.targets)}",
        ROUND_ROBIN: f"page one of {who}, in turn",
        NEXT: f"page who is on call next in {who}",
    }.get(step.strategy, f"page {who} ({step.strategy})")
    start = "" if step.delay_minutes == 0 else f"Wait {minutes(step.delay_minutes)}, then "
    text = start + page
    limits = [f"for severity {_severity(step.min_severity)}"] if step.min_severity is not None else []
    limits += [f"in {step.hours}"] if step.hours is not None else []
    text += f", only {' and '.join(limits)}" if limits else ""
    if step.needs_acks > 1:
        text += f", until {step.needs_acks} different people have answered"
    if step.if_empty == ALARM:
        text += "; if that is nobody, raise the alarm"
    elif isinstance(step.if_empty, Target):
        text += f"; if that is nobody, page {_people_of((step.if_empty,))}"
    return f"{text[:1].upper()}{text[1:]}."


def minutes(number: float) -> str:
    """Return minutes as people say them: 90 is 1 h 30 min."""
    hours, rest = divmod(int(number), 60)
    return " ".join(filter(None, (f"{hours} h" if hours else "", f"{rest} min" if rest or not hours else "")))


def _people_of(targets: Iterable[Target]) -> str:
    words = {"schedule": "everybody on call in {}", "team": "everybody in {}"}
    return _joined([words.get(target.kind, "{}").format(target) for target in targets]) or "nobody"


def _listed(targets: Iterable[Target]) -> str:
    return _joined([str(target) for target in targets])


def _joined(words: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def _severity(rank: int) -> str:
    word = Severity(rank).word
    return word if rank == max(Severity) else f"{word} or worse"


def _days(weekdays: tuple[int, ...]) -> str:
    days = sorted(weekdays)
    if len(days) > 2 and days == list(range(days[0], days[-1] + 1)):
        return f"{DAYS[days[0]]}–{DAYS[days[-1]]}"
    return ", ".join(DAYS[day] for day in days)


@lru_cache(maxsize=256)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


@lru_cache(maxsize=1024)
def _time(text: str) -> dt.time:
    return dt.time.fromisoformat(text)
