"""What a Kubernetes step may say. Pure."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from remediation.steps.kubernetes.operations import RESOURCES
from remediation.steps.parameters import Parameter, ParameterKind
from remediation.steps.placeholders import WHOLE, fault_of, names_in
from remediation.steps.schemas import (
    ANYTHING,
    FLAG,
    Shape,
    faults_of_names,
    matching,
    or_null,
    record,
    text,
    whole,
    word,
)

OPERATIONS = ("restart", "scale", "undo")
MOST_REPLICAS = 1000
MOST_SECONDS = 3600
MAX_TEXT = 253
ACT: dict[str, Shape] = {
    "operation": word(*OPERATIONS),
    "resource": word(*RESOURCES),
    "namespace": text(MAX_TEXT),
    "name": text(MAX_TEXT),
    "selector": text(MAX_TEXT),
}
SCALE: dict[str, Shape] = {
    "replicas": {"oneOf": [whole(0, MOST_REPLICAS), matching(WHOLE)]},
    "may_be_zero": FLAG,
}
FIELDS: dict[str, Shape] = {
    "name": ANYTHING,
    "check": or_null(record({"min_available": whole(0, MOST_REPLICAS)})),
    "act": record(ACT | SCALE, ["operation", "namespace"]),
    "verify": or_null(record({"timeout_seconds": whole(0, MOST_SECONDS)})),
    "roll_back": or_null(record({"operation": word("undo", "scale")}, ["operation"])),
}
_NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")  # RFC 1123 label
_NAME = re.compile(r"[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?")
_LABEL = re.compile(r"([A-Za-z0-9.-]{1,253}/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,62})=[A-Za-z0-9]([-A-Za-z0-9_.]{0,62})")


def faults_of(spec: Mapping[str, Any], parameters: Sequence[Parameter]) -> dict[str, str]:
    """Return what is wrong with a step, by place."""
    known = frozenset(parameter.name for parameter in parameters)
    act = spec.get("act")
    if not isinstance(act, Mapping):
        return {"act": _("Must be an object with operation, namespace, and name or selector.")}
    faults = faults_of_names(spec, FIELDS)
    if fault := fault_of(act, known):
        faults["act"] = fault
    faults |= {f"act.{name}": text for name, text in _faults_of_act(act).items()}
    faults |= _faults_of_replicas(act, {parameter.name: parameter for parameter in parameters})
    faults |= _faults_of_numbers("check", spec.get("check"), "min_available", MOST_REPLICAS)
    faults |= _faults_of_numbers("verify", spec.get("verify"), "timeout_seconds", MOST_SECONDS)
    return faults | _faults_of_roll_back(spec.get("roll_back"), act)


def _faults_of_act(act: Mapping[str, Any]) -> dict[str, str]:
    operation, resource = act.get("operation"), act.get("resource", "deployment")
    if operation not in OPERATIONS:
        return {"operation": _("Must be one of %(words)s.") % {"words": ", ".join(OPERATIONS)}}
    allowed = ACT | SCALE if operation == "scale" else ACT
    faults = {name: _("The operation has no such field.") for name in sorted(map(str, act.keys() - allowed))}
    if not isinstance(resource, str) or resource not in _resources(operation):
        faults["resource"] = _("Must be one of %(words)s.") % {"words": ", ".join(_resources(operation))}
    if ("name" in act) == ("selector" in act):
        faults["name"] = _("Give either name or selector.")
    for name in ("namespace", "name", "selector"):
        text = act.get(name, "" if name == "namespace" else "x")
        if not isinstance(text, str) or not 0 < len(text) <= MAX_TEXT:
            faults[name] = _("Must be a text of 1 to %(number)d characters.") % {"number": MAX_TEXT}
    if not faults and (fault := _fault_of_fixed(act)):
        faults["name"] = fault
    return faults


def _resources(operation: str) -> list[str]:
    names = {"restart": list(RESOURCES), "scale": ["deployment", "statefulset"], "undo": ["deployment"]}
    return names[operation]


def _fault_of_fixed(act: Mapping[str, Any]) -> str:
    """Judge as rendered what has no placeholders."""
    fixed = {name: act[name] for name in ("namespace", "name", "selector") if name in act}
    filled = {name: "x=x" if name == "selector" else "x" for name, text in fixed.items() if list(names_in(text))}
    return fault_of_rendered({**fixed, **filled, "operation": "restart"})


def _faults_of_replicas(act: Mapping[str, Any], parameters: Mapping[str, Parameter]) -> dict[str, str]:
    if act.get("operation") != "scale":
        return {}
    if not isinstance(act.get("may_be_zero", False), bool):
        return {"act.may_be_zero": _("Must be true or false.")}
    replicas = act.get("replicas")
    match = WHOLE.fullmatch(replicas) if isinstance(replicas, str) else None
    if match and match[1] in parameters and parameters[match[1]].kind is ParameterKind.INTEGER:
        least, most = parameters[match[1]].minimum, parameters[match[1]].maximum
    elif type(replicas) is int:
        least = most = replicas
    else:
        return {"act.replicas": _("Must be a whole number, or the placeholder of one.")}
    floor = 0 if act.get("may_be_zero") else 1
    if least is None or most is None or least < floor or most > MOST_REPLICAS:
        text = _("Must be from %(least)d to %(most)d; zero needs may_be_zero.")
        return {"act.replicas": text % {"least": floor, "most": MOST_REPLICAS}}
    return {}


def _faults_of_numbers(place: str, part: Any, name: str, most: int) -> dict[str, str]:
    if part is None:
        return {}
    if not isinstance(part, Mapping) or part.keys() - {name}:
        return {place: _("Must be an object with %(name)s.") % {"name": name}}
    number = part.get(name, 1)
    if type(number) is not int or not 0 <= number <= most:
        return {f"{place}.{name}": _("Must be a whole number from 0 to %(most)d.") % {"most": most}}
    return {}


def _faults_of_roll_back(roll_back: Any, act: Mapping[str, Any]) -> dict[str, str]:
    if roll_back is None:
        return {}
    way = "scale" if act.get("operation") == "scale" else "undo"
    if not isinstance(roll_back, Mapping) or dict(roll_back) != {"operation": way}:
        return {"roll_back": _('Must be {"operation": "%(way)s"}: back to what the check found.') % {"way": way}}
    if way == "undo" and act.get("resource", "deployment") != "deployment":
        return {"roll_back": _("Only deployments keep what there was before.")}
    return {}


def fault_of_rendered(act: Mapping[str, Any]) -> str:
    """Return what is wrong with the values in it; empty if nothing is."""
    if not _NAMESPACE.fullmatch(act["namespace"]):
        return _("%(text)s is no name of a namespace.") % {"text": act["namespace"]}
    if "name" in act and not _NAME.fullmatch(act["name"]):
        return _("%(text)s is no name of a workload.") % {"text": act["name"]}
    if "selector" in act and not all(map(_LABEL.fullmatch, act["selector"].split(","))):
        return _("A selector is label=value, several with commas between.")
    return ""


def labels_of(selector: str) -> dict[str, str]:
    return {name: value for name, _equals, value in (part.partition("=") for part in selector.split(","))}
