"""Who may do what to an incident, row by row. Whether a person sees it at all is `Incident.objects.visible_to`."""

from incident_response.exceptions import PermissionRefused
from incidents.models import Incident, Subscription
from responders.models import Membership
from users.models import User

# What a reporter may change of an incident of their own while it is open.
REPORTER_FIELDS = frozenset({"title", "description"})


def can_see(user: User, incident: Incident) -> bool:
    """Whether `visible_to` would show a row that is at hand; what needs no other row is told without asking it."""
    if incident.deleted_at is not None:
        return False
    if user.is_admin or (user.is_responder and not incident.is_restricted):
        return True
    return Incident.objects.visible_to(user).filter(pk=incident.pk).exists()


def can_work_on(user: User, team_id: int | None) -> bool:
    """Responders work on incidents that have no team or belong to one of theirs; administrators on all."""
    if user.is_admin:
        return True
    return user.is_responder and (team_id is None or team_id in Membership.objects.team_ids_of(user))


def can_edit(user: User, incident: Incident, fields: frozenset[str]) -> bool:
    """Whether the person may change these fields."""
    if can_work_on(user, incident.team_id):
        return True
    return incident.reporter_id == user.pk and incident.is_still_open and fields <= REPORTER_FIELDS


def require_work(user: User | None, incident: Incident) -> None:
    """Refuse whoever may not work on the incident; None is the system itself."""
    if user is not None and not can_work_on(user, incident.team_id):
        raise PermissionRefused(
            f"{incident.reference} belongs to another team; only its members and administrators work on it."
            if user.is_responder
            else "Only responders and administrators may do this."
        )


def require_edit(user: User | None, incident: Incident, fields: frozenset[str]) -> None:
    """Refuse whoever may not change these fields."""
    if user is None or can_edit(user, incident, fields):
        return
    if incident.reporter_id == user.pk and fields <= REPORTER_FIELDS:
        raise PermissionRefused("You can edit your report only while it is open; add a comment instead.")
    if incident.reporter_id == user.pk:
        raise PermissionRefused("As the reporter you may change the title and the description only.")
    require_work(user, incident)


def require_voice(user: User | None, incident: Incident) -> None:
    """Refuse a responder of another team who does not follow the incident; everybody else who sees it may comment."""
    if user is None or can_work_on(user, incident.team_id) or not user.is_responder:
        return
    if not Subscription.objects.filter(incident=incident, user=user).exists():
        require_work(user, incident)


def require_admin(user: User | None) -> None:
    """Refuse whoever is not an administrator."""
    if user is not None and not user.is_admin:
        raise PermissionRefused("Only an administrator may do this.")
