"""Decide who may tell the public what; administrators run the page."""

from django.utils.translation import gettext as _

from core.errors import PermissionRefused
from incidents.actors import By, person
from incidents.models import Incident
from incidents.permissions import can_grant, require_admin, require_visible, require_work

__all__ = ["require_admin", "require_publisher", "require_staff"]


def require_staff(by: By) -> None:
    """Refuse reporters."""
    user = person(by)
    if user is not None and not (user.is_active and (user.is_responder or user.is_admin)):
        raise PermissionRefused(_("Only responders and administrators can do this."))


def require_publisher(by: By, incident: Incident | None) -> None:
    """Refuse whoever may not publish: about an incident, those who may not work on it or, if restricted, grant access.

    Raises NotFound for an incident that the person does not see.
    """
    require_staff(by)
    user = person(by)
    if incident is None or user is None or user.is_admin:
        return
    if incident.deleted_at is None:
        require_visible(by, incident)
        require_work(by, incident)
    if incident.is_restricted and (incident.deleted_at is not None or not can_grant(user, incident)):
        raise PermissionRefused(
            _("%(incident)s is restricted: only its team and administrators can publish it.")
            % {"incident": incident.reference}
        )
