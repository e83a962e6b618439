"""The order of contributing factors."""

from core.actor import acting
from core.db.transactions import unit_of_work
from reviews.models import Factor
from reviews.permissions import absent
from reviews.services import reviewing
from users.models import User


@unit_of_work
def move_factor(factor: Factor, *, by: User, is_down: bool) -> None:
    """Move a contributing factor past its neighbour, if it has one.

    Raises NotFound, PermissionRefused, Conflict for a completed review.
    """
    review = reviewing.lock_open(factor.review_id, by=by)
    factors = list(Factor.objects.select_for_update().filter(review=review))
    place = next((number for number, one in enumerate(factors) if one.pk == factor.pk), None)
    if place is None:
        raise absent()
    other = place + 1 if is_down else place - 1
    if not 0 <= other < len(factors):
        return
    factors[place], factors[other] = factors[other], factors[place]
    for position, one in enumerate(factors):
        if one.position != position:
            one.position = position
            with acting(by):
                one.save(update_fields=["position"])
    reviewing.save(review, (), by=by)
