"""Tags of the on-call pages."""

import datetime as dt
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from core.text import moments
from core.text.zones import zone_named

register = template.Library()


@register.simple_tag
def at(moment: dt.datetime | None, zone: str = "", style: str = "usual") -> SafeString | str:
    """Show an absolute time in the page's zone; another zone and UTC on hover."""
    if moment is None:
        return _("more than 5 weeks away")
    utc = moment.astimezone(dt.UTC)
    title = f"{utc:%Y-%m-%d %H:%M} UTC"
    if zone:
        title = f"{moments.shown_in(moment, zone_named(zone), 'full')} {zone} · {title}"
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', f"{utc:%Y-%m-%dT%H:%M:%SZ}", title, _shown(moment, style)
    )


@register.simple_tag
def period(starts_at: dt.datetime, ends_at: dt.datetime) -> str:
    """Say from when to when, in the page's zone, without repeating the day."""
    start, end = timezone.localtime(starts_at), timezone.localtime(ends_at)
    style = "clock" if start.date() == end.date() else "usual"
    return _("%(start)s to %(end)s") % {"start": _shown(start, "usual"), "end": _shown(end, style)}


@register.filter
def iso(moment: dt.datetime | None) -> str:
    """Return a time as addresses carry it."""
    return f"{moment.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ}" if moment else ""


@register.simple_tag
def asking(**parameters: Any) -> str:
    """Return a query string of what is not empty."""
    given = {name: iso(value) if isinstance(value, dt.datetime) else value for name, value in parameters.items()}
    return f"?{urlencode({name: value for name, value in given.items() if value not in (None, '')})}"


@register.filter
def get(known: Mapping[Any, Any], key: Any) -> Any:
    """Return what a mapping has for a key."""
    return known.get(key, "")


def _shown(moment: dt.datetime, style: str) -> str:
    local = timezone.localtime(moment)
    zone = timezone.get_current_timezone()
    shown = moments.shown(local, style)
    # An hour that the clocks show twice needs its name.
    if style != "day" and isinstance(zone, ZoneInfo) and _is_repeated(local, zone):
        return f"{shown} {local.tzname()}"
    return shown


def _is_repeated(local: dt.datetime, zone: ZoneInfo) -> bool:
    wall = local.replace(tzinfo=None)
    first, second = (wall.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1))
    return first is not None and second is not None and first > second
