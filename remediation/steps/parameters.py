"""Typed parameters of runbooks. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext as _

from alerts.patterns import PatternInvalid, compiled
from remediation.steps.schemas import FLAG, Shape, listed, matching, or_null, record, text, whole, word

MAX_STRING = 200  # characters of a value
MAX_PARAMETERS = 20
MAX_CHOICES = 100
LARGEST = 2**53 - 1  # whole numbers that JSON keeps everywhere
NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
RESERVED = frozenset({"target"})  # filled by the engine
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
SLUG = re.compile(r"[-a-zA-Z0-9_]{1,100}")


class ParameterKind(StrEnum):
    STRING = "string"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    CHOICE = "choice"
    SERVICE = "service"


NUMBER = whole(-LARGEST, LARGEST)
FACTS: dict[ParameterKind, dict[str, Shape]] = {  # what each kind needs
    ParameterKind.STRING: {"pattern": {"type": "string", "minLength": 1}},
    ParameterKind.INTEGER: {"minimum": NUMBER, "maximum": NUMBER},
    ParameterKind.BOOLEAN: {},
    ParameterKind.CHOICE: {"choices": listed(text(MAX_STRING), MAX_CHOICES)},
    ParameterKind.SERVICE: {},
}
VALUES: dict[ParameterKind, Shape] = {
    ParameterKind.STRING: text(MAX_STRING),
    ParameterKind.INTEGER: NUMBER,
    ParameterKind.BOOLEAN: FLAG,
    ParameterKind.CHOICE: text(MAX_STRING),
    ParameterKind.SERVICE: matching(SLUG),
}


def fields_of(kind: ParameterKind) -> dict[str, Shape]:
    """Return what a parameter of a kind may say."""
    common = {"name": matching(NAME), "kind": word(kind), "label": text(MAX_STRING, least=0)}
    return {**common, "default": or_null(VALUES[kind]), **FACTS[kind]}


def shape_of(kind: ParameterKind) -> Shape:
    return record(fields_of(kind), ["name", "kind", *FACTS[kind]])


@dataclass(frozen=True)
class Parameter:
    """What somebody fills in; without a default it is required. `pattern` matches the whole of a string."""

    name: str
    kind: ParameterKind
    label: str = ""
    default: Any = None
    pattern: str = ""
    minimum: int | None = None
    maximum: int | None = None
    choices: tuple[str, ...] = ()

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> "Parameter":
        values = {**stored, "kind": ParameterKind(stored["kind"]), "choices": tuple(stored.get("choices", ()))}
        return cls(**values)

    def stored(self) -> dict[str, Any]:
        """Return it as JSON keeps it, without what its kind does not have."""
        values = {**asdict(self), "kind": str(self.kind), "choices": list(self.choices)}
        kept = {"name", "kind", *FACTS[self.kind]}
        return {name: value for name, value in values.items() if name in kept or value not in ("", None, [])}


def parameters_of(stored: Sequence[Mapping[str, Any]]) -> list[Parameter]:
    return [Parameter.of(one) for one in stored]


def faults_of(stored: Any) -> dict[str, str]:
    """Return what is wrong with the definitions, by place such as `0.pattern`; nothing if they are usable."""
    if not isinstance(stored, list) or len(stored) > MAX_PARAMETERS:
        return {"": _("Give a list of at most %(number)d parameters.") % {"number": MAX_PARAMETERS}}
    found: dict[str, str] = {}
    names: set[str] = set()
    for place, one in enumerate(stored):
        faults = _faults_of_one(one)
        name = one.get("name") if isinstance(one, Mapping) else None
        if not faults and name in names:
            faults = {"name": _("There are two parameters named %(name)s.") % {"name": name}}
        names.add(str(name))
        found.update({f"{place}.{fact}" if fact else str(place): text for fact, text in faults.items()})
    return found


def _faults_of_one(one: Any) -> dict[str, str]:
    if not isinstance(one, Mapping):
        return {"": _("Must be an object with name and kind.")}
    if not isinstance(one.get("name"), str) or not NAME.fullmatch(one["name"]) or one["name"] in RESERVED:
        return {"name": _("Must be a word of a to z, 0 to 9 and _, not “target”.")}
    if one.get("kind") not in list(ParameterKind):
        return {"kind": _("Must be one of %(words)s.") % {"words": ", ".join(ParameterKind)}}
    kind = ParameterKind(one["kind"])
    if unknown := sorted(map(str, one.keys() - fields_of(kind))):
        return {unknown[0]: _("A parameter of this kind has no such field.")}
    if not isinstance(one.get("label", ""), str) or len(one.get("label", "")) > MAX_STRING:
        return {"label": _("Must be a text of at most %(number)d characters.") % {"number": MAX_STRING}}
    if faults := _faults_of_facts(kind, one):
        return faults
    if one.get("default") is not None and (fault := fault_of_value(Parameter.of(one), one["default"])):
        return {"default": fault}
    return {}


def _faults_of_facts(kind: ParameterKind, one: Mapping[str, Any]) -> dict[str, str]:
    if kind == ParameterKind.STRING:
        return _fault_of_pattern(one.get("pattern"))
    if kind == ParameterKind.INTEGER:
        least, most = one.get("minimum"), one.get("maximum")
        if type(least) is not int or type(most) is not int or not -LARGEST <= least <= most <= LARGEST:
            return {"minimum": _("Give whole numbers, minimum and maximum.")}
    if kind == ParameterKind.CHOICE:
        choices = one.get("choices")
        is_list = isinstance(choices, list) and 0 < len(choices) <= MAX_CHOICES
        if not is_list or not all(isinstance(choice, str) and _is_printable(choice) for choice in choices or ()):
            return {"choices": _("Give 1 to %(number)d texts.") % {"number": MAX_CHOICES}}
    return {}


def _fault_of_pattern(pattern: Any) -> dict[str, str]:
    if not isinstance(pattern, str) or not pattern:
        return {"pattern": _("A string needs a pattern that the whole value matches, such as [a-z0-9-]{1,40}.")}
    try:
        compiled(pattern)
    except PatternInvalid as error:
        return {"pattern": str(error)}
    return {}


def _is_printable(text: str) -> bool:
    return 0 < len(text) <= MAX_STRING and not UNPRINTABLE.search(text)


def fault_of_value(parameter: Parameter, value: Any) -> str:
    """Return what is wrong with a value; empty if it is valid. A service is only held to be a slug."""
    kind = parameter.kind
    if kind == ParameterKind.BOOLEAN:
        return "" if isinstance(value, bool) else _("Must be true or false.")
    if kind == ParameterKind.INTEGER:
        least, most = parameter.minimum or 0, parameter.maximum or 0
        if type(value) is int and least <= value <= most:
            return ""
        return _("Must be a whole number from %(least)d to %(most)d.") % {"least": least, "most": most}
    if not isinstance(value, str) or not _is_printable(value):
        return _("Must be a text of 1 to %(number)d printable characters.") % {"number": MAX_STRING}
    if kind == ParameterKind.CHOICE and value not in parameter.choices:
        return _("Must be one of %(words)s.") % {"words": ", ".join(parameter.choices)}
    if kind == ParameterKind.STRING and not compiled(parameter.pattern).matches(value):
        return _("Must match %(pattern)s.") % {"pattern": parameter.pattern}
    if kind == ParameterKind.SERVICE and not SLUG.fullmatch(value):
        return _("Must be the slug of a service.")
    return ""


def values_of(
    parameters: Sequence[Parameter], given: Mapping[str, Any], *, services: frozenset[str]
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the values with defaults, and what is wrong by name; `services` are the slugs there are."""
    known = {parameter.name for parameter in parameters}
    faults = {name: _("The runbook has no such parameter.") for name in sorted(map(str, given.keys() - known))}
    values: dict[str, Any] = {}
    for parameter in parameters:
        value = given.get(parameter.name, parameter.default)
        if value is None:
            faults[parameter.name] = _("This parameter is required.")
            continue
        fault = fault_of_value(parameter, value)
        if not fault and parameter.kind == ParameterKind.SERVICE and value not in services:
            fault = _("There is no service %(slug)s.") % {"slug": value}
        if fault:
            faults[parameter.name] = fault
        values[parameter.name] = value
    return values, faults
