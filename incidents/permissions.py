"""Decide who may do what to an incident; `Incident.objects.visible_to` decides who sees it."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from django.utils.translation import gettext as _

from core.db import rows
from core.errors import Conflict, NotFound, PermissionRefused
from incidents.actors import By, person
from incidents.models import Incident, Subscription
from responders.models import Membership
from users.models import Role, User

# What a reporter may change of an incident of their own while it is open.
REPORTER_FIELDS = frozenset({"title", "description"})


def can_see(user: User, incident: Incident) -> bool:
    """Return whether `visible_to` would include the row."""
    if incident.deleted_at is not None:
        return False
    if user.is_admin or (user.is_responder and not incident.is_restricted):
        return True
    return Incident.objects.visible_to(user).filter(pk=incident.pk).exists()


def can_work_on(user: User, team_id: int | None) -> bool:
    """Return whether the user may work on incidents of the team."""
    if user.is_admin:
        return True
    return user.is_responder and (team_id is None or team_id in Membership.objects.team_ids_of(user))


def can_grant(user: User, incident: Incident) -> bool:
    """Return whether the user may give others access."""
    if user.is_admin or not incident.is_restricted:
        return can_work_on(user, incident.team_id)
    return user.is_responder and incident.team_id in Membership.objects.team_ids_of(user)


def audience_ids(incident: Incident) -> frozenset[int]:
    """Return the ids of followers, assignee and team members."""
    team = Membership.objects.filter(team=incident.team_id, user__role=Role.RESPONDER)
    ids = set(team.values_list("user", flat=True)) | ({incident.assignee_id} if incident.assignee_id else set())
    return frozenset(ids.union(Subscription.objects.filter(incident=incident).values_list("user", flat=True)))


@dataclass(frozen=True)
class Audience:
    """Whom `visible_to` lets see an incident, for asking about many people at once."""

    is_present: bool
    is_restricted: bool
    followers: frozenset[int]
    concerned: frozenset[int]  # followers, assignee and team; known of restricted ones only

    def includes(self, user: User) -> bool:
        if not self.is_present:
            return False
        if user.is_admin:
            return True
        if not user.is_responder:
            return user.pk in self.followers
        return not self.is_restricted or user.pk in self.concerned


def audiences_of(incidents: Collection[Incident]) -> dict[int, Audience]:
    """Return each incident's audience, in two queries at most."""
    followers: defaultdict[int, set[int]] = defaultdict(set)
    members: defaultdict[int | None, set[int]] = defaultdict(set)
    for row in rows.select_in(Subscription, "incident", sorted(incident.pk for incident in incidents)):
        followers[row.incident_id].add(row.user_id)
    teams = {one.team_id for one in incidents if one.is_restricted and one.team_id is not None}
    for membership in rows.select_in(Membership, "team", sorted(teams)):
        members[membership.team_id].add(membership.user_id)
    return {one.pk: _audience(one, followers[one.pk], members[one.team_id]) for one in incidents}


def _audience(incident: Incident, followers: set[int], members: set[int]) -> Audience:
    assignee = {incident.assignee_id} if incident.assignee_id else set()
    return Audience(
        is_present=incident.deleted_at is None,
        is_restricted=incident.is_restricted,
        followers=frozenset(followers),
        concerned=frozenset(followers | members | assignee) if incident.is_restricted else frozenset(),
    )


def users_gaining_access(ids: Iterable[int], incident: Incident) -> list[User]:
    """Return the users who do not see the restricted incident yet."""
    new = set(ids) - audience_ids(incident)
    return list(User.objects.filter(pk__in=new).exclude(role=Role.ADMIN).order_by("name", "pk")) if new else []


def would_disclose(incident: Incident, to: Incident) -> bool:
    """Return whether the other incident's readers would learn facts that they cannot see now."""
    if not incident.is_restricted or incident.pk == to.pk:
        return False
    return not to.is_restricted or bool(users_gaining_access(audience_ids(to), incident))


def require_grant(by: By, incident: Incident, who: str, *, is_said: bool) -> None:
    """Refuse to give `who` access unless the person may, and confirmed it."""
    user = person(by)
    if user is not None and not can_grant(user, incident):
        raise PermissionRefused(
            _("%(incident)s is restricted: only its team and administrators can give %(who)s access.")
            % {"incident": incident.reference, "who": who}
        )
    if not is_said:
        raise Conflict(
            _("%(incident)s is restricted and %(who)s would gain access; confirm with grants_access: true.")
            % {"incident": incident.reference, "who": who},
            code="access_not_granted",
        )


def can_edit(user: User, incident: Incident, fields: frozenset[str]) -> bool:
    if can_work_on(user, incident.team_id):
        return True
    return incident.reporter_id == user.pk and incident.is_still_open and fields <= REPORTER_FIELDS


def require_work(by: By, incident: Incident) -> None:
    """Refuse people who may not work on the incident."""
    user = person(by)
    if user is None:
        return
    _require_sight_of_restricted(user, incident)
    if not can_work_on(user, incident.team_id):
        raise PermissionRefused(
            _("%(incident)s belongs to another team; only its members and administrators can work on it.")
            % {"incident": incident.reference}
            if user.is_responder
            else _("Only responders and administrators can do this.")
        )


def require_edit(by: By, incident: Incident, fields: frozenset[str]) -> None:
    user = person(by)
    if user is not None:
        _require_sight_of_restricted(user, incident)
    if user is None or can_edit(user, incident, fields):
        return
    if incident.reporter_id == user.pk and fields <= REPORTER_FIELDS:
        raise PermissionRefused(_("You can edit your report only while it is open; add a comment instead."))
    if incident.reporter_id == user.pk:
        raise PermissionRefused(_("As the reporter you can change only the title and the description."))
    require_work(by, incident)


def can_comment(user: User, incident: Incident) -> bool:
    """Return whether the user may comment."""
    works = can_work_on(user, incident.team_id)
    return may_comment(
        user, works=works, follows=lambda: Subscription.objects.filter(incident=incident, user=user).exists()
    )


def may_comment(user: User, *, works: bool, follows: Callable[[], bool]) -> bool:
    """Return whether somebody may comment on an incident that they see; another team's responder must follow it."""
    return works or not user.is_responder or follows()


def require_comment(by: By, incident: Incident) -> None:
    user = person(by)
    if user is None:
        return
    _require_sight_of_restricted(user, incident)
    if not can_comment(user, incident):
        require_work(by, incident)


def absent(incident: str) -> NotFound:
    """Return the error for an incident that does not exist, or is not for the caller to see."""
    return NotFound(_("%(incident)s does not exist, or you do not have access to it.") % {"incident": incident})


def require_visible(by: By, incident: Incident) -> None:
    """Raise NotFound where the person does not see the incident."""
    user = person(by)
    if user is not None and not user.is_admin and not can_see(user, incident):
        raise absent(incident.reference)


def _require_sight_of_restricted(user: User, incident: Incident) -> None:
    if incident.is_restricted:
        require_visible(user, incident)


def require_admin(by: By) -> None:
    user = person(by)
    if user is not None and not user.is_admin:
        raise PermissionRefused(_("Only administrators can do this."))
