"""The steps of an escalation policy while somebody edits them."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _

from responders import targets
from responders.models import EscalationPolicy
from responders.policies import ALARM, ALL, SKIP, policy_of, sentence_of, step_of
from responders.serializers.policies import MAX_STEPS, MAX_TARGETS
from responders.services.policies import values_of

LONGEST = 200
WORK_DAYS = (0, 1, 2, 3, 4)


@dataclass
class StepState:
    """A step as the form shows it; targets are words such as `schedule:3`."""

    key: str
    delay: str = "0"
    targets: list[str] = field(default_factory=list)
    strategy: str = ALL
    severity: str = ""
    days: list[int] = field(default_factory=list)
    opens: str = ""
    closes: str = ""
    zone: str = ""
    if_empty: str = SKIP
    acks: str = "1"

    def as_api(self) -> dict[str, Any]:
        """Return the step as the API takes it."""
        only_in: dict[str, Any] = {"min_severity": self.severity} if self.severity else {}
        if self.days or self.opens or self.closes:
            only_in["business_hours"] = {
                "time_zone": self.zone or "UTC",
                "weekdays": self.days or list(WORK_DAYS),
                "from": self.opens or "08:00",
                "to": self.closes or "18:00",
            }
        if_empty = self.if_empty or SKIP
        return {
            "delay_minutes": self.delay or 0,
            "targets": [target(word) for word in self.targets],
            "strategy": self.strategy or ALL,
            "only_in": only_in or None,
            "if_empty": if_empty if if_empty in (SKIP, ALARM) else target(if_empty),
            "needs_acks": self.acks or 1,
        }

    def sentence(self, names: Mapping[str, str], *, is_first: bool) -> str:
        """Return the step in words; nothing while it cannot be read."""
        try:
            values = self.as_api()
            named = [{**target(word), "name": names.get(word, "")} for word in self.targets]
            if isinstance(values["if_empty"], dict):
                values["if_empty"]["name"] = names.get(self.if_empty, "")
            step = step_of({**values, "targets": named, "delay_minutes": int(self.delay), "needs_acks": int(self.acks)})
            return sentence_of(step, is_first=is_first)
        except (KeyError, TypeError, ValueError):
            return ""


def target(word: str) -> dict[str, Any]:
    kind, _colon, number = word.partition(":")
    return {"kind": kind, "id": int(number) if number.isascii() and number.isdigit() and len(number) < 19 else number}


def word_of(one: Mapping[str, Any]) -> str:
    return f"{one['kind']}:{one['id']}"


def stored(steps: Iterable[Mapping[str, Any]]) -> list[StepState]:
    """Return stored steps as the form shows them."""
    return [_stored(f"s{number}", step) for number, step in enumerate(steps)]


def _stored(key: str, step: Mapping[str, Any]) -> StepState:
    only_in = step.get("only_in") or {}
    hours = only_in.get("business_hours") or {}
    if_empty = step.get("if_empty") or SKIP
    return StepState(
        key,
        str(step.get("delay_minutes") or 0),
        [word_of(one) for one in step.get("targets", ())],
        step.get("strategy") or ALL,
        only_in.get("min_severity") or "",
        list(hours.get("weekdays", ())),
        hours.get("from", ""),
        hours.get("to", ""),
        hours.get("time_zone", ""),
        if_empty if isinstance(if_empty, str) else word_of(if_empty),
        str(step.get("needs_acks") or 1),
    )


def sent(data: QueryDict) -> list[StepState]:
    """Return the steps that a form sent, in the order of the page."""
    keys = list(dict.fromkeys(key for key in data.getlist("step") if key.isalnum() and len(key) < 12))
    return [_sent(key, data) for key in keys[:MAX_STEPS]]


def _sent(key: str, data: QueryDict) -> StepState:
    def text(name: str) -> str:
        return data.get(f"{key}-{name}", "").strip()[:LONGEST]

    days = [int(day) for day in data.getlist(f"{key}-days") if day in "0123456" and len(day) == 1]
    plain = [text(name) for name in ("from", "to", "zone", "if_empty", "acks")]
    return StepState(
        key,
        text("delay"),
        words(data.getlist(f"{key}-target")),
        text("strategy"),
        text("severity"),
        sorted(set(days)),
        *plain,
    )


def words(given: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(word[:LONGEST] for word in given if ":" in word))[:MAX_TARGETS]


def act(steps: list[StepState], last: list[str], deed: str, data: QueryDict) -> None:
    """Do what a button says, such as `step-up:s0`; `last` are the targets when nobody answered."""
    verb, _colon, rest = deed.partition(":")
    key, _colon, number = rest.partition(":")
    place = int(number) if number.isascii() and number.isdigit() and len(number) < 19 else 0
    index = next((at for at, one in enumerate(steps) if one.key == key), None)
    if verb == "step-add" and len(steps) < MAX_STEPS:
        taken = {one.key for one in steps}
        steps.append(StepState(next(f"n{n}" for n in range(MAX_STEPS + 1) if f"n{n}" not in taken), "5"))
    elif verb == "last-add":
        last[:] = words([*last, data.get("last-add", "")])
    elif verb == "last-remove":
        del last[place : place + 1]
    elif index is None:
        return
    elif verb == "step-remove":
        del steps[index]
    elif verb in ("step-up", "step-down"):
        to = index + (-1 if verb == "step-up" else 1)
        if 0 <= to < len(steps):
            steps.insert(to, steps.pop(index))
    elif verb == "target-add":
        steps[index].targets = words([*steps[index].targets, data.get(f"{key}-add", "")])
    elif verb == "target-remove":
        del steps[index].targets[place : place + 1]


def choices() -> list[tuple[str, list[tuple[str, str]]]]:
    """Return all targets by kind."""
    return [
        (str(kind.label), [(f"{word}:{number}", name) for number, name in kind.all_names().items()])
        for word, kind in targets.target_kinds().items()
    ]


def fingerprint(policy: EscalationPolicy) -> str:
    """Return what tells a policy's values from any others."""
    more = [policy.description, policy.team_id, policy.is_default, policy.is_active]
    text = json.dumps([values_of(policy), more], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def known_words(policy: EscalationPolicy) -> dict[str, str]:
    """Return the targets that a policy names, with their names: retired ones are among no choices."""
    keys = [one.key for one in policy_of(values_of(policy)).named]
    names = targets.names_of(keys)
    return {f"{kind}:{number}": names.get((kind, number)) or f"{kind} {number}" for kind, number in keys}


def error_sentences(errors: Any, place: str = "") -> Iterator[str]:
    """Yield the API's errors as sentences with their place."""
    if isinstance(errors, list) and all(isinstance(one, str) for one in errors):
        for one in errors:
            yield _("%(place)s: %(error)s") % {"place": place, "error": one} if place else str(one)
        return
    pairs = enumerate(errors) if isinstance(errors, list) else errors.items() if isinstance(errors, dict) else ()
    for key, inner in pairs:
        if inner:
            named = _("Step %(number)d") % {"number": key + 1} if isinstance(key, int) else str(key).replace("_", " ")
            is_needless = key in ("steps", "non_field_errors", "id") or (isinstance(key, int) and bool(place))
            yield from error_sentences(inner, place if is_needless else ", ".join(filter(None, (place, named))))
