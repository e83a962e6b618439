"""Who may do what: roles, and whether an account is active."""

from incident_response.exceptions import Conflict, PermissionRefused
from users.audit import acting
from users.models import Role, User
from users.services.sessions import end_sessions
from users.transactions import unit_of_work


class LastAdmin(Conflict):
    """Without an active administrator nobody could ever make another."""

    code = "last_admin"
    title = "The last administrator"


@unit_of_work
def set_access(user: User, *, by: User, role: Role | None = None, is_active: bool | None = None) -> User:
    """Change role, activity or both, all or nothing; returns the user as saved. Deactivation ends all sessions.

    Raises PermissionRefused unless `by` is an administrator at this very moment, LastAdmin when none would be left.
    All administrators are locked first, so that two who demote each other cannot both succeed.
    """
    admins = set(User.objects.admins().select_for_update().order_by("pk").values_list("pk", flat=True))
    if by.pk not in admins:
        raise PermissionRefused("Only an administrator may change what somebody may do.")
    target: User = User.objects.select_for_update().get(pk=user.pk)
    wanted = {"role": role, "is_active": is_active}
    changes = {name: value for name, value in wanted.items() if value is not None and value != getattr(target, name)}
    for name, value in changes.items():
        setattr(target, name, value)
    if admins == {target.pk} and not target.is_superuser:
        raise LastAdmin("This is the last active administrator; make another one first.")
    if changes:
        with acting(by):
            target.save(update_fields=list(changes))
    if not target.is_active:
        end_sessions(target, reason="deactivated")
    return target
