"""How figures read."""

from django.utils.formats import number_format
from django.utils.translation import gettext as _

MINUTE, HOUR, DAY = 60, 3600, 86400


def short_duration(seconds: float | None) -> str:
    """Return a duration in one unit, for axes and tables."""
    if seconds is None:
        return "—"
    if seconds < MINUTE:
        return _("%(n)s s") % {"n": _plain(seconds)}
    if seconds < 2 * HOUR:
        return _("%(n)s min") % {"n": _plain(seconds / MINUTE)}
    if seconds < 2 * DAY:
        return _("%(n)s h") % {"n": _plain(seconds / HOUR)}
    return _("%(n)s d") % {"n": _plain(seconds / DAY)}


def percent(share: float | None) -> str:
    """Return a share from 0 to 1 in percent; 100 only if it is whole."""
    if share is None:
        return "—"
    shown = min(round(100 * share, 1), 99.9) if share < 1 else 100
    return _("%(n)s %%") % {"n": number_format(shown, 0 if float(shown).is_integer() else 1)}


def _plain(value: float) -> str:
    rounded = round(value, 1) if value < 10 else round(value)
    return number_format(rounded, 0 if float(rounded).is_integer() else 1)
