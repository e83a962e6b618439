"""Members of teams, and the default team."""

from django.utils.translation import gettext as _

from core.actor import acting
from core.db.transactions import unit_of_work
from core.errors import NotFound
from responders.models import Membership, Team
from users.models import User


@unit_of_work
def add_member(team: Team, user: User, *, by: User | None) -> bool:
    """Add a person to a team; return False if already in."""
    with acting(by):
        _membership, is_new = Membership.objects.get_or_create(team=team, user=user)
    return is_new


@unit_of_work
def make_only_default(team: Team, *, by: User | None) -> None:
    """Make this the only default team."""
    others = Team.objects.select_for_update().filter(is_default=True).exclude(pk=team.pk).order_by("pk")
    with acting(by):
        for other in others:
            other.is_default = False
            other.save(update_fields=["is_default"])


@unit_of_work
def remove_member(team: Team, user_id: int, *, by: User | None) -> None:
    """Remove a person from a team. Raises NotFound."""
    membership = Membership.objects.filter(team=team, user_id=user_id).first()
    if membership is None:
        raise NotFound(_("%(team)s has no such member.") % {"team": team.name})
    with acting(by):
        membership.delete()
