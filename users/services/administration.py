from typing import Any
from zoneinfo import available_timezones

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.utils.translation import gettext as _

from core.actor import acting
from core.db.transactions import unit_of_work
from core.errors import DomainError, PermissionRefused
from users import audit
from users.addresses import canonical
from users.models import Role, User
from users.passwords import refuse_weak_password
from users.services.access import set_access
from users.services.accounts import insert, person_name, refuse_taken_address
from users.services.sessions import end_access

PROFILE_FIELDS = frozenset({"email", "name", "time_zone", "language"})
ACCESS_FIELDS = frozenset({"role", "is_active"})


def create_account(*, by: User, password: str | None = None, **fields: Any) -> User:
    """Create an account; without a password the person resets it.

    Raises PermissionRefused, AddressTaken, WeakPassword, DomainError.
    """
    _require_admin(by)
    user = User(**{"language": settings.DEFAULT_LANGUAGE, **_cleaned(fields)})
    if password is None:
        user.set_unusable_password()
    else:
        refuse_weak_password(password, user, field="password1")
        user.set_password(password)
    return insert(user, by=by)


@unit_of_work
def edit_account(user: User, *, by: User, fields: dict[str, Any]) -> User:
    """Change profile and access together; new addresses are unverified.

    Raises what `set_access` raises, AddressTaken, DomainError.
    """
    _require_admin(by)
    fields = _cleaned(fields)
    access = {name: value for name, value in fields.items() if name in ACCESS_FIELDS}
    if access:
        set_access(user, by=by, **access)
    fresh: User = User.objects.select_for_update().get(pk=user.pk)
    changes = {
        name: value for name, value in fields.items() if name in PROFILE_FIELDS and value != getattr(fresh, name)
    }
    if "email" in changes:
        refuse_taken_address(changes["email"])
        changes["email_verified_at"] = None
    for name, value in changes.items():
        setattr(fresh, name, value)
    if changes:
        with acting(by):
            fresh.save(update_fields=list(changes))
    return fresh


def set_password(user: User, *, new: str, by: User, keep_tokens: bool = False) -> None:
    """Set a password, ending sessions and, unless kept, tokens.

    Raises PermissionRefused, WeakPassword.
    """
    _require_admin(by)
    refuse_weak_password(new, user, field="password1")
    _store_password(user, make_password(new), by, keep_tokens)


@unit_of_work
def _store_password(user: User, password_hash: str, by: User, keep_tokens: bool) -> None:
    owner = User.objects.select_for_update().get(pk=user.pk)
    owner.password = password_hash
    owner.save(update_fields=["password"])
    end_access(owner, reason="password_set", by=by, keep_tokens=keep_tokens)
    audit.record(owner, "password_set", by=by)


def _require_admin(by: User) -> None:
    if not by.is_superuser:
        raise PermissionRefused(_("Only administrators can do this."))


def _cleaned(fields: dict[str, Any]) -> dict[str, Any]:
    cleaned = dict(fields)
    if "email" in cleaned:
        cleaned["email"] = canonical(str(cleaned["email"]))
    if "name" in cleaned:
        cleaned["name"] = person_name(str(cleaned["name"]))
    if "time_zone" in cleaned and cleaned["time_zone"] not in available_timezones():
        raise DomainError(
            _("%(time_zone)s is not a time zone; try Europe/Zurich.") % {"time_zone": cleaned["time_zone"]},
            field="time_zone",
        )
    if "role" in cleaned and cleaned["role"] not in Role.values:
        raise DomainError(
            _("%(role)s is not a role; valid roles: %(names)s.")
            % {"role": cleaned["role"], "names": ", ".join(Role.values)},
            field="role",
        )
    return cleaned
