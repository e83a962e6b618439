"""Escalation policies as values: what a step says, as JSON and as a sentence. No database, no clock."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.severity import SEVERITY_OF_WORD, Severity
from core.text.sentences import Sentence
from core.text.sentences import days as shown_hours

ALL, ROUND_ROBIN, NEXT = "all", "round_robin", "next"
STRATEGIES = (ALL, ROUND_ROBIN, NEXT)
SKIP, ALARM = "skip", "alarm"
DEFAULT_WAIT = 5  # minutes
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MIDNIGHT = ("00:00", "24:00")
ONLY = Sentence("it is only for severity %(severity)s")
ONLY_OR_WORSE = Sentence("it is only for severity %(severity)s or worse")
ONLY_IN = Sentence("it is only for %(hours)s")


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
            worst = self.min_severity == max(Severity)
            return (ONLY if worst else ONLY_OR_WORSE).say(severity=Severity(self.min_severity).word)
        if self.hours is not None and not self.hours.include(at):
            return ONLY_IN.say(hours=self.hours)
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
    parts = [_("wait %(time)s") % {"time": minutes(policy.last_wait)}] if policy.steps else []
    if policy.repeat:
        again = ngettext("repeat the steps once", "repeat the steps up to %(count)s times", policy.repeat)
        parts.append(again % {"count": policy.repeat})
    if policy.on_exhausted:
        parts.append(_("page %(who)s") % {"who": _listed(policy.on_exhausted)})
    parts.append(_("raise the alarm that nobody was reached"))
    ending = parts[0]
    for part in parts[1:]:
        ending = _("%(before)s, then %(after)s") % {"before": ending, "after": part}
    if policy.reack_minutes:
        later = {"ending": ending, "time": minutes(policy.reack_minutes)}
        ending = _("%(ending)s. Page again %(time)s after the last sign of work on it") % later
    return Sentences(steps, _as_sentence(ending))


def sentence_of(step: Step, *, is_first: bool = False) -> str:
    """Return a step as people read it: Wait 5 min, then page everybody on call in Primary."""
    text = _paging(step)
    if step.delay_minutes:
        text = _("wait %(time)s, then %(action)s") % {"time": minutes(step.delay_minutes), "action": text}
    limits = []
    if step.min_severity is not None:
        limits.append(_("for severity %(severity)s") % {"severity": _severity(step.min_severity)})
    if step.hours is not None:
        limits.append(_("in %(hours)s") % {"hours": shown_hours(str(step.hours))})
    if limits:
        text = _("%(action)s, only %(limits)s") % {"action": text, "limits": _joined(limits)}
    if step.needs_acks > 1:
        until = {"action": text, "count": step.needs_acks}
        text = _("%(action)s, until %(count)s different people have answered") % until
    if step.if_empty == ALARM:
        text = _("%(action)s; if that is nobody, raise the alarm") % {"action": text}
    elif isinstance(step.if_empty, Target):
        instead = {"action": text, "who": _people_of((step.if_empty,))}
        text = _("%(action)s; if that is nobody, page %(who)s") % instead
    return _as_sentence(text)


def _paging(step: Step) -> str:
    who = _listed(step.targets) or _("nobody")
    if step.strategy == ALL:
        return _("page %(who)s") % {"who": _people_of(step.targets)}
    if step.strategy == ROUND_ROBIN:
        return _("page one of %(who)s, in turn") % {"who": who}
    if step.strategy == NEXT:
        return _("page who is on call next in %(who)s") % {"who": who}
    return _("page %(who)s (%(strategy)s)") % {"who": who, "strategy": step.strategy}


def _as_sentence(text: str) -> str:
    return _("%(text)s.") % {"text": f"{text[:1].upper()}{text[1:]}"}


def minutes(number: float) -> str:
    """Return minutes as people say them: 90 is 1 h 30 min."""
    hours, rest = divmod(int(number), 60)
    parts = [
        _("%(hours)d h") % {"hours": hours} if hours else "",
        _("%(minutes)d min") % {"minutes": rest} if rest or not hours else "",
    ]
    return " ".join(filter(None, parts))


def _people_of(targets: Iterable[Target]) -> str:
    return _joined([_called(target) for target in targets]) or _("nobody")


def _called(target: Target) -> str:
    if target.kind == "schedule":
        return _("everybody on call in %(name)s") % {"name": target}
    return _("everybody in %(name)s") % {"name": target} if target.kind == "team" else str(target)


def _listed(targets: Iterable[Target]) -> str:
    return _joined([str(target) for target in targets])


def _joined(words: list[str]) -> str:
    if len(words) < 2:
        return "".join(words)
    return _("%(first)s and %(last)s") % {"first": ", ".join(words[:-1]), "last": words[-1]}


def _severity(rank: int) -> str:
    word = str(Severity(rank).label).lower()
    return word if rank == max(Severity) else _("%(severity)s or worse") % {"severity": word}


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
