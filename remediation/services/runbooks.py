"""Create runbooks, and edit them: what they do becomes a new version, what was approved stays as it was."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from core.actor import acting
from core.db.transactions import unit_of_work
from core.errors import Conflict, DomainError
from remediation.binding import digest_of
from remediation.models import Runbook, RunbookVersion
from remediation.permissions import require_admin
from remediation.validation import LIMITS, WHOLE, faults_of_definition, tell_population
from remediation.vocabulary import Risk
from users.models import User

DEFINITION = ("risk", "parameters", "steps", *LIMITS, "automatic_for")
PLAIN = ("name", "description", "is_enabled")


class RunbookInvalid(DomainError):
    """Something in a runbook is wrong; `faults` says what, by place."""

    code = "invalid_runbook"

    def __init__(self, faults: Mapping[str, str]) -> None:
        place, text = next(iter(faults.items()))
        super().__init__(f"{place}: {text}", field=place, faults=dict(faults))


@unit_of_work
def create(*, by: User, name: str, description: str = "", is_enabled: bool = True, **definition: Any) -> Runbook:
    """Create a runbook with its first version. Raises PermissionRefused, Conflict, RunbookInvalid."""
    require_admin(by)
    runbook = Runbook(name=name, description=description, is_enabled=is_enabled)
    _save(runbook, by, force_insert=True)
    _add_version(runbook, definition, by=by)
    return runbook


@unit_of_work
def edit(runbook: Runbook, *, by: User, **changes: Any) -> Runbook:
    """Change a runbook; another definition becomes its next version. Raises as `create`."""
    require_admin(by)
    runbook = Runbook.objects.select_for_update().get(pk=runbook.pk)
    plain = {name: changes.pop(name) for name in PLAIN if name in changes}
    for name, value in plain.items():
        setattr(runbook, name, value)
    if plain:
        _save(runbook, by, update_fields=list(plain))
    present = _definition(runbook)
    if changes and (wanted := _complete({**present, **changes})) != present:
        _add_version(runbook, wanted, by=by)
    return runbook


def _definition(runbook: Runbook) -> dict[str, Any]:
    version = RunbookVersion.objects.get(pk=runbook.current_id or 0)
    return {name: getattr(version, name) for name in DEFINITION}


def _save(runbook: Runbook, by: User, **how: Any) -> None:
    try:
        runbook.full_clean(exclude=["current"])
        with transaction.atomic(), acting(by):
            runbook.save(**how)
    except ValidationError as error:
        faults = {name: " ".join(texts) for name, texts in error.message_dict.items()}
        raise RunbookInvalid(faults) from error
    except IntegrityError as error:
        raise Conflict(_("Already exists."), code="already_exists") from error


def _add_version(runbook: Runbook, given: Mapping[str, Any], *, by: User) -> None:
    definition = _complete(given)
    if definition["risk"] not in Risk.values:
        raise RunbookInvalid({"risk": _("Must be one of %(words)s.") % {"words": ", ".join(Risk.values)}})
    if faults := faults_of_definition(definition):
        raise RunbookInvalid(faults)
    numbers = RunbookVersion.objects.filter(runbook=runbook).order_by("-number").values_list("number", flat=True)
    number = (numbers.first() or 0) + 1
    version = RunbookVersion(
        runbook=runbook, number=number, digest=digest_of([runbook.pk, number, definition]), created_by=by, **definition
    )
    version.save(force_insert=True)
    runbook.current = version
    with acting(by):
        runbook.save(update_fields=["current"])


def _complete(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a definition with the fields' defaults; without a share where no step could tell it."""
    fields = {name: RunbookVersion._meta.get_field(name) for name in DEFINITION}
    found = {name: given.get(name, field.get_default()) for name, field in fields.items()}  # type: ignore[union-attr]
    if given.get("max_percent") is None:
        default = fields["max_percent"].get_default()  # type: ignore[union-attr]
        found["max_percent"] = default if tell_population(found["steps"]) else WHOLE
    return found
