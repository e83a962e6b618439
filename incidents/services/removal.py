"""Delete incidents: hide them, restore them, or purge them for good."""

from collections.abc import Collection

from django.db import transaction
from django.utils.translation import gettext as _

from core.actor import acting
from core.db.transactions import unit_of_work
from core.errors import Conflict, NotFound
from incidents import attachments, search
from incidents.actors import By, person
from incidents.models import EventKind, Incident, Origin, Visibility
from incidents.permissions import require_admin
from incidents.services import tallies
from incidents.services.clocks import next_breach_at
from incidents.services.recording import ChangeContext, IncidentChange, lock


@unit_of_work
def delete(
    incident: Incident, *, by: By, origin: str = Origin.API, expected_versions: Collection[int] | None = None
) -> None:
    """Hide the incident; its timeline and audit trail stay."""
    require_admin(by)
    incident = lock(incident, expected_versions=expected_versions)
    change = IncidentChange(incident, ChangeContext.now(by, origin))
    change.apply(
        EventKind.DELETED,
        {"deleted_at": change.context.at},
        visibility=Visibility.INTERNAL,
        untracked={"next_breach_at": None},
    )
    change.save()


@unit_of_work
def restore(incident: Incident, *, by: By, origin: str = Origin.API) -> Incident:
    """Restore a hidden incident."""
    require_admin(by)
    incident = _lock_deleted(incident, otherwise=f"{incident.reference} was not deleted.")
    change = IncidentChange(incident, ChangeContext.now(by, origin))
    change.apply(EventKind.RESTORED, {"deleted_at": None}, visibility=Visibility.INTERNAL)
    incident.next_breach_at = next_breach_at(incident)
    change.columns.add("next_breach_at")
    return change.save()


@unit_of_work
def purge(incident: Incident, *, by: By) -> None:
    """Erase a hidden incident with its timeline and files; only the audit log keeps that it existed."""
    require_admin(by)
    incident = _lock_deleted(
        incident, otherwise=f"Delete {incident.reference} first; only deleted incidents can be purged."
    )
    keys = attachments.stored_keys(incident)
    search.delete_document(incident)
    tallies.remove(incident)
    with acting(person(by)):
        incident.delete()
    # Files go last and only once the rows are gone: a file without a row is litter, a row without a file is a loss.
    transaction.on_commit(lambda: attachments.discard(keys))


def _lock_deleted(incident: Incident, *, otherwise: str) -> Incident:
    """The hidden incident, locked; a Conflict that says `otherwise` when it is not hidden."""
    locked = Incident.objects.select_for_update().filter(pk=incident.pk).first()
    if locked is None:
        raise NotFound(_("%(incident)s no longer exists.") % {"incident": incident.reference})
    if locked.deleted_at is None:
        raise Conflict(otherwise)
    return locked
