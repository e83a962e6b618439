"""Resolve what a version would change now: never within a transaction, as it may ask other systems."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from core.errors import Conflict, DomainError
from remediation.binding import run_digest
from remediation.models import RunbookSecret, RunbookVersion
from remediation.steps.parameters import parameters_of, values_of
from remediation.steps.port import StepKind, Target, TargetsUnknown, step_kind
from responders.models import Service

LONGEST_NAME = 500  # of a target, as RunTarget keeps it


@dataclass(frozen=True)
class Bound:
    """Targets by step, of how many each are a part, the digest that binds them, and the parameters' values."""

    targets: Sequence[Sequence[Target]]
    populations: Sequence[int]
    digest: str
    values: Mapping[str, Any]


def kind_of(step: Mapping[str, Any], number: int) -> StepKind:
    """Return the kind of a stored step. Raises Conflict where it is not there any more."""
    kind = step_kind(str(step.get("kind")))
    if kind is None:
        raise Conflict(
            _("Step %(number)d is of a kind that is not available here.") % {"number": number}, code="step_unusable"
        )
    return kind


def values_for(version: RunbookVersion, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a run. Raises DomainError that names the first wrong one, and all in `parameters`."""
    services = frozenset(Service.objects.filter(is_active=True).values_list("slug", flat=True))
    values, faults = values_of(parameters_of(version.parameters), given, services=services)
    if faults:
        name, text = next(iter(faults.items()))
        raise DomainError(f"{name}: {text}", field=f"parameters.{name}", code="invalid_parameters", parameters=faults)
    return values


def _require_storable(target: Target) -> None:
    if not 0 < len(target.name) <= LONGEST_NAME:
        raise ValueError(_("Must be a text of 1 to %(number)d characters.") % {"number": LONGEST_NAME})


def bind(version: RunbookVersion, incident: int, values: Mapping[str, Any]) -> Bound:
    """Resolve the targets. Raises Conflict `targets_unknown`, DomainError for values that fit nowhere."""
    targets, populations = [], []
    for number, step in enumerate(version.steps, 1):
        kind = kind_of(step, number)
        try:
            found = kind.resolve(step, values)
            for target in found.found:
                _require_storable(target)
                kind.render(step, values, target)
        except TargetsUnknown as error:
            words = {"number": number, "reason": str(error)}
            raise Conflict(
                _("The targets of step %(number)d cannot be found: %(reason)s") % words, code="targets_unknown"
            ) from error
        except ValueError as error:
            raise DomainError(str(error), field="parameters", code="invalid_parameters") from error
        targets.append(list(found.found))
        populations.append(found.population)
    digest = run_digest(version.digest, incident, values, targets, _secrets_of(version))
    return Bound(targets, populations, digest, values)


def _secrets_of(version: RunbookVersion) -> dict[str, str]:
    """Return when each secret of the steps was set: never a value, or anything made of one."""
    named = {str(step["secret"]) for step in version.steps if "secret" in step}
    found = RunbookSecret.objects.filter(name__in=named).values_list("name", "pk", "updated_at")
    return {name: f"{pk} {at.isoformat()}" for name, pk, at in found}
