"""Times as people read them, in the language and zone of the reader."""

import datetime as dt

from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

# In Django's letters (docs.djangoproject.com, "date"); a translation puts them in its own order.
STYLES = {
    "weekday": _("l j F Y"),
    "day": _("l j F"),
    "full": _("D j M Y H:i"),
    "usual": _("D j M H:i"),
    "dated": _("D j M Y"),
    "column": _("D j M"),
    "cell": _("D j"),
    "long": _("j M Y H:i"),
    "date": _("j M Y"),
    "precise": _("j M H:i:s"),
    "zoned": _("j M H:i T"),
    "short": _("j M H:i"),
    "brief": _("j M"),
    "month": _("F Y"),
    "bare_month": "M",
    "year": "Y",
    "clock": "H:i",
    "seconds": "H:i:s",
    "fraction": "H:i:s.u",
    "zoned_clock": "H:i:s T",
    "iso_day": "Y-m-d",
    "iso_seconds": "Y-m-d H:i:s",
    "iso_fraction": "Y-m-d H:i:s.u e",
    "iso_moment": "Y-m-d\\TH:i:sP",
}


def shown(moment: dt.datetime | dt.date | dt.time, style: str) -> str:
    """Return a time in the active language; a moment is shown in the zone that it has."""
    return date_format(moment, str(STYLES[style]), use_l10n=True)  # type: ignore[arg-type]  # times, too


def shown_in(moment: dt.datetime, zone: dt.tzinfo, style: str, *, has_zone: bool = False) -> str:
    """Return a moment in a zone, with the zone's name if asked."""
    local = moment.astimezone(zone)
    text = date_format(local, str(STYLES[style]), use_l10n=True)
    return f"{text} {local.tzname()}" if has_zone else text
