"""What a step of SSM may say. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from remediation.steps.parameters import Parameter, ParameterKind
from remediation.steps.placeholders import fault_of, names_in
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

DEFAULT_SECONDS, MOST_SECONDS = 300, 3600
MOST_INSTANCES, MOST_TAGS = 50, 5
COMMANDS = (Phase.ACT, Phase.VERIFY, Phase.ROLL_BACK)  # what may be a document
SHELLS = frozenset({"AWS-RunShellScript", "AWS-RunPowerShellScript", "AWS-RunRemoteScript"})
INSTANCE = re.compile(r"i-([0-9a-f]{8}|[0-9a-f]{17})|mi-[0-9a-f]{17}")
DOCUMENT = re.compile(r"[a-zA-Z0-9_.:/-]{3,128}")
REFERENCE = "{{"  # SSM would fill it, from its parameter store too
MAX_TEXT = 256
COMMAND: dict[str, Shape] = {
    "document": matching(DOCUMENT),
    "parameters": table(listed({"type": "string"}, least=0)),
    "seconds": whole(1, MOST_SECONDS),
}
FIELDS: dict[str, Shape] = {
    "name": ANYTHING,
    "instances": listed(text(MAX_TEXT), MOST_INSTANCES),
    "tags": table(text(MAX_TEXT), MOST_TAGS, least=1),
    Phase.ACT: record(COMMAND, ["document"]),
    Phase.VERIFY: record(COMMAND, ["document"]),
    Phase.ROLL_BACK: or_null(record(COMMAND, ["document"])),
}


def parts_of(spec: Mapping[str, Any]) -> Iterator[tuple[Phase, Mapping[str, Any]]]:
    """Yield the documents of a step."""
    for phase in COMMANDS:
        if spec.get(phase):
            yield phase, spec[phase]


def faults_of(spec: Mapping[str, Any], parameters: Sequence[Parameter]) -> dict[str, str]:
    """Return what is wrong with a step, by place."""
    known = {parameter.name: parameter for parameter in parameters}
    faults = faults_of_names(spec, FIELDS)
    faults |= _faults_of_targets(spec, frozenset(known))
    if not spec.get(Phase.ACT):
        faults["act"] = _("Must be an object with document and parameters.")
    if not spec.get(Phase.VERIFY):
        faults["verify"] = _("Add a document that succeeds only if act worked.")
    for phase in COMMANDS:
        if spec.get(phase) is not None:
            found = _faults_of_part(spec[phase], known)
            faults |= {f"{phase}.{place}" if place else str(phase): text for place, text in found.items()}
    return faults


def _faults_of_targets(spec: Mapping[str, Any], known: frozenset[str]) -> dict[str, str]:
    if ("instances" in spec) == ("tags" in spec):
        return {"instances": _("Give either instances or tags.")}
    if "instances" in spec:
        ids = spec["instances"]
        if not isinstance(ids, list) or not 0 < len(ids) <= MOST_INSTANCES or not all(map(_is_text, ids)):
            return {"instances": _("Give 1 to %(number)d ids of instances.") % {"number": MOST_INSTANCES}}
        fault = fault_of(ids, known)
        return {"instances": fault} if fault else {}
    tags = spec["tags"]
    if not isinstance(tags, Mapping) or not 0 < len(tags) <= MOST_TAGS or not all(map(_is_text, tags.values())):
        return {"tags": _("Give an object of 1 to %(number)d tags.") % {"number": MOST_TAGS}}
    fault = fault_of(tags, known)
    return {"tags": fault} if fault else {}


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= MAX_TEXT


def _faults_of_part(part: Any, known: Mapping[str, Parameter]) -> dict[str, str]:
    if not isinstance(part, Mapping):
        return {"": _("Must be an object with document and parameters.")}
    faults = {name: _("A command has no such field.") for name in sorted(map(str, part.keys() - COMMAND))}
    if not isinstance(part.get("document"), str) or not DOCUMENT.fullmatch(part["document"]):
        faults["document"] = _("Must be the name of a document; placeholders are not allowed in it.")
    given = part.get("parameters", {})
    if not isinstance(given, Mapping) or not all(map(_is_list, given.values())):
        faults["parameters"] = _("Must be an object of lists of texts.")
    elif fault := fault_of(list(given.values()), frozenset(known)):
        faults["parameters"] = fault
    elif str(part.get("document")).rpartition("/")[2] in SHELLS and (free := _free_texts(given, known)):
        text = _("%(name)s is a free text and would become part of a script; make it a choice.")
        faults["parameters"] = text % {"name": free[0]}
    seconds = part.get("seconds", DEFAULT_SECONDS)
    if type(seconds) is not int or not 0 < seconds <= MOST_SECONDS:
        faults["seconds"] = _("Must be a whole number from 1 to %(most)d.") % {"most": MOST_SECONDS}
    return faults


def _is_list(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) for text in value)


def _free_texts(given: Mapping[str, Any], known: Mapping[str, Parameter]) -> list[str]:
    return [name for name in names_in(list(given.values())) if known[name].kind is ParameterKind.STRING]
