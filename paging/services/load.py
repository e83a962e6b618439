"""How much people were paged: in all, at night by their own clocks, and again for the same incident."""

import datetime as dt
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from django.db.models import Exists, OuterRef, QuerySet

from core.text.zones import zone_named
from incidents.models import IncidentQuerySet
from paging.models import Page
from responders.services.reporting import NIGHT_BEGINS, NIGHT_ENDS

DAY = dt.timedelta(days=1)


class PagedPerson(NamedTuple):
    """One page of one person."""

    page_id: int
    user_id: int
    name: str
    time_zone: str
    incident_id: int
    at: dt.datetime


class Marked(NamedTuple):
    """A page, the evening of the night it disturbed, if any, and whether it repeats an earlier one."""

    page: PagedPerson
    night: dt.date | None
    is_repeat: bool


@dataclass
class Load:
    """What one person got; `nights` are those disturbed, each by the evening on which it began."""

    user_id: int
    name: str
    time_zone: str
    pages: int = 0
    night_pages: int = 0
    repeats: int = 0
    nights: set[dt.date] = field(default_factory=set)


def people_paged(
    incidents: IncidentQuerySet, start: dt.datetime, end: dt.datetime, *, user_ids: Collection[int] | None = None
) -> list[Load]:
    """Return the load of everybody paged for some of the incidents from `start` until before `end`, the most first."""
    found: dict[int, Load] = {}
    for page, night, is_repeat in marked_pages(incidents, start, end, user_ids=user_ids):
        load = found.setdefault(page.user_id, Load(page.user_id, page.name, page.time_zone))
        load.pages += 1
        load.repeats += is_repeat
        if night is not None:
            load.night_pages += 1
            load.nights.add(night)
    return sorted(found.values(), key=lambda load: (-load.pages, load.name, load.user_id))


def marked_pages(
    incidents: IncidentQuerySet, start: dt.datetime, end: dt.datetime, *, user_ids: Collection[int] | None = None
) -> Iterator[Marked]:
    """Yield the pages behind it in the order they were sent.

    A repeat is for an incident that the person was paged for before within that time.
    """
    known: set[tuple[int, int]] = set()
    for page in _pages_between(incidents, start, end, user_ids):
        pair = page.user_id, page.incident_id
        yield Marked(page, night_of(page.at, page.time_zone), pair in known)
        known.add(pair)


def night_of(at: dt.datetime, time_zone: str) -> dt.date | None:
    """Return the evening on which this night began, by the clocks of the zone; None by day."""
    wall = at.astimezone(zone_named(time_zone))
    if wall.time() < NIGHT_ENDS:
        return wall.date() - DAY
    return wall.date() if wall.time() >= NIGHT_BEGINS else None


def _pages_between(
    incidents: IncidentQuerySet, start: dt.datetime, end: dt.datetime, user_ids: Collection[int] | None
) -> Iterable[PagedPerson]:
    pages: QuerySet[Page] = Page.objects.filter(user__isnull=False, created_at__gte=start, created_at__lt=end)
    if user_ids is not None:
        pages = pages.filter(user__in=user_ids)
    seen = pages.filter(Exists(incidents.filter(pk=OuterRef("incident_id"))))
    columns = ("pk", "user_id", "user__name", "user__time_zone", "incident_id", "created_at")
    return map(PagedPerson._make, seen.order_by("created_at", "pk").values_list(*columns))
