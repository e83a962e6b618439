"""Count lines by detection rule and group, and judge windows. Pure.

A step is the greatest common divisor of window and interval: lines are read once. Windows exclude their end.
"""

import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

from logs.queries import Query, Searched, letters
from logs.queries import field as field_of
from logs.templates import masked
from logs.vocabulary import Level

MAX_GROUPS = 100  # per rule; further groups share one count
MAX_STEPS = 1500
SAMPLES = 3
SAMPLE_LENGTH = 500
VALUE_LENGTH = 200
OTHERS = "(others)"
ATTRIBUTE = "attributes."
GROUP_FIELDS = ("service", "host", "level", "template")
MAX_REMEMBERED = 50_000  # words

Group = tuple[str, ...]


class Counted(Searched, Protocol):
    """A line as rules see it."""

    @property
    def level(self) -> int: ...


@dataclass(frozen=True)
class Spec:
    """A rule ready to evaluate; seconds, and `level` 0 or `service` "" mean any."""

    id: int
    query: Query
    level: int = 0
    service: str = ""
    group_by: tuple[str, ...] = ()
    threshold: int = 1
    window: int = 300
    interval: int = 60

    @cached_property
    def step(self) -> int:
        """Return a step's length in seconds."""
        return math.gcd(self.window, self.interval)

    @property
    def condition(self) -> tuple[object, ...]:
        """Return what decides the counts."""
        return (self.query, self.level, self.service, self.group_by, self.step)

    @property
    def needs_attributes(self) -> bool:
        """Return whether to read the lines' attributes."""
        return self.query.needs_attributes or any(name.startswith(ATTRIBUTE) for name in self.group_by)

    def takes(self, line: Counted, lowered: str) -> bool:
        if line.level < self.level or (self.service and line.service != self.service):
            return False
        return self.query.matches(line, lowered)

    def group_of(self, line: Counted) -> Group:
        """Return the line's values to group by."""
        if not self.group_by:
            return ()
        return tuple(_value(line, name)[:VALUE_LENGTH] for name in self.group_by)

    def group_of_fields(self, fields: Mapping[str, str]) -> Group:
        """Return the values to group by of a row from another store."""
        return tuple(fields.get(name, "")[:VALUE_LENGTH] for name in self.group_by)

    def labels_of(self, group: Group) -> dict[str, str]:
        names = (name.removeprefix(ATTRIBUTE) for name in self.group_by)
        return dict(zip(names, group, strict=True))

    def fingerprint(self, group: Group) -> str:
        """Return the identity of a group's alert."""
        if not group:
            return f"rule:{self.id}"
        facts = json.dumps([self.group_by, group])
        return f"rule:{self.id}:{hashlib.sha256(facts.encode()).hexdigest()[:32]}"


def _value(line: Counted, name: str) -> str:
    if name == "template":
        return masked(line.message)
    if name == "level":
        return Level(line.level).word
    return field_of(line, name.removeprefix(ATTRIBUTE)) or ""


@dataclass
class _Memory:
    seen: set[str] = field(default_factory=set)
    telling: set[str] = field(default_factory=set)
    anchors: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def learn(self, run: str, anchors: tuple[str, ...]) -> None:
        """Remember a word, marking it seen last: other threads trust that."""
        if anchors:
            self.anchors[run] = anchors
            self.telling.add(run)
        self.seen.add(run)


class Index:
    """Many rules together: a line meets only those its service and words allow."""

    def __init__(self, specs: Iterable[Spec]) -> None:
        self._specs: dict[tuple[str, str], list[Spec]] = {}
        for spec in specs:
            self._specs.setdefault((spec.service, spec.query.anchor), []).append(spec)
        self._anchors = {anchor for _service, anchor in self._specs if anchor}
        self._memory = _Memory()

    def matching(self, line: Counted) -> Iterator[Spec]:
        lowered = line.message.lower()
        services = ("", line.service) if line.service else ("",)
        for anchor in self._anchors_in(lowered):
            for service in services:
                for spec in self._specs.get((service, anchor), ()):
                    if spec.takes(line, lowered):
                        yield spec

    def _anchors_in(self, lowered: str) -> set[str]:
        found = {""}
        if self._anchors:
            memory = self._memory
            if len(memory.seen) >= MAX_REMEMBERED:
                memory = self._memory = _Memory()  # not emptied: another thread may be reading
            runs = set(letters(lowered))
            for run in runs - memory.seen:
                memory.learn(run, tuple(anchor for anchor in self._anchors if anchor in run))
            for run in runs & memory.telling:
                found.update(memory.anchors[run])
        return found


@dataclass
class Tally:
    """Lines per group and step, and since when groups fire (Unix seconds)."""

    counts: dict[Group, dict[int, int]] = field(default_factory=dict)
    firing: dict[Group, int] = field(default_factory=dict)
    samples: dict[Group, list[str]] = field(default_factory=dict)

    def add(self, spec: Spec, line: Counted, seconds: float) -> None:
        self.count(spec.group_of(line), int(seconds // spec.step), line.message)

    def count(self, group: Group, number: int, text: str) -> None:
        """Count a text of a group in a step."""
        group = self._group(group)
        steps = self.counts[group]
        steps[number] = steps.get(number, 0) + 1
        samples = self.samples.setdefault(group, [])
        if len(samples) < SAMPLES:
            samples.append(text[:SAMPLE_LENGTH])

    def merge(self, other: "Tally") -> None:
        """Add counts of the same steps."""
        for theirs, counted in other.counts.items():
            group = self._group(theirs)
            steps = self.counts[group]
            for number, count in counted.items():
                steps[number] = steps.get(number, 0) + count
            samples = self.samples.setdefault(group, [])
            samples += other.samples[theirs][: SAMPLES - len(samples)]

    def _group(self, group: Group) -> Group:
        if group not in self.counts:
            if len(self.counts) >= MAX_GROUPS and group:
                group = (OTHERS,) * len(group)
            self.counts.setdefault(group, {})
        return group

    def sliding(self, spec: Spec, ends: Sequence[int]) -> Iterator[tuple[int, dict[Group, int]]]:
        """Yield each group's count in the windows up to `ends` (ascending Unix seconds)."""
        totals: dict[Group, int] = {}
        first = last = 0
        for end in ends:
            start, stop = (end - spec.window) // spec.step, end // spec.step
            for group, steps in self.counts.items():
                come, gone = _sum(steps, max(last, start), stop), _sum(steps, first, min(start, last))
                totals[group] = totals.get(group, 0) + come - gone
            first, last = start, stop
            yield end, totals

    def prune(self, spec: Spec, end: int) -> None:
        """Drop what no window after `end` includes."""
        first = (end + spec.interval - spec.window) // spec.step
        kept = {
            group: {number: count for number, count in steps.items() if number >= first}
            for group, steps in self.counts.items()
        }
        self.counts = {group: steps for group, steps in kept.items() if steps}


@dataclass(frozen=True)
class Verdict:
    """A window's verdict on a group: fires, or is over (Unix seconds)."""

    group: Group
    is_firing: bool
    since: int
    end: int
    count: int
    is_news: bool = True


def judge(spec: Spec, tally: Tally, ends: Sequence[int]) -> list[Verdict]:
    """Judge windows; return beginnings, ends, and what still fires."""
    verdicts: list[Verdict] = []
    counts: dict[Group, int] = {}
    for end, counts in tally.sliding(spec, ends):
        verdicts += _changes(spec, tally, end, counts)
    if ends:
        judged = {verdict.group for verdict in verdicts if verdict.end == ends[-1]}
        verdicts += [
            Verdict(group, True, since, ends[-1], counts.get(group, 0), is_news=False)
            for group, since in tally.firing.items()
            if group not in judged
        ]
        tally.prune(spec, ends[-1])
    return verdicts


def _changes(spec: Spec, tally: Tally, end: int, counts: Mapping[Group, int]) -> Iterator[Verdict]:
    for group, count in counts.items():
        if count >= spec.threshold and group not in tally.firing:
            tally.firing[group] = end
            yield Verdict(group, True, end, end, count)
    for group in [group for group in tally.firing if counts.get(group, 0) < spec.threshold]:
        yield Verdict(group, False, tally.firing.pop(group), end, counts.get(group, 0))


def _sum(steps: Mapping[int, int], first: int, last: int) -> int:
    if last - first > len(steps):
        return sum(count for number, count in steps.items() if first <= number < last)
    return sum(steps.get(number, 0) for number in range(first, last))


def to_json(tally: Tally) -> dict[str, list[list[object]]]:
    """Return a tally as JSON values, without samples."""
    value: dict[str, list[list[object]]] = {}
    if tally.counts:
        value["counts"] = [
            [list(group), [list(pair) for pair in steps.items()]] for group, steps in tally.counts.items()
        ]
    if tally.firing:
        value["firing"] = [[list(group), since] for group, since in tally.firing.items()]
    return value


def from_json(value: Mapping[str, list[list[object]]]) -> Tally:
    """Return the tally that `to_json` wrote."""
    counts: dict[Group, dict[int, int]] = {tuple(group): dict(steps) for group, steps in value.get("counts", [])}  # type: ignore[arg-type, call-overload]
    firing: dict[Group, int] = {tuple(group): since for group, since in value.get("firing", [])}  # type: ignore[arg-type, misc]
    return Tally(counts, firing)
