"""What a step of agents may say. Pure."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from remediation.steps.parameters import Parameter
from remediation.steps.placeholders import fault_of
from remediation.steps.port import Phase
from remediation.steps.schemas import (
    ANYTHING,
    Shape,
    faults_of_names,
    listed,
    matching,
    or_null,
    record,
    table,
    text,
    whole,
)

DEFAULT_SECONDS = 60
MOST_SECONDS = 3600
MOST_AGENTS = 100
MAX_NAME, MAX_TEXT = 100, 500
COMMAND = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")
ARGUMENT = re.compile(r"[a-z][a-z0-9_]{0,39}")
PART: dict[str, Shape] = {
    "command": matching(COMMAND),
    "arguments": table(text(MAX_TEXT, least=0)),
    "seconds": whole(1, MOST_SECONDS),
}
FIELDS: dict[str, Shape] = {
    "name": ANYTHING,
    "agent": text(MAX_NAME),
    "agents": listed(text(MAX_NAME), MOST_AGENTS),
    **{phase: or_null(record(PART, ["command"])) for phase in Phase},
    Phase.ACT: record(PART, ["command"]),
    Phase.VERIFY: record(PART, ["command"]),
}


def names_of(spec: Mapping[str, Any]) -> list[str]:
    """Return the agents' names, with placeholders."""
    return list(spec["agents"]) if "agents" in spec else [spec["agent"]]


def faults_of(spec: Mapping[str, Any], parameters: Sequence[Parameter]) -> dict[str, str]:
    """Return what is wrong with a step, by place."""
    known = frozenset(parameter.name for parameter in parameters)
    faults = faults_of_names(spec, FIELDS)
    faults |= _faults_of_agents(spec, known)
    if not spec.get(Phase.ACT):
        faults["act"] = _("Must be an object with command, and arguments if it has any.")
    if not spec.get(Phase.VERIFY):
        faults["verify"] = _("Add a command that ends with 0 only if act worked.")
    for phase in Phase:
        if spec.get(phase) is not None:
            faults |= {_place(phase, place): text for place, text in _faults_of_part(spec[phase], known).items()}
    return faults


def _place(phase: Phase, place: str) -> str:
    return f"{phase}.{place}" if place else str(phase)


def _faults_of_agents(spec: Mapping[str, Any], known: frozenset[str]) -> dict[str, str]:
    if ("agent" in spec) == ("agents" in spec):
        return {"agent": _("Give either agent or agents.")}
    place = "agents" if "agents" in spec else "agent"
    names = spec[place] if place == "agents" else [spec["agent"]]
    if not isinstance(names, list) or not 0 < len(names) <= MOST_AGENTS:
        return {place: _("Give 1 to %(number)d names of agents.") % {"number": MOST_AGENTS}}
    if not all(isinstance(name, str) and 0 < len(name) <= MAX_NAME for name in names):
        return {place: _("Must be a text of 1 to %(number)d characters.") % {"number": MAX_NAME}}
    fault = fault_of(names, known)
    return {place: fault} if fault else {}


def _faults_of_part(part: Any, known: frozenset[str]) -> dict[str, str]:
    if not isinstance(part, Mapping):
        return {"": _("Must be an object with command, and arguments if it has any.")}
    faults = {name: _("A command has no such field.") for name in sorted(map(str, part.keys() - PART))}
    if not isinstance(part.get("command"), str) or not COMMAND.fullmatch(part["command"]):
        faults["command"] = _("Must be the name of a command in the agent's configuration.")
    arguments = part.get("arguments", {})
    if not isinstance(arguments, Mapping) or not all(_is_argument(*pair) for pair in arguments.items()):
        faults["arguments"] = _("Must be an object of texts of at most %(number)d characters.") % {"number": MAX_TEXT}
    elif fault := fault_of(list(arguments.values()), known):
        faults["arguments"] = fault
    seconds = part.get("seconds", DEFAULT_SECONDS)
    if type(seconds) is not int or not 0 < seconds <= MOST_SECONDS:
        faults["seconds"] = _("Must be a whole number from 1 to %(most)d.") % {"most": MOST_SECONDS}
    return faults


def _is_argument(name: Any, text: Any) -> bool:
    return isinstance(name, str) and bool(ARGUMENT.fullmatch(name)) and isinstance(text, str) and len(text) <= MAX_TEXT
