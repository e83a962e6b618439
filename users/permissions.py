"""What each role may do, in admin, API and services."""

from typing import Protocol


class HasRole(Protocol):
    is_active: bool

    @property
    def is_admin(self) -> bool: ...

    @property
    def is_responder(self) -> bool: ...


# App label, or app label and model → actions. An admin has every permission, a reporter none;
# for incidents, incidents.permissions decides row by row.
_responders_may: dict[str, frozenset[str]] = {}


def allow_responders(name: str, *actions: str) -> None:
    """Give responders permissions on an app or a model (`label.model`)."""
    _responders_may[name] = frozenset(actions)


def role_allows(user: HasRole, permission: str) -> bool:
    """Return whether the role has permission `app_label.action_model`."""
    if not user.is_active:
        return False
    if user.is_admin:
        return True
    app_label, _, codename = permission.partition(".")
    action, _, model = codename.partition("_")
    allowed = _responders_may.get(f"{app_label}.{model}") or _responders_may.get(app_label, frozenset())
    return user.is_responder and action in allowed


def role_enters(user: HasRole, app_label: str) -> bool:
    """Return whether the role sees this app in the admin."""
    if not user.is_active or user.is_admin:
        return user.is_active
    return user.is_responder and any(name.partition(".")[0] == app_label for name in _responders_may)
