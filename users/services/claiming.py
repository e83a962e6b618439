"""Accounts that somebody made with an address that may be another person's."""

from users.claiming import disown
from users.models import Role, User
from users.services import second_factors
from users.services.sessions import end_access


def take_from_stranger(user: User) -> bool:
    """Void what whoever registered the account left there, as its address is proven for the first time; lock it first.

    Return whether it was somebody who registered and proved nothing.
    """
    if user.email_verified_at is not None or user.role != Role.REPORTER or not user.has_usable_password():
        return False
    second_factors.drop_all(user)
    end_access(user, reason="address_claimed")
    disown(user)
    return True
