"""What each role may do, in one place. The admin site, the API and the services all ask here."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from users.models import User

# Django permissions (app label, or app label and model → actions) that a responder has in the admin site. An admin has
# every permission, a reporter none. What a responder may do to an incident, incidents.permissions decides row by row.
RESPONDER_MAY: dict[str, frozenset[str]] = {
    "incidents": frozenset({"view"}),
    "responders": frozenset({"view"}),
    "alerts.alert": frozenset({"view"}),
    "alerts.route": frozenset({"view"}),
    "alerts.silence": frozenset({"view", "add"}),
    "logs": frozenset({"view"}),
}
_RESPONDER_APPS = frozenset(name.partition(".")[0] for name in RESPONDER_MAY)


def role_allows(user: "User", permission: str) -> bool:
    """Return whether the user's role carries the Django permission `app_label.action_model`."""
    if not user.is_active:
        return False
    if user.is_admin:
        return True
    app_label, _, codename = permission.partition(".")
    action, _, model = codename.partition("_")
    allowed = RESPONDER_MAY.get(f"{app_label}.{model}") or RESPONDER_MAY.get(app_label, frozenset())
    return user.is_responder and action in allowed


def role_enters(user: "User", app_label: str) -> bool:
    """Return whether the user's role sees anything of this app in the admin site."""
    return user.is_active and (user.is_admin or (user.is_responder and app_label in _RESPONDER_APPS))
