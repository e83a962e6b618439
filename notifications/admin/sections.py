"""Who cannot be reached, on the home page."""

from collections.abc import Iterable

from django.utils import timezone

from incidents.admin.sections import Section, on_home
from notifications.services.readiness import unready_people
from users.models import User

MOST_SHOWN = 5


def of_home(user: User) -> Iterable[Section]:
    """Yield the people on call whom no page would reach, for administrators."""
    if not user.is_admin:
        return
    found = [one for one in unready_people(timezone.now()) if not one.is_warning]
    if found:
        context = {"people": found[:MOST_SHOWN], "number": len(found)}
        yield Section("admin/notifications/home_readiness.html", context)


on_home(of_home)
