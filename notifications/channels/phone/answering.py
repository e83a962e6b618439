"""Answers by phone to the page that a delivery carried."""

from dataclasses import dataclass

from core.errors import DomainError
from notifications.models import Delivery
from notifications.services.answers import answer
from notifications.services.claiming import reasons_against
from notifications.vocabulary import Kind, State
from users.models import User


@dataclass(frozen=True)
class Page:
    """A page that reached a phone; `others` are the incidents that it stood for as well."""

    delivery: Delivery
    user: User
    incident: int
    others: tuple[int, ...]

    @property
    def is_open(self) -> bool:
        """Whether somebody's answer is still awaited."""
        rows = [self.delivery, *self.delivery.bundled.all()]
        waiting = [row for row in rows if row.state not in (State.ANSWERED, State.CANCELLED)]
        return len(reasons_against(waiting)) < len(waiting)


@dataclass(frozen=True)
class Said:
    """What the person is told, and whether anything changed."""

    text: str
    changed: bool


def page_of(key: str) -> Page | None:
    """Return the page that a delivery's key names."""
    delivery = Delivery.objects.filter(key=key, kind=Kind.PAGE).select_related("user").first()
    return page_in(delivery) if delivery else None


def page_in(delivery: Delivery) -> Page | None:
    """Return the page that a delivery carries, if it is one to a person."""
    if delivery.user is None or delivery.incident_id is None:
        return None
    others = delivery.bundled.exclude(incident=None).exclude(incident=delivery.incident_id)
    numbers = others.order_by("incident").values_list("incident", flat=True).distinct()
    return Page(delivery, delivery.user, delivery.incident_id, tuple(numbers))


def answer_page(page: Page, action: str, *, channel_name: str, note: str = "") -> Said:
    """Act in the recipient's name on what the page stood for; what cannot be done is said."""
    numbers = (page.incident, *(page.others if action == "acknowledge" else ()))
    said = [_answer_one(page, number, action, channel_name=channel_name, note=note) for number in numbers]
    done = sum(one.changed for one in said)
    if len(said) == 1 or not done:
        return said[0]
    return Said(
        f"You acknowledged {done} of {len(said)} incidents."
        if done < len(said)
        else f"You acknowledged all {done} incidents.",
        True,
    )


def _answer_one(page: Page, number: int, action: str, *, channel_name: str, note: str) -> Said:
    delivery = page.delivery if number == page.incident else None
    try:
        result = answer(page.user, number, action, channel_name=channel_name, note=note, delivery=delivery)
    except DomainError as error:
        return Said(error.message, False)
    return Said(result.text, result.changed)
