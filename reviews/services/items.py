"""Action items: what follows from a review, by whom and until when."""

import datetime as dt
from collections.abc import Mapping
from functools import partial
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.utils import timezone
from django.utils.translation import gettext as _

from core.actor import acting
from core.db.transactions import unit_of_work
from core.errors import Conflict, DomainError, PermissionRefused
from core.text import moments
from core.text.languages import later
from core.text.zones import zone_named
from responders.notices import Notice, announce
from reviews.models import ActionItem, Review
from reviews.permissions import absent, can_edit, can_progress, require_can_own, require_read
from reviews.reminding import next_of_item
from reviews.services import reviewing
from reviews.validation import require_known, text_for
from reviews.vocabulary import UNFINISHED, ItemState, ReviewState
from users.models import User

MAX_NOTICE = 200
FIELDS = ("title", "description", "owner", "due_on", "state", "url")
PROGRESS = frozenset({"state", "url"})  # what an item's owner may say
LASTING = frozenset({"title", "description"})  # what a completed review keeps
MAX_ITEMS = 200
YEARS = range(2000, 2200)
_web_address = URLValidator(schemes=["http", "https"])


@unit_of_work
def add_item(
    review: Review,
    *,
    by: User,
    title: str,
    description: str = "",
    owner: User | None = None,
    due_on: dt.date | None = None,
    url: str = "",
) -> ActionItem:
    """Add an action item, and tell its owner. Raises NotFound, PermissionRefused, Conflict, DomainError."""
    review = reviewing.lock_open(review.pk, by=by)
    if ActionItem.objects.filter(review=review).count() >= MAX_ITEMS:
        raise DomainError(_("A review takes at most %(items)s action items.") % {"items": MAX_ITEMS}, code="too_many")
    item = ActionItem(review=review)
    changes = {"title": title, "description": description, "owner": owner, "due_on": due_on, "url": url}
    return _stored(item, changes, review, by)


@unit_of_work
def edit_item(item: ActionItem, *, by: User, changes: Mapping[str, Any]) -> ActionItem:
    """Change an action item; its owner may change state and ticket, and a completed review keeps the rest.

    Raises NotFound, PermissionRefused, Conflict, DomainError.
    """
    require_known(changes, FIELDS)
    review, item = _locked(item)
    require_read(by, review)
    if not can_progress(by, item, review) or (set(changes) - PROGRESS and not can_edit(by, review)):
        raise PermissionRefused(
            _(
                "Only the incident's team, the review's owner and administrators can change an action item; "
                "its owner says how far it got."
            )
        )
    if review.state == ReviewState.COMPLETED:
        _refuse_undoing(item, changes)
    return _stored(item, changes, review, by)


@unit_of_work
def remove_item(item: ActionItem, *, by: User) -> None:
    """Delete an action item of a review that is not completed. Raises as `add_item`."""
    review, item = _locked(item)
    reviewing.lock_open(review.pk, by=by)
    with acting(by):
        item.delete()


def _locked(item: ActionItem) -> tuple[Review, ActionItem]:
    review = Review.objects.select_for_update().filter(pk=item.review_id).first()
    found = ActionItem.objects.select_for_update().filter(pk=item.pk).first()
    if review is None or found is None:
        raise absent()
    return review, found


def _refuse_undoing(item: ActionItem, changes: Mapping[str, Any]) -> None:
    """Keep what completing the review required."""
    if any(getattr(item, name) != changes[name] for name in LASTING & set(changes)):
        raise Conflict(_("The review is completed; reopen it to change its action items."), code="review_completed")
    for name in ("owner", "due_on"):
        if name in changes and changes[name] is None:
            raise Conflict(_("The review is completed: its action items keep an owner and a due date."), field=name)


def _stored(item: ActionItem, changes: Mapping[str, Any], review: Review, by: User) -> ActionItem:
    now = timezone.now()
    before = item.owner_id
    for name, value in changes.items():
        setattr(item, name, _value(item, name, value, review))
    is_finished = item.state not in UNFINISHED
    item.finished_at = (item.finished_at or now) if is_finished else None
    item.remind_at = reminder_of(item, review, now)
    with acting(by):
        item.save(update_fields=[*changes, "finished_at", "remind_at"]) if item.pk else item.save()
    if item.owner is not None and item.owner_id not in (before, by.pk) and not is_finished:
        _tell_owner(item, review, by, now)
    return item


def reminder_of(item: ActionItem, review: Review, after: dt.datetime) -> dt.datetime | None:
    """Return when an item's owner is reminded next; by the review's owner's clock where it has none."""
    if item.due_on is None or item.state not in UNFINISHED:
        return None
    person = item.owner or review.owner
    return next_of_item(item.due_on, zone_named(person.time_zone if person else "UTC"), after)


def _value(item: ActionItem, name: str, value: Any, review: Review) -> Any:
    if name in ("title", "description"):
        return text_for(ActionItem, name, value, is_required=name == "title")
    if name == "owner":
        if value is not None and value.pk != item.owner_id:
            require_can_own(value, review.incident)
        return value
    if name == "due_on":
        return _day(value)
    if name == "state":
        if value not in ItemState.values:
            raise DomainError(_("Is one of %(names)s.") % {"names": ", ".join(ItemState.values)}, field="state")
        return ItemState(value)
    return _address(value)


def _day(value: Any) -> dt.date | None:
    if value is None:
        return None
    if not isinstance(value, dt.date) or isinstance(value, dt.datetime) or value.year not in YEARS:
        raise DomainError(
            _("Give a date from %(start)s to %(value)s.") % {"start": YEARS.start, "value": YEARS.stop - 1},
            field="due_on",
        )
    return value


def _address(value: Any) -> str:
    url = text_for(ActionItem, "url", value)
    try:
        if url:
            _web_address(url)
    except ValidationError as error:
        raise DomainError(_("Give a web address."), field="url") from error
    return url


def _tell_owner(item: ActionItem, review: Review, by: User, now: dt.datetime) -> None:
    announce(
        Notice(
            key=f"action-item:{item.pk}:{now.timestamp():.0f}",
            kind="action_item",
            title=later(partial(_title, by.name, item.title, item.due_on)),
            users=[item.owner_id] if item.owner_id else [],
            incident=review.incident_id,
            path=f"/reviews/{review.pk}/",
        )
    )


def _title(name: str, title: str, due_on: dt.date | None) -> str:
    words = {"name": name, "title": title}
    if due_on is None:
        return (_("%(name)s gave you an action item: %(title)s") % words)[:MAX_NOTICE]
    words["day"] = moments.shown(due_on, "date")
    return (_("%(name)s gave you an action item, due on %(day)s: %(title)s") % words)[:MAX_NOTICE]
