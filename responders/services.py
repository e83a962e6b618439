"""Who belongs to a team."""

from core.db.transactions import unit_of_work
from core.errors import NotFound
from responders.models import Membership, Team
from users.audit import acting
from users.models import User


@unit_of_work
def add_member(team: Team, user: User, *, by: User | None) -> bool:
    """Put a person into a team; False when they were in it already."""
    with acting(by):
        _, is_new = Membership.objects.get_or_create(team=team, user=user)
    return is_new


@unit_of_work
def make_only_default(team: Team, *, by: User | None) -> None:
    """Let no other team be the default one beside this."""
    others = Team.objects.select_for_update().filter(is_default=True).exclude(pk=team.pk).order_by("pk")
    with acting(by):
        for other in others:
            other.is_default = False
            other.save(update_fields=["is_default"])


@unit_of_work
def remove_member(team: Team, user_id: int, *, by: User | None) -> None:
    """Take a person out of a team; NotFound when they are not in it."""
    membership = Membership.objects.filter(team=team, user_id=user_id).first()
    if membership is None:
        raise NotFound(f"{team.name} has no such member.")
    with acting(by):
        membership.delete()
