"""The HTML pages of one edition; none holds a script."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator
from functools import lru_cache

from django.template.loader import render_to_string
from django.utils.translation import override

from core.text.moments import shown
from core.text.zones import zone_named
from status_page.rendering.contexts import Context, announcement_context, heading_context, index_context
from status_page.rendering.editions import Edition, Files, overall
from status_page.rendering.snapshot import Announcement, Snapshot
from status_page.vocabulary import Impact

Months = dict[str, list[Announcement]]


def index(snapshot: Snapshot, edition: Edition, now: dt.datetime) -> bytes:
    """Render the first page."""
    with override(edition.language):
        context = index_context(snapshot, edition, now)
        return _rendered("index", edition, {**context, "overall": overall(Impact(snapshot.status))})


@lru_cache(maxsize=8192)
def announcement_page(edition: Edition, announcement: Announcement) -> bytes:
    """Render the page of one announcement; the same values give the same bytes, and are kept."""
    with override(edition.language):
        return _rendered("announcement", edition, {"announcement": announcement_context(announcement, edition)})


def history(
    snapshot: Snapshot, months: Months, files: Files, language: str, folder: str
) -> Iterator[tuple[str, bytes]]:
    """Yield the list of months, and a page for each."""
    edition = Edition(snapshot.page, files, language, folder, f"{folder}history/index.html")
    with override(language):
        listed = [{"name": month_name(name), "path": f"{name}.html", "count": len(months[name])} for name in months]
        yield edition.path, _rendered("history", edition, {"months": listed})
    names = list(months)
    for later, name, earlier in zip(["", *names], names, [*names[1:], ""], strict=False):
        edition = Edition(snapshot.page, files, language, folder, f"{folder}history/{name}.html")
        yield edition.path, month_page(edition, name, tuple(months[name]), earlier, later)


@lru_cache(maxsize=2048)
def month_page(edition: Edition, name: str, found: tuple[Announcement, ...], earlier: str, later: str) -> bytes:
    """Render the page of a month; the same values give the same bytes, and are kept."""
    with override(edition.language):
        context: Context = {
            "month": month_name(name),
            "announcements": [heading_context(one, edition) for one in found],
            "earlier": earlier,
            "later": later,
        }
        return _rendered("month", edition, context)


def simple(template: str, edition: Edition, context: Context | None = None) -> bytes:
    """Render a page that shows no announcement."""
    with override(edition.language):
        return _rendered(template, edition, context or {})


def stale_banner(edition: Edition, now: dt.datetime) -> str:
    """Return what is shown when nothing was written for too long after this moment."""
    with override(edition.language):
        return render_to_string("status_page/stale.html", {"updated_at": edition.when(now)}).strip()


def by_month(snapshot: Snapshot) -> Months:
    """Return announcements by the month in which they began, the newest first, in the page's zone."""
    zone = zone_named(snapshot.page.time_zone)
    months: Months = defaultdict(list)
    for one in sorted(snapshot.announcements, key=lambda one: one.starts_at, reverse=True):
        months[f"{one.starts_at.astimezone(zone):%Y-%m}"].append(one)
    return dict(months)


def month_name(name: str) -> str:
    return shown(dt.date(int(name[:4]), int(name[5:]), 1), "month")


def _rendered(template: str, edition: Edition, context: Context) -> bytes:
    return render_to_string(f"status_page/{template}.html", {**edition.context(), **context}).encode()
