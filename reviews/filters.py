"""Lists of reviews and action items, and their filters."""

import datetime as dt
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from core.api.listing import Filter, ListQuery, flag, number_of, row_id, time, truth_of, words
from core.api.paging import Key, containing
from core.api.problems import refuse
from core.text.zones import zone_named
from incidents.views.lookup import NUMBER
from responders.models import Membership
from reviews.models import ActionItem, Review
from reviews.vocabulary import UNFINISHED, UNFINISHED_REVIEWS, ItemState, ReviewState


def _by_owner(rows: Any, name: str, value: str, user: Any) -> Any:
    value = value.strip()
    if value == "none":
        return rows.filter(owner__isnull=True)
    return rows.filter(owner_id=user.pk if value == "me" else number_of(name, value))


def _by_team(column: str) -> Any:
    def narrow(rows: Any, name: str, value: str, user: Any) -> Any:
        value = value.strip()
        if value == "none":
            return rows.filter(**{f"{column}__isnull": True})
        if value == "mine":
            return rows.filter(**{f"{column}__in": Membership.objects.filter(user=user).values("team")})
        return rows.filter(**{f"{column}_id": number_of(name, value)})

    return narrow


def _by_incident(rows: Any, name: str, value: str, user: Any) -> Any:
    match = NUMBER.match(value)
    if match is None:
        refuse(name, _("%(value)s is neither an incident's number nor its reference.") % {"value": value})
    return rows.filter(incident_id=int(match.group(1)))


def _by_text(column: str) -> Any:
    return lambda rows, name, value, user: rows.filter(containing(column, value.strip()))


def _overdue_reviews(rows: Any, value: bool) -> Any:
    late = {"due_at__lt": timezone.now(), "state__in": UNFINISHED_REVIEWS}
    return rows.filter(**late) if value else rows.exclude(**late)


def _overdue_items(rows: Any, name: str, value: str, user: Any) -> Any:
    late = {"due_on__lt": today_of(user), "state__in": UNFINISHED}
    return rows.filter(**late) if truth_of(name, value) else rows.exclude(**late)


def today_of(user: Any) -> dt.date:
    """Return the date by a person's clock."""
    return timezone.now().astimezone(zone_named(user.time_zone)).date()


def _by_day(lookup: str) -> Any:
    def narrow(rows: Any, name: str, value: str, user: Any) -> Any:
        try:
            day = dt.date.fromisoformat(value.strip())
        except ValueError:
            refuse(name, _("%(value)s is not a date, such as 2027-01-31.") % {"value": value})
        return rows.filter(**{lookup: day})

    return narrow


REVIEWS = ListQuery(
    "reviews",
    Review,
    orderings={"id": [Key("id")], "due_at": [Key("due_at", is_nullable=True)]},
    default_ordering="-id",
    related=("incident", "owner"),
    skips_empty=True,
    filters={
        "state": words("state", {word: word for word in ReviewState.values}, "Comma-separated states."),
        "owner": Filter(_by_owner, "Id, `me` or `none`."),
        "team": Filter(_by_team("incident__team"), "The incident's: id, `mine` or `none`.", is_lasting=False),
        "incident": Filter(_by_incident, "Number or reference."),
        "overdue": flag(_overdue_reviews, is_lasting=False, help="`true` (due and not completed) or `false`."),
        "due_before": time("due_at__lt", "ISO 8601, exclusive."),
        "required": flag(
            lambda rows, value: rows.filter(rule__isnull=not value), help="`true` (by a rule) or `false`."
        ),
        "q": Filter(_by_text("title"), "Text in the title.", is_lasting=False),
    },
)
ITEMS = ListQuery(
    "action items",
    ActionItem,
    orderings={"due_on": [Key("due_on", is_nullable=True)], "id": [Key("id")]},
    default_ordering="due_on",
    related=("review__incident", "owner"),
    skips_empty=True,
    filters={
        "state": words("state", {word: word for word in ItemState.values}, "Comma-separated states."),
        "is_open": flag(
            lambda rows, value: rows.filter(state__in=UNFINISHED) if value else rows.exclude(state__in=UNFINISHED),
            help="`true` (neither done nor dropped) or `false`.",
        ),
        "owner": Filter(_by_owner, "Id, `me` or `none`."),
        "team": Filter(_by_team("review__incident__team"), "The incident's: id, `mine` or `none`.", is_lasting=False),
        "review": row_id("review_id", "Id."),
        "overdue": Filter(_overdue_items, "`true` (unfinished, due before today) or `false`.", is_lasting=False),
        "due_before": Filter(_by_day("due_on__lt"), "A date, exclusive.", is_lasting=False),
        "due_after": Filter(_by_day("due_on__gte"), "A date, inclusive.", is_lasting=False),
        "q": Filter(_by_text("title"), "Text in the title.", is_lasting=False),
    },
)
