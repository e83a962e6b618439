"""What the pages of reviews show."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy

from console.forms.status.texts import language_name
from console.pages import person
from console.views.incident.review import is_late
from reviews.models import ActionItem, Factor, Moment, Participant, Review
from reviews.permissions import absent, can_edit, can_progress
from reviews.services.completeness import gaps
from reviews.services.publishing import announcements_of
from reviews.vocabulary import UNFINISHED, ItemState, ReviewState
from status_page.services.page import languages_of, the_page
from users.models import User

TEXTS = {
    "summary": (gettext_lazy("What happened"), gettext_lazy("In a few sentences, for somebody who was not there.")),
    "impact": (gettext_lazy("Impact"), gettext_lazy("Who noticed what, and for how long.")),
    "surprises": (gettext_lazy("What surprised us"), gettext_lazy("What we believed, and what turned out.")),
    "went_well": (gettext_lazy("What went well"), gettext_lazy("What helped, and should stay as it is.")),
    "went_badly": (gettext_lazy("What made it harder"), gettext_lazy("What we missed, or had to work around.")),
}
AHEAD, BEHIND = ("summary", "impact"), ("surprises", "went_well", "went_badly")


@dataclass(frozen=True)
class Section:
    """A text of the review under its heading."""

    name: str
    label: Any
    hint: Any
    text: str


@dataclass(frozen=True)
class ItemRow:
    """An action item, and what the viewer may do about it."""

    item: ActionItem
    may_progress: bool
    is_overdue: bool


def review_of(request: HttpRequest, pk: int) -> Review:
    """Return a review. Raises NotFound for an absent or invisible one."""
    visible = Review.objects.visible_to(person(request)) if pk < 2**63 else Review.objects.none()
    found = visible.filter(pk=pk).select_related("incident__team", "incident__assignee", "owner", "rule").first()
    if found is None:
        raise absent()
    return found


def may_change(user: User, review: Review) -> bool:
    """Return whether the review's contents may be changed by somebody as it is now."""
    return review.state != ReviewState.COMPLETED and can_edit(user, review)


def page_context(review: Review, viewer: User) -> dict[str, Any]:
    """Return a review with all its parts."""
    works, is_done = can_edit(viewer, review), review.state == ReviewState.COMPLETED
    return {
        "review": review,
        "incident": review.incident,
        "works": works,
        "may_edit": works and not is_done,
        "is_done": is_done,
        "is_late": is_late(review, timezone.now()),
        "ahead": [_section(review, name) for name in AHEAD],
        "behind": [_section(review, name) for name in BEHIND],
        "days": list(_by_day(moments_of(review))),
        "factors": list(Factor.objects.filter(review=review)),
        "participants": list(Participant.objects.filter(review=review).select_related("user")),
        "items": rows_of(items_of(review), viewer),
        "states": ItemState.choices,
        "gaps": gaps(review) if works and not is_done else [],
        **edition(review),
    }


def _section(review: Review, name: str) -> Section:
    label, hint = TEXTS[name]
    return Section(name, label, hint, getattr(review, name))


def moments_of(review: Review) -> Iterable[Moment]:
    return Moment.objects.filter(review=review).select_related("event").order_by("at", "id")


def _by_day(moments: Iterable[Moment]) -> Iterable[tuple[dt.date, list[Moment]]]:
    for day, group in groupby(moments, key=lambda one: timezone.localtime(one.at).date()):
        yield day, list(group)


def items_of(review: Review) -> Iterable[ActionItem]:
    return ActionItem.objects.filter(review=review).select_related("owner", "review__incident")


def rows_of(items: Iterable[ActionItem], viewer: User) -> list[ItemRow]:
    """Return action items with what the viewer may do; the teams are read once."""
    today = timezone.localdate()
    return [ItemRow(one, can_progress(viewer, one, one.review), is_overdue(one, today)) for one in items]


def is_overdue(item: ActionItem, today: dt.date) -> bool:
    return item.state in UNFINISHED and item.due_on is not None and item.due_on < today


def edition(review: Review) -> dict[str, Any]:
    """Return the public edition: its texts by language, and the announcement that it belongs to."""
    main, *others = page_languages()
    texts = [(main[1], review.public_title, review.public_text)]
    for code, name in others:
        said = review.public_translations.get(code, {})
        texts.append((name, said.get("title", ""), said.get("text", "")))
    return {"editions": texts, "announcement": announcements_of(review).first()}


def page_languages() -> list[tuple[str, str]]:
    """Return the status page's languages with their names, its main one first."""
    return [(code, language_name(code)) for code in languages_of(the_page())]
