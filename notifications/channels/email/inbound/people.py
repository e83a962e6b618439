"""Whose address it is."""

from notifications.models import ContactMethod
from users.models import User

KIND = "email"


def person_with(address: str) -> User | None:
    """Return the one active person who has verified this address, for the account or as a contact method."""
    if not address:
        return None
    by_account = User.objects.active().filter(email=address, email_verified_at__isnull=False)
    by_method = User.objects.active().filter(
        pk__in=ContactMethod.objects.verified().filter(kind=KIND, address=address).values("user")
    )
    found = {user.pk: user for user in [*by_account, *by_method[:2]]}
    return next(iter(found.values())) if len(found) == 1 else None
