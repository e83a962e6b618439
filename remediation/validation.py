"""Checks of runbooks, as a whole: what is wrong, by place."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from core.severity import SEVERITY_OF_WORD
from remediation.steps.parameters import Parameter, faults_of, parameters_of
from remediation.steps.port import kinds, step_kind
from remediation.steps.schemas import Shape, listed, or_null, text, word

MAX_STEPS = 10
MAX_WORDS, MAX_WORD = 20, 100
LIMITS = {
    "cooldown_seconds": (0, 30 * 86_400),
    "runbook_cooldown": (0, 30 * 86_400),
    "daily_cap": (1, 10_000),
    "daily_cap_per_target": (1, 10_000),
    "max_targets": (1, 1000),
    "max_percent": (1, 100),
}
WHOLE = 100  # percent: no limit
WORDS = listed(text(MAX_WORD), MAX_WORDS, least=0)
MATCHED: dict[str, Shape] = {
    "services": WORDS,
    "severity_from": or_null(word(*SEVERITY_OF_WORD)),
    "title_words": WORDS,
}


def faults_of_definition(definition: Mapping[str, Any]) -> dict[str, str]:
    """Return what is wrong with parameters, steps, limits and matcher, by place such as `steps.0.act.url`."""
    found = {_place("parameters", place): text for place, text in faults_of(definition["parameters"]).items()}
    # steps are held against parameters that can be read
    parameters = [] if found else parameters_of(definition["parameters"])
    if not found:
        found.update(_faults_of_steps(definition["steps"], parameters))
    for name, (least, most) in LIMITS.items():
        if name == "runbook_cooldown" and definition[name] is None:
            continue
        if type(definition[name]) is not int or not least <= definition[name] <= most:
            found[name] = _("Must be a whole number from %(least)d to %(most)d.") % {"least": least, "most": most}
    if not found and definition["max_percent"] < WHOLE and not tell_population(definition["steps"]):
        found["max_percent"] = _(
            "No step of this runbook can tell of how many its targets are a part, so that a share would limit nothing: "
            "give 100, and limit them by max_targets."
        )
    found.update(_faults_of_matcher(definition["automatic_for"], parameters))
    return found


def tell_population(steps: Any) -> bool:
    """Return whether some step tells of how many its targets are a part; what is no step tells nothing."""
    named = [str(step.get("kind")) for step in steps if isinstance(step, Mapping)] if isinstance(steps, list) else []
    return any(kind.tells_population for name in named if (kind := step_kind(name)) is not None)


def _place(*parts: object) -> str:
    return ".".join(str(part) for part in parts if part != "")


def _faults_of_steps(steps: Any, parameters: Sequence[Parameter]) -> dict[str, str]:
    if not isinstance(steps, list) or not 0 < len(steps) <= MAX_STEPS:
        return {"steps": _("Give 1 to %(number)d steps.") % {"number": MAX_STEPS}}
    found = {}
    for number, step in enumerate(steps):
        kind = step_kind(str(step.get("kind"))) if isinstance(step, Mapping) else None
        if kind is None:
            words = ", ".join(kinds())
            found[f"steps.{number}.kind"] = _("Must be one of %(words)s.") % {"words": words}
            continue
        faults = kind.validate(step, parameters)
        found.update({_place("steps", number, place): text for place, text in faults.items()})
    return found


def _faults_of_matcher(matcher: Any, parameters: Sequence[Parameter]) -> dict[str, str]:
    if matcher is None:
        return {}
    if not isinstance(matcher, Mapping) or not matcher or matcher.keys() - MATCHED:
        return {"automatic_for": _("Must be null, or an object of %(words)s.") % {"words": ", ".join(sorted(MATCHED))}}
    found = {}
    for name in ("services", "title_words"):
        words = matcher.get(name, [])
        is_list = isinstance(words, list) and len(words) <= MAX_WORDS
        if not is_list or not all(isinstance(one, str) and 0 < len(one) <= MAX_WORD for one in words):
            found[f"automatic_for.{name}"] = _("Must be a list of at most %(number)d texts.") % {"number": MAX_WORDS}
    if matcher.get("severity_from") is not None and matcher["severity_from"] not in SEVERITY_OF_WORD:
        words = ", ".join(SEVERITY_OF_WORD)
        found["automatic_for.severity_from"] = _("Must be one of %(words)s.") % {"words": words}
    if not found and not any(matcher.values()):
        found["automatic_for"] = _("It would match every incident; name services, a severity or words.")
    missing = [one.name for one in parameters if one.default is None and one.kind != "service"]
    if missing and not found:
        found["automatic_for"] = _("Parameter %(name)s needs a default: nobody fills it in.") % {"name": missing[0]}
    return found


def matches(matcher: Mapping[str, Any], *, title: str, severity: int, services: frozenset[str]) -> bool:
    """Return whether an incident is one that a runbook proposes itself for: all that is given holds, any of a list."""
    if matcher.get("services") and not services & set(matcher["services"]):
        return False
    if matcher.get("severity_from") and severity < SEVERITY_OF_WORD[matcher["severity_from"]]:
        return False
    words = matcher.get("title_words")
    return not words or any(word.casefold() in title.casefold() for word in words)
