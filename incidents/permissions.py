"""Who may do what to an incident, row by row. Whether a person sees it at all is `Incident.objects.visible_to`.

Nobody comes to see a restricted incident as a side effect. Who would is in `gaining`, and is let in by somebody who may
(`require_grant`) and says so: by naming them, or by saying that what else was asked for is to do that too.
"""

from collections.abc import Iterable

from core.errors import Conflict, NotFound, PermissionRefused
from incidents.actors import By, person
from incidents.models import Incident, Subscription
from responders.models import Membership
from users.models import Role, User

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


def can_grant(user: User, incident: Incident) -> bool:
    """Whether the person may let others see the incident: who works on it; a restricted one's own team alone, and
    administrators."""
    if user.is_admin or not incident.is_restricted:
        return can_work_on(user, incident.team_id)
    return user.is_responder and incident.team_id in Membership.objects.team_ids_of(user)


def audience(incident: Incident) -> frozenset[int]:
    """The ids of those who see a restricted incident because it concerns them: followers, assignee, team."""
    team = Membership.objects.filter(team=incident.team_id, user__role=Role.RESPONDER)
    ids = set(team.values_list("user", flat=True)) | ({incident.assignee_id} if incident.assignee_id else set())
    return frozenset(ids.union(Subscription.objects.filter(incident=incident).values_list("user", flat=True)))


def gaining(ids: Iterable[int], incident: Incident) -> list[User]:
    """Those of these people who do not see the restricted incident yet, by name."""
    new = set(ids) - audience(incident)
    return list(User.objects.filter(pk__in=new).exclude(role=Role.ADMIN).order_by("name", "pk")) if new else []


def discloses(incident: Incident, to: Incident) -> bool:
    """Whether what is known of one incident would be seen by people who do not see it now, if the other showed it."""
    if not incident.is_restricted or incident.pk == to.pk:
        return False
    return not to.is_restricted or bool(gaining(audience(to), incident))


def require_grant(by: By, incident: Incident, who: str, *, is_said: bool) -> None:
    """Refuse to let somebody see the incident unless the person may, and says that it is to happen."""
    user = person(by)
    if user is not None and not can_grant(user, incident):
        raise PermissionRefused(
            f"{incident.reference} is restricted: only its team and administrators let others see it, and {who} "
            "would come to see it."
        )
    if not is_said:
        raise Conflict(
            f"{incident.reference} is restricted, and {who} would come to see it; say grants_access: true if they are "
            "to.",
            code="access_not_granted",
        )


def can_edit(user: User, incident: Incident, fields: frozenset[str]) -> bool:
    """Whether the person may change these fields."""
    if can_work_on(user, incident.team_id):
        return True
    return incident.reporter_id == user.pk and incident.is_still_open and fields <= REPORTER_FIELDS


def require_work(by: By, incident: Incident) -> None:
    """Refuse whoever may not work on the incident; None is the system itself."""
    user = person(by)
    if user is None:
        return
    _require_sight_of_restricted(user, incident)
    if not can_work_on(user, incident.team_id):
        raise PermissionRefused(
            f"{incident.reference} belongs to another team; only its members and administrators work on it."
            if user.is_responder
            else "Only responders and administrators may do this."
        )


def require_edit(by: By, incident: Incident, fields: frozenset[str]) -> None:
    """Refuse whoever may not change these fields."""
    user = person(by)
    if user is not None:
        _require_sight_of_restricted(user, incident)
    if user is None or can_edit(user, incident, fields):
        return
    if incident.reporter_id == user.pk and fields <= REPORTER_FIELDS:
        raise PermissionRefused("You can edit your report only while it is open; add a comment instead.")
    if incident.reporter_id == user.pk:
        raise PermissionRefused("As the reporter you may change the title and the description only.")
    require_work(by, incident)


def can_comment(user: User, incident: Incident) -> bool:
    """Who sees an incident may comment, but for responders of other teams who do not follow it."""
    if can_work_on(user, incident.team_id) or not user.is_responder:
        return True
    return Subscription.objects.filter(incident=incident, user=user).exists()


def require_voice(by: By, incident: Incident) -> None:
    """Refuse whoever may not comment."""
    user = person(by)
    if user is None:
        return
    _require_sight_of_restricted(user, incident)
    if not can_comment(user, incident):
        require_work(by, incident)


def require_sight(by: By, incident: Incident) -> None:
    """To whoever does not see the incident, it is not there; it may have been restricted since they read it."""
    user = person(by)
    if user is not None and not user.is_admin and not can_see(user, incident):
        raise NotFound(f"There is no incident {incident.reference} here, or it is not yours to see.")


def _require_sight_of_restricted(user: User, incident: Incident) -> None:
    if incident.is_restricted:
        require_sight(user, incident)


def require_admin(by: By) -> None:
    """Refuse whoever is not an administrator."""
    user = person(by)
    if user is not None and not user.is_admin:
        raise PermissionRefused("Only an administrator may do this.")
