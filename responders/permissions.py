"""Who may arrange what on a schedule."""

from django.utils.translation import gettext as _

from core.errors import PermissionRefused
from responders.models import Membership, Schedule
from users.models import User


def may_cover(user: User, schedule: Schedule) -> bool:
    """Return whether somebody may make overrides and take swaps: the team's members, and administrators."""
    if user.is_admin:
        return True
    return schedule.team_id is not None and schedule.team_id in Membership.objects.team_ids_of(user)


def require_cover(user: User, schedule: Schedule) -> None:
    """Raise PermissionRefused unless they may."""
    if not may_cover(user, schedule):
        raise PermissionRefused(_("Only members of the schedule's team and administrators can do this."))
