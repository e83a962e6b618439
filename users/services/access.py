from django.utils import timezone
from django.utils.translation import gettext as _

from core.actor import acting
from core.db.transactions import unit_of_work
from core.errors import Conflict, PermissionRefused
from users.leaving import leave
from users.models import Role, User
from users.services.sessions import end_access

RANKS = {Role.REPORTER: 0, Role.RESPONDER: 1, Role.ADMIN: 2}


class LastAdmin(Conflict):
    code = "last_admin"
    title = "The last administrator"


@unit_of_work
def set_access(user: User, *, by: User, role: Role | None = None, is_active: bool | None = None) -> User:
    """Change role, activity or both; return the saved user.

    Losing access ends sessions, tokens and admin cookies for good. All administrators are locked first: two demoting
    each other cannot both succeed. Raises PermissionRefused unless `by` is an administrator, LastAdmin.
    """
    admins = set(User.objects.admins().select_for_update().order_by("pk").values_list("pk", flat=True))
    if by.pk not in admins:
        raise PermissionRefused(_("Only administrators can change roles and access."))
    target: User = User.objects.select_for_update().get(pk=user.pk)
    wanted: dict[str, object] = {"role": role, "is_active": is_active}
    changes = {name: value for name, value in wanted.items() if value is not None and value != getattr(target, name)}
    was_active, former_role = target.is_active, Role(target.role)
    for name, value in changes.items():
        setattr(target, name, value)
    if admins == {target.pk} and not target.is_superuser:
        raise LastAdmin(_("This is the last active administrator; appoint another one first."))
    is_deactivated = was_active and not target.is_active
    is_lowered = RANKS[Role(target.role)] < RANKS[former_role]
    if is_deactivated or is_lowered:
        target.access_epoch += 1
        changes["access_epoch"] = target.access_epoch
    if changes:
        with acting(by):
            target.save(update_fields=list(changes))
    if is_deactivated:
        leave(target, timezone.now(), by)
    if not target.is_active or is_lowered:
        end_access(target, reason="deactivated" if not target.is_active else "role_lowered", by=by)
    return target
