"""Answers by phone to the page that a delivery carried."""

from dataclasses import dataclass

from core.errors import DomainError
from core.text.languages import reading
from core.text.sentences import shown
from notifications.models import Delivery
from notifications.services.answers import answer
from notifications.services.claiming import reasons_against
from notifications.vocabulary import Kind, State
from users.models import User


@dataclass(frozen=True)
class Page:
    """A page that reached a phone."""

    delivery: Delivery
    user: User
    incident: int

    @property
    def is_open(self) -> bool:
        """Return whether it, or one that it carries, awaits an answer."""
        rows = [self.delivery, *self.delivery.bundled.all()]
        waiting = [row for row in rows if row.state not in (State.ANSWERED, State.CANCELLED)]
        return len(reasons_against(waiting)) < len(waiting)


@dataclass(frozen=True)
class Said:
    """What is told to the person."""

    text: str
    changed: bool


def page_of(key: str) -> Page | None:
    """Return the page of a delivery's key."""
    delivery = Delivery.objects.filter(key=key, kind=Kind.PAGE).select_related("user").first()
    return page_in(delivery) if delivery else None


def page_in(delivery: Delivery) -> Page | None:
    """Return the page of a delivery to a person."""
    if delivery.user is None or delivery.incident_id is None:
        return None
    return Page(delivery, delivery.user, delivery.incident_id)


def answer_page(page: Page, action: str, *, channel_name: str, note: str = "") -> Said:
    """Act in the recipient's name; say what cannot be done."""
    with reading(page.user.language):
        try:
            done = answer(
                page.user, page.incident, action, channel_name=channel_name, note=note, delivery=page.delivery
            )
        except DomainError as error:
            return Said(error.message, False)
        return Said(shown(done.text), done.changed)
