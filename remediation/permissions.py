"""Decide who may do what to a run; `Run.objects.visible_to` decides who sees it."""

from django.utils.translation import gettext as _

from core.errors import Conflict, NotFound, PermissionRefused
from incidents.actors import By, person
from incidents.models import Incident
from incidents.permissions import can_see, require_visible, require_work
from remediation.models import Run
from remediation.vocabulary import Risk
from responders.models import Membership
from users.models import Role, User


def absent() -> NotFound:
    """Return the error for a run that does not exist, or is not for the caller to see."""
    return NotFound(_("This run does not exist, or you do not have access to it."))


def require_read(by: By, incident: Incident) -> None:
    user = person(by)
    if user is None:
        return
    if not (user.is_admin or user.is_responder):
        raise PermissionRefused(_("Only responders and administrators can do this."))
    require_visible(user, incident)


def require_propose(by: By, incident: Incident) -> None:
    """Refuse who may not work on the incident."""
    require_read(by, incident)
    require_work(by, incident)


def may_approve(user: User, incident: Incident, *, risk: str, proposer: int | None) -> bool:
    """Return whether somebody may approve: administrators and the incident's team, of class B not the proposer."""
    if not user.is_active or (risk == Risk.B and user.pk == proposer):
        return False
    return user.is_admin or (user.is_responder and incident.team_id in Membership.objects.team_ids_of(user))


def require_approve(by: By, run: Run, incident: Incident) -> None:
    """Refuse who may not approve. Raises NotFound, PermissionRefused (`own_run` for one's own of class B)."""
    require_read(by, incident)
    user = person(by)
    if user is None:
        _require_rule(run)
        return
    if may_approve(user, incident, risk=run.version.risk, proposer=run.proposed_by_id):
        return
    if may_approve(user, incident, risk=Risk.A, proposer=None):
        raise PermissionRefused(
            _("You proposed this run; a run of class B is approved by somebody else."), code="own_run"
        )
    raise PermissionRefused(_("Only the incident's team and administrators can approve its runs."))


def _require_rule(run: Run) -> None:
    if run.version.risk != Risk.A or not run.is_automatic:
        raise PermissionRefused(_("Only the incident's team and administrators can approve its runs."))


def require_standing_approval(run: Run, incident: Incident) -> None:
    """Refuse an approval that its giver could not give any more. Raises Conflict, `approval_void`."""
    approver = run.approved_by
    if approver is None:
        _require_rule(run)
        return
    may = may_approve(approver, incident, risk=run.version.risk, proposer=run.proposed_by_id)
    if not may or not can_see(approver, incident):
        raise Conflict(
            _("Whoever approved this run could not approve it any more; propose it again."), code="approval_void"
        )


def approvers_of(incident: Incident, *, risk: str, proposer: int | None) -> list[User]:
    """Return who may approve a run of the incident."""
    members = Membership.objects.filter(team=incident.team_id, user__role=Role.RESPONDER, user__is_active=True)
    people = {user.pk: user for user in User.objects.admins()}
    if incident.team_id is not None:
        people.update({one.user_id: one.user for one in members.select_related("user")})
    return [
        user
        for user in people.values()
        if may_approve(user, incident, risk=risk, proposer=proposer) and can_see(user, incident)
    ]


def require_admin(user: User) -> None:
    if not user.is_admin:
        raise PermissionRefused(_("Only administrators can do this."))
