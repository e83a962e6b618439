"""Decide who is paged by a step, and plan a whole policy."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from core.severity import Severity
from core.text.sentences import Sentence
from paging.vocabulary import Importance
from responders.policies import ALARM, NEXT, ROUND_ROBIN, Policy, Step, Target

MAX_PLANNED = 500
NOBODY = Sentence("nobody to page in %(targets)s")
NOBODY_BUT_HIDDEN = Sentence("nobody to page in %(targets)s (%(why)s)")
NOR = Sentence("%(why)s, nor in %(target)s")
NOR_BUT_HIDDEN = Sentence("%(why)s, nor in %(target)s (%(why_hidden)s)")
INSTEAD = Sentence("%(why)s, %(target)s instead")
HIDDEN = Sentence("%(names)s cannot see the restricted incident")
ENDS = Sentence("the policy ends here")
# What rooms and webhooks are paged for; kinds that other apps add are named as they are.
OF_POLICY = {"channel": Sentence("Channel of the policy"), "webhook": Sentence("Webhook of the policy")}


@dataclass(frozen=True)
class Person:
    """Somebody who could be paged, and why."""

    id: int
    name: str
    why: str = ""


@dataclass(frozen=True)
class Recipient:
    """Who is paged: a person, or a room or machine."""

    target: Target
    name: str
    why: str
    user_id: int | None = None


@dataclass(frozen=True)
class Facts:
    """What is known at the moment of a step; `turns` is who was last in turn, by step."""

    at: dt.datetime
    severity: int = Severity.MEDIUM
    on_call: Mapping[int, Sequence[Person]] = field(default_factory=dict)
    on_call_next: Mapping[int, Sequence[Person]] = field(default_factory=dict)
    members: Mapping[int, Sequence[Person]] = field(default_factory=dict)
    people: Mapping[int, Person] = field(default_factory=dict)
    rooms: Mapping[tuple[str, int], str] = field(default_factory=dict)
    hidden_from: frozenset[int] = frozenset()
    turns: Mapping[int, int | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """Whom a step pages. Nobody: `skipped` says why, and `is_alarm` that the alarm is raised."""

    recipients: tuple[Recipient, ...] = ()
    skipped: str = ""
    note: str = ""  # who was left out, or in whose place these are
    is_alarm: bool = False
    in_turn: int | None = None  # whose turn it is now


def perform(step: Step, position: int, facts: Facts) -> Outcome:
    """Return whom a step pages at the moment of the facts."""
    if why_not := step.why_not_now(facts.severity, facts.at):
        return Outcome(skipped=why_not)
    found, left_out = _recipients(step.targets, facts, is_next=step.strategy == NEXT)
    people = [one for one in found if one.user_id is not None]
    in_turn = None
    if step.strategy == ROUND_ROBIN and people:
        chosen = _in_turn(people, facts.turns.get(position))
        in_turn = chosen.user_id
        found = [chosen, *(one for one in found if one.user_id is None)]
    if found:
        return Outcome(tuple(found), note=left_out, in_turn=in_turn)
    return _instead(step, facts, _nobody(step.targets, left_out))


def _instead(step: Step, facts: Facts, why: str) -> Outcome:
    if not isinstance(step.if_empty, Target):
        return Outcome(skipped=why, is_alarm=step.if_empty == ALARM)
    found, left_out = _recipients((step.if_empty,), facts)
    if found:
        return Outcome(tuple(found), note=INSTEAD.say(why=why, target=step.if_empty))
    if left_out:
        return Outcome(skipped=NOR_BUT_HIDDEN.say(why=why, target=step.if_empty, why_hidden=left_out))
    return Outcome(skipped=NOR.say(why=why, target=step.if_empty))


def page_all(targets: Sequence[Target], facts: Facts) -> Outcome:
    """Return whom targets page without a step."""
    found, left_out = _recipients(targets, facts)
    if found:
        return Outcome(tuple(found), note=left_out)
    return Outcome(skipped=_nobody(targets, left_out))


def _nobody(targets: Sequence[Target], left_out: str) -> str:
    names = _names(targets)
    return NOBODY_BUT_HIDDEN.say(targets=names, why=left_out) if left_out else NOBODY.say(targets=names)


def _recipients(targets: Sequence[Target], facts: Facts, *, is_next: bool = False) -> tuple[list[Recipient], str]:
    """Return each person once, with all reasons, each room, and who was left out."""
    people: dict[int, list[tuple[Target, Person]]] = {}
    rooms, hidden = [], []
    for target in targets:
        candidates = _people(target, facts, is_next=is_next)
        if candidates is None:
            if target.key in facts.rooms:
                name = facts.rooms[target.key]
                rooms.append(Recipient(target, name, _reason_of(target)))
            continue
        for person in candidates:
            if person.id in facts.hidden_from:
                hidden.append(person.name)
            else:
                people.setdefault(person.id, []).append((target, person))
    found = [
        Recipient(ways[0][0], ways[0][1].name, "; ".join(dict.fromkeys(person.why for _, person in ways)), number)
        for number, ways in people.items()
    ]
    left_out = HIDDEN.say(names=", ".join(dict.fromkeys(hidden))) if hidden else ""
    return [*found, *rooms], left_out


def _reason_of(target: Target) -> str:
    return str(OF_POLICY.get(target.kind, f"{target.kind} of the policy".capitalize()))


def _people(target: Target, facts: Facts, *, is_next: bool) -> Sequence[Person] | None:
    """Return the people of a target; None for a room."""
    if target.kind == "schedule":
        return (facts.on_call_next if is_next else facts.on_call).get(target.id, ())
    if target.kind == "team":
        return facts.members.get(target.id, ())
    if target.kind == "user":
        return [facts.people[target.id]] if target.id in facts.people else ()
    return None


def _in_turn(people: Sequence[Recipient], last: int | None) -> Recipient:
    """Return who comes after the last one; the first if that person is gone."""
    ids = [one.user_id for one in people]
    return people[(ids.index(last) + 1) % len(people)] if last in ids else people[0]


def _names(targets: Sequence[Target]) -> str:
    return ", ".join(map(str, targets)) or "a step without targets"


# --- Plans ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cursor:
    """The next step; past the last, giving up."""

    position: int = 0
    round: int = 0
    has_paged: bool = False


@dataclass(frozen=True)
class Planned:
    """What happens so many minutes after the start, if nobody answers; `step` is from 1, None when exhausted."""

    after_minutes: int
    step: int | None
    round: int
    outcome: Outcome


def importance_of(severity: int) -> Importance:
    return Importance.HIGH if severity >= Severity.HIGH else Importance.LOW


def first_delay(policy: Policy) -> int:
    """Return the minutes from the opening to the first step."""
    return policy.steps[0].delay_minutes if policy.steps else 0


def advance(policy: Policy, done: Cursor, *, is_paged: bool) -> tuple[Cursor, int]:
    """Return what follows a step, and after how many minutes."""
    has_paged = done.has_paged or is_paged
    following = done.position + 1
    if following < len(policy.steps):
        delay = policy.steps[following].delay_minutes if is_paged else 0
        return Cursor(following, done.round, has_paged), delay
    # A round that paged nobody is not repeated: it would find nobody again, at once.
    if has_paged and done.round < policy.repeat:
        return Cursor(0, done.round + 1), policy.last_wait
    return Cursor(len(policy.steps), done.round, has_paged), policy.last_wait if has_paged else 0


def give_up(policy: Policy, facts: Facts) -> Outcome:
    """Return whom an exhausted policy pages; the alarm is raised in any case."""
    if not policy.on_exhausted:
        return Outcome(skipped=ENDS.say(), is_alarm=True)
    return replace(page_all(policy.on_exhausted, facts), is_alarm=True)


def plan(
    policy: Policy,
    facts_at: Callable[[int], Facts],
    *,
    start: Cursor | None = None,
    delay: int | None = None,
    most: int = MAX_PLANNED,
) -> list[Planned]:
    """Return what a policy would do to its end; `facts_at` takes the minutes since the start.

    `start` is the next step, `delay` the minutes until then.
    """
    planned: list[Planned] = []
    turns: dict[int, int | None] = {}
    cursor = start or Cursor()
    elapsed = first_delay(policy) if delay is None else delay
    while cursor.position < len(policy.steps) and len(planned) < most:
        facts = facts_at(elapsed)
        facts = replace(facts, turns={**facts.turns, **turns})
        outcome = perform(policy.steps[cursor.position], cursor.position, facts)
        if outcome.in_turn is not None:
            turns[cursor.position] = outcome.in_turn
        planned.append(Planned(elapsed, cursor.position + 1, cursor.round, outcome))
        cursor, wait = advance(policy, cursor, is_paged=bool(outcome.recipients))
        elapsed += wait
    if len(planned) < most:
        planned.append(Planned(elapsed, None, cursor.round, give_up(policy, facts_at(elapsed))))
    return planned
