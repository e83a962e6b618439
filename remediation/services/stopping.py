"""Stop all remediation, until somebody releases it by hand."""

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from core.actor import acting
from core.db.clock import database_now
from core.db.transactions import unit_of_work
from core.errors import Conflict, DomainError, PermissionRefused
from core.server.jobs import wake
from remediation.guards import STOPPED
from remediation.models import Run, Stop
from remediation.permissions import require_admin
from remediation.services.runs import JOB
from remediation.vocabulary import RunState
from users.models import User


def present_stop() -> Stop | None:
    """Return the stop that holds now, if any."""
    return Stop.objects.select_related("stopped_by").filter(active=1).first()


@unit_of_work
def stop(*, by: User, reason: str) -> Stop:
    """Stop all runs before their next step: any responder may. Raises PermissionRefused, Conflict, DomainError."""
    if not by.is_staff:
        raise PermissionRefused(_("Only responders and administrators can do this."))
    if not reason.strip():
        raise DomainError(_("Say why."), field="reason")
    try:
        with transaction.atomic(), acting(by):
            made = Stop.objects.create(active=1, reason=reason.strip(), stopped_by=by, stopped_at=database_now())
    except IntegrityError as error:
        raise Conflict(_("Remediation is already stopped."), code="already_stopped") from error
    # also those that the engine reaches only after a release
    executing = Run.objects.filter(state=RunState.EXECUTING)
    executing.update(is_stopping=True, stopping_because=STOPPED.say(reason=made.reason))
    wake(JOB)
    return made


@unit_of_work
def release(*, by: User) -> Stop:
    """Let remediation go on; runs that the stop ended stay so. Raises PermissionRefused, Conflict."""
    require_admin(by)
    held = Stop.objects.select_for_update().filter(active=1).first()
    if held is None:
        raise Conflict(_("Remediation is not stopped."), code="not_stopped")
    held.active, held.released_by, held.released_at = None, by, database_now()
    with acting(by):
        held.save(update_fields=["active", "released_by", "released_at"])
    return held
