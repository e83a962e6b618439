"""Decide who may do what to a review; `Review.objects.visible_to` decides who sees it."""

from django.utils.translation import gettext as _

from core.errors import DomainError, NotFound, PermissionRefused
from incidents.models import Incident
from incidents.permissions import can_see, can_work_on
from reviews.models import ActionItem, Review
from users.models import User


def absent() -> NotFound:
    """Return the error for a review that does not exist, or is not for the caller to see."""
    return NotFound(_("This review does not exist, or you do not have access to it."))


def can_read(user: User, incident: Incident) -> bool:
    """Return whether somebody sees the incident's review."""
    return (user.is_admin or user.is_responder) and can_see(user, incident)


def can_edit(user: User, review: Review) -> bool:
    """Return whether somebody who sees a review may change it: who works on the incident, and its owner."""
    return can_work_on(user, review.incident.team_id) or review.owner_id == user.pk


def require_edit(user: User, review: Review) -> None:
    """Raise NotFound or PermissionRefused unless the person may change the review."""
    require_read(user, review)
    if not can_edit(user, review):
        raise PermissionRefused(_("Only the incident's team, the review's owner and administrators can change it."))


def require_read(user: User, review: Review) -> None:
    if not can_read(user, review.incident):
        raise absent()


def can_progress(user: User, item: ActionItem, review: Review) -> bool:
    """Return whether somebody who sees an action item may say how far it got: its owner too."""
    return item.owner_id == user.pk or can_edit(user, review)


def require_admin(user: User) -> None:
    if not user.is_admin:
        raise PermissionRefused(_("Only administrators can do this."))


def require_can_own(user: User | None, incident: Incident) -> None:
    """Refuse an owner who cannot read what they own."""
    if user is None:
        return
    if not user.is_staff:
        raise DomainError(_("%(name)s is not an active responder.") % {"name": user.name}, field="owner")
    if not can_see(user, incident):
        raise DomainError(
            _("%(name)s does not see %(incident)s; give them access first.")
            % {"name": user.name, "incident": incident.reference},
            field="owner",
        )
