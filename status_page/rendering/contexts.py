"""What the templates show of components and announcements."""

import datetime as dt
from collections.abc import Iterable
from functools import lru_cache

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from core.text.zones import zone_named
from status_page.rendering import drawings
from status_page.rendering.editions import Edition
from status_page.rendering.snapshot import Announcement, Component, Group, Snapshot
from status_page.rendering.uptime import DAYS, Uptime, is_problem, uptime_of
from status_page.vocabulary import Impact, Kind

RECENT_DAYS = 14
MOST_UNFOLDED = 40  # components; groups of more are folded, unless one is affected

Context = dict[str, object]


def group_context(group: Group, uptimes: dict[int, Uptime], edition: Edition) -> Context:
    """Describe a group and its components."""
    return {
        "name": edition.text(group.name) if group.name else "",
        "is_affected": group.status != Impact.OPERATIONAL,
        **status_context(group.status),
        "components": [component_context(one, uptimes.get(one.id), edition.anywhere) for one in group.components],
    }


@lru_cache(maxsize=4096)
def component_context(component: Component, uptime: Uptime | None, edition: Edition) -> Context:
    """Describe a component; the same values give the same words and bars, and are kept."""
    context: Context = {
        "name": edition.text(component.name),
        "description": edition.text(component.description) if component.description.main else "",
        **status_context(component.status),
    }
    if uptime is not None:
        titles = {
            place: _("%(day)s: %(impact)s") % {"day": edition.day(day.date), "impact": day.impact.label}
            for place, day in enumerate(uptime.days)
            if is_problem(day) and day.impact is not None
        }
        context |= {
            "bars": drawings.bars(uptime.days, titles),
            "uptime": percent_of(uptime.percent),
            "problems": list(titles.values()),
        }
    return context


def status_context(impact: Impact) -> Context:
    return {"status": impact.value, "label": impact.label, "shape": drawings.shape(impact)}


def percent_of(percent: float | None) -> str:
    """Return a share with two digits; "" without data."""
    return "" if percent is None else number_format(percent, 2)


def uptimes_of(components: Iterable[Component], time_zone: str, now: dt.datetime) -> dict[int, Uptime]:
    """Return the uptime of those that show it, by id."""
    zone = zone_named(time_zone)
    return {one.id: uptime_of(one, zone, now) for one in components if one.shows_uptime}


def heading_context(announcement: Announcement, edition: Edition) -> Context:
    """Describe what an incident or maintenance was, and when."""
    is_over = announcement.ended_at is not None
    return {
        "title": edition.text(announcement.title),
        "plain_title": announcement.title.in_language(edition.language),
        "link": edition.link(f"incidents/{announcement.uid}.html"),
        "is_maintenance": announcement.kind == Kind.MAINTENANCE,
        "is_over": is_over,
        "state": announcement.state.label,
        "impact": announcement.impact.value,
        "impact_label": announcement.impact.label,
        "shape": drawings.shape(Impact.OPERATIONAL if is_over else announcement.impact),
        "starts_at": edition.when(announcement.starts_at),
        "ends_at": edition.when(announcement.ends_at) if announcement.ends_at else "",
        "ended_at": edition.when(announcement.ended_at) if announcement.ended_at else "",
    }


def announcement_context(announcement: Announcement, edition: Edition) -> Context:
    """Describe an incident or maintenance with its updates."""
    return {
        **heading_context(announcement, edition),
        "components": [edition.text(name) for name in announcement.components],
        "updates": [
            {
                "id": update.id,
                "state": update.state.label,
                "message": edition.prose(update.message),
                "at": edition.when(update.at),
                "corrected_at": edition.when(update.corrected_at) if update.corrected_at else "",
            }
            for update in announcement.updates
        ],
        "review": edition.prose(announcement.review) if announcement.review.main else "",
    }


def recent(snapshot: Snapshot, now: dt.datetime) -> list[Announcement]:
    """Return what ended within the last days."""
    since = now - dt.timedelta(days=RECENT_DAYS)
    return [one for one in snapshot.announcements if one.ended_at is not None and one.ended_at >= since]


def index_context(snapshot: Snapshot, edition: Edition, now: dt.datetime) -> Context:
    """Return what the first page shows."""
    page = snapshot.page
    uptimes = uptimes_of(snapshot.components, page.time_zone, now)
    return {
        "about": edition.prose(page.about) if page.about.main else "",
        "days": DAYS,
        "recent_days": RECENT_DAYS,
        **status_context(snapshot.status),
        "incidents": [announcement_context(one, edition) for one in snapshot.incidents],
        "maintenance": [announcement_context(one, edition) for one in snapshot.maintenance],
        "groups": [group_context(group, uptimes, edition) for group in snapshot.groups if group.components],
        "is_short": len(snapshot.components) <= MOST_UNFOLDED,
        "recent": [announcement_context(one, edition) for one in recent(snapshot, now)],
        "updated_at": edition.when(now),
    }
