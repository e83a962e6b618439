"""Read and write a person's preferences."""

from typing import Any

from console.models import Preferences
from core.db.transactions import unit_of_work
from users.models import User


def of(user: User) -> Preferences:
    """Return a person's preferences, unsaved defaults if they chose nothing."""
    return Preferences.objects.filter(pk=user.pk).first() or Preferences(user=user)


@unit_of_work
def set_preferences(user: User, **fields: Any) -> Preferences:
    """Store some preferences."""
    chosen, _ = Preferences.objects.update_or_create(pk=user.pk, defaults=fields)
    return chosen
