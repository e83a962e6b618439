"""End silences, and order routes."""

import datetime as dt
from collections.abc import Sequence

from django.utils import timezone
from django.utils.translation import gettext as _

from alerts.models import Route, Silence
from core.actor import acting
from core.db.transactions import unit_of_work
from core.errors import Conflict, DomainError
from users.models import User


def require_not_over(silence: Silence) -> None:
    """Raise Conflict for a silence that is over."""
    if silence.ends_at <= timezone.now():
        raise Conflict(_("This silence has ended; create a new one."), code="silence_over")


@unit_of_work
def end_silence(silence: Silence, *, by: User, at: dt.datetime | None = None) -> Silence:
    """End a silence now; a future one was never active."""
    now = at or timezone.now()
    locked = Silence.objects.select_for_update().get(pk=silence.pk)
    if locked.ends_at > now:
        locked.starts_at, locked.ends_at = min(locked.starts_at, now), now
        with acting(by):
            locked.save(update_fields=["starts_at", "ends_at"])
    return locked


@unit_of_work
def reorder_routes(ids: Sequence[int], *, by: User) -> None:
    """Put the routes in this order. Raises DomainError unless each is named once."""
    routes = {route.pk: route for route in Route.objects.select_for_update().order_by("pk")}
    missing = [pk for pk in routes if pk not in ids]
    unknown = [pk for pk in ids if pk not in routes]
    if missing or unknown or len(ids) != len(routes):
        raise DomainError(_mistake(missing, unknown), field="ids")
    with acting(by):
        for position, pk in enumerate(ids):
            if routes[pk].position != position:
                routes[pk].position = position
                routes[pk].save(update_fields=["position"])


def _mistake(missing: list[int], unknown: list[int]) -> str:
    if unknown:
        return f"There is no route {', '.join(map(str, unknown[:10]))}."
    if missing:
        return f"Name every route once; {', '.join(map(str, missing[:10]))} is missing."
    return "Name every route exactly once; one is named twice."
